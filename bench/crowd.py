"""A stand-alone instance with any number of documents, in all states, with what belongs to them there."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Table, insert, select

from bench.host import add_person, begin_work
from r2pflow.accounts import migrate as account_tables
from r2pflow.domain.people import LANGUAGES, REGIONS, THE_SYSTEM
from r2pflow.domain.text import as_json, canonical, digest
from r2pflow.persistence import deliberation, documents, history, migrate, publishing
from r2pflow.persistence.base import Base
from r2pflow.persistence.people import PersonRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import people
from r2pflow.services.definitions import store_definition
from r2pflow.standalone import create_app, make_sign_in_link

ORGANISATIONS, STEERING = 40, 12
MIXED, LIVE = 100, 10
"""So many documents are spread evenly over all states; of those beyond, one in so many is under way, by chance."""
READERS = ("secretariat", "member", "steering")
_BATCH = 2000
_KNOWN = "crowd.json"


@dataclass(frozen=True)
class Crowd:
    """An instance, the ids of who reads in it, one document that is before the steering group, one symbol."""

    app: Flask
    readers: dict[str, int]
    reference: str
    symbol: str

    def sign_in(self, reader: str) -> FlaskClient:
        """Return a browser in which the reader is signed in, by a link as people are."""
        base: str = self.app.extensions["r2pflow"].settings.base_url
        client = self.app.test_client()
        path = make_sign_in_link(self.app, self.readers[reader], is_demo=False).removeprefix(base)
        page = client.get(path).get_data(as_text=True)
        token = page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
        answer = client.post(path, data={"csrf_token": token})
        assert answer.status_code == 303, answer.status
        return client


def make_crowd(folder: Path, number: int) -> Crowd:
    """Make the instance: 40 member organisations, 12 of them steering, and the documents."""
    app = create_app({"R2PFLOW_INSTANCE": str(folder)})
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
        migrate.upgrade(engine)
        account_tables.upgrade(engine)
        work = begin_work(app)
        readers, speakers = _make_people(work)
        reference, symbol = _Writer(work, list(readers.values()), speakers).write(number)
        work.commit()
    (folder / _KNOWN).write_text(json.dumps([readers, reference, symbol]))
    return Crowd(app, readers, reference, symbol)


def open_crowd(folder: Path) -> Crowd:
    """Open an instance that was made before, as a new process does."""
    return Crowd(create_app({"R2PFLOW_INSTANCE": str(folder)}), *json.loads((folder / _KNOWN).read_text()))


def _make_people(work: UnitOfWork) -> tuple[dict[str, int], dict[int, int]]:
    regions = cycle(REGIONS)
    for number in range(ORGANISATIONS + 1):
        slug = f"member-{number}" if number else "office"
        roles = [] if not number else ["member", "steering"] if number <= STEERING else ["member"]
        values = {"slug": slug, "names": {"en": slug.title()}, "short_name": slug, "region": next(regions)}
        people.save_organisation(work, THE_SYSTEM, {**values, "roles": roles, "language": "en"})
    readers = {
        "secretariat": add_person(work, "secretary", "office", ["secretariat"]).person_id,
        "member": add_person(work, "member", f"member-{ORGANISATIONS}", []).person_id,
        "steering": add_person(work, "steerer", "member-1", []).person_id,
    }
    for number in range(2, ORGANISATIONS):
        add_person(work, f"person-{number}", f"member-{number}", [])
    speakers = {row.organisation_id or 0: row.id for row in work.session.scalars(select(PersonRow))}
    office = people.get_organisation(work, "office").id
    return (
        {name: id_ for name, id_ in readers.items() if id_},
        {organisation: id_ for organisation, id_ in sorted(speakers.items()) if organisation != office},
    )


class _Writer:
    """Write rows in bulk; ids are counted here, for the database is new."""

    def __init__(self, work: UnitOfWork, readers: Sequence[int], speakers: Mapping[int, int]) -> None:
        self.work = work
        self.now = work.now()
        self.readers = readers
        self.organisations, self.speakers = list(speakers), list(speakers.values())
        self.rows: dict[Table, list[dict[str, Any]]] = {}
        self.numbers: dict[Any, int] = {}
        paragraphs = "".join(
            f'<p data-block="p{n}">Paragraph {n}: states protect people from these crimes, and help each other.</p>'
            for n in range(1, 13)
        )
        self.text = canonical(f'<h1 data-block="title">A text of the coalition</h1>{paragraphs}')
        self.blocks, self.digest = as_json(self.text), digest(self.text)

    def write(self, number: int) -> tuple[str, str]:
        """Write the documents; return the reference of one that is being decided, and a symbol."""
        under_way, archive = (cycle(self._places(is_final)) for is_final in (False, True))
        everywhere = cycle(self._places())
        chance = Random(1)
        decided, symbol = "", ""
        for index in range(number):
            places = everywhere if index < MIXED else archive if chance.randrange(LIVE) else under_way
            type_, workflow, definition_id, state = next(places)
            reference = f"{type_.code}-{index + 1}"
            published = self._write_document(index + 1, reference, type_, workflow, definition_id, state)
            if workflow.states[state].ballot and not decided:
                decided = reference
            symbol = symbol or published
            if index % _BATCH == _BATCH - 1:
                self._flush()
        self._flush()
        return decided, symbol

    def _places(self, is_final: bool | None = None) -> Iterator[tuple[Any, Any, int, str]]:
        """Give the states of every type, so mixed that the first ten are in all; those that are final, or are not."""
        catalogue = self.work.catalogue
        kinds = [(kind, catalogue.workflows[kind.workflow]) for kind in catalogue.types.values()]
        stored = {flow.name: store_definition(self.work, flow) for _, flow in kinds}
        for place in range(max(len(flow.states) for _, flow in kinds)):
            for step, (kind, flow) in enumerate(kinds):
                states = list(flow.states)
                state = states[(place + 2 * step) % len(states)]
                if is_final in (None, flow.states[state].final):
                    yield kind, flow, stored[flow.name], state

    def _write_document(
        self, id_: int, reference: str, type_: Any, workflow: Any, definition_id: int, state: str
    ) -> str:
        """Write one document with its past; return its symbol where it is published."""
        path = list(workflow.states)[: list(workflow.states).index(state) + 1]
        changed = self.now - timedelta(minutes=7 * (id_ % 5000) + 1)
        self._add(
            documents.DocumentRow,
            id=id_,
            reference=reference,
            type=type_.name,
            title=f"A text of the coalition, number {id_}",
            language="en",
            dossier_path="",
            definition_id=definition_id,
            state=state,
            state_entered_at=changed,
            fields={},
            text_digest=self.digest,
            revision_number=1,
            author_id=self.readers[id_ % 3],
            created_at=changed - timedelta(days=30),
            changed_at=changed,
            change_number=len(path),
        )
        revision = self._add(
            documents.RevisionRow,
            document_id=id_,
            number=1,
            blocks=self.blocks,
            digest=self.digest,
            summary="",
            origin="edit",
            author_id=self.readers[0],
            created_at=changed - timedelta(days=30),
        )
        self._add(
            documents.LocalRoleRow,
            document_id=id_,
            person_id=self.readers[id_ % 3],
            role="author",
            created_at=changed,
        )
        if id_ % 4 == 0:
            for reader in self.readers:
                seen_at = changed + timedelta(minutes=1 if id_ % 8 else -1)
                self._add(documents.SeenRow, person_id=reader, document_id=id_, revision_number=1, seen_at=seen_at)
        for place, (source, target) in enumerate(zip(path, path[1:], strict=False)):
            self._add(
                history.HistoryEntryRow,
                document_id=id_,
                happened_at=changed - timedelta(days=len(path) - place),
                kind="transition",
                person_id=self.readers[0],
                actor_name="Secretary",
                transition="move",
                source=source,
                target=target,
                trigger="user",
                comment="",
                digest=self.digest,
                params={},
            )
        for name in path:
            here = name == state
            if workflow.states[name].comments:
                self._write_round(id_, revision, changed, workflow.states[name], here, len(path))
            if workflow.states[name].ballot:
                terms = workflow.ballots[workflow.states[name].ballot]
                self._write_ballot(id_, revision, changed, name, terms, here)
        if workflow.states[state].grants.get("translate") and not workflow.states[state].final:
            for language in LANGUAGES if id_ % 3 == 0 else LANGUAGES[: id_ % len(LANGUAGES)]:
                self._write_translation(id_, language, changed)
        return self._publish(id_, revision, type_, changed) if workflow.states[state].final else ""

    def _write_round(
        self, document_id: int, revision: int, changed: datetime, state: Any, is_open: bool, way: int
    ) -> None:
        closes_at = self.now + timedelta(hours=1 + document_id % 500)
        number = self._add(
            deliberation.CommentRoundRow,
            document_id=document_id,
            revision_id=revision,
            audience=state.comments.audience,
            kinds=list(state.comments.kinds),
            opened_at=changed,
            closes_at=closes_at,
            timezone="UTC",
            closed_at=None if is_open else changed,
        )
        if is_open:
            self._add_timer(document_id, state.name, "fire", "close_comment", closes_at)
        answered = way > 3 or (way == 3 and document_id % 2 == 0)
        for place in range(3):
            speaker = (document_id * 7 + place * 13) % len(self.organisations)
            self._add(
                deliberation.CommentRow,
                document_id=document_id,
                round_id=number,
                revision_id=revision,
                block_id=f"p{1 + place}",
                exact="states protect people",
                prefix="",
                suffix="",
                health="exact",
                current_block_id=f"p{1 + place}",
                kind=("editorial", "substantive", "objection")[place],
                language="en",
                body="Say who does it, and until when.",
                suggestion="",
                organisation_id=self.organisations[speaker],
                author_id=self.speakers[speaker],
                created_at=changed,
                outcome="accepted" if answered else None,
                reason="It makes the text clearer." if answered else "",
                disposed_by_id=self.readers[0] if answered else None,
                disposed_at=changed if answered else None,
                is_satisfied=None if document_id % 3 else answered or None,
            )

    def _write_ballot(
        self, document_id: int, revision: int, changed: datetime, state: str, terms: Any, is_open: bool
    ) -> None:
        closes_at = self.now + timedelta(hours=1 + document_id % 300)
        number = self._add(
            deliberation.BallotRow,
            document_id=document_id,
            revision_id=revision,
            state=state,
            name=terms.name,
            terms=terms.source,
            digest=self.digest,
            opened_at=changed,
            closes_at=closes_at,
            timezone="UTC",
            closed_at=None if is_open else changed,
            outcome="open" if is_open else "carried",
            verdict=None,
        )
        if is_open:
            self._add_timer(document_id, state, "close_ballot", str(number), closes_at)
        position = terms.positions[0].id
        for place, organisation in enumerate(self.organisations[:STEERING]):
            self._add(
                deliberation.BallotVoterRow,
                ballot_id=number,
                organisation_id=organisation,
                name=f"member-{place + 1}",
                attributes={"region": "africa"},
            )
            if (place + document_id) % 4 == 0:
                self._add(
                    deliberation.PositionRow,
                    ballot_id=number,
                    organisation_id=organisation,
                    position=position,
                    reason="",
                    person_id=self.readers[2],
                    recorded_at=changed,
                )

    def _write_translation(self, document_id: int, language: str, changed: datetime) -> None:
        if language != "en":
            self._add(
                deliberation.TranslationRow,
                document_id=document_id,
                language=language,
                status="verified" if document_id % 3 == 0 else "in_progress",
                translated_count=0,
                stale_count=0,
                verified_digest=self.digest if document_id % 3 == 0 else None,
                changed_at=changed,
            )

    def _publish(self, document_id: int, revision: int, type_: Any, changed: datetime) -> str:
        symbol = f"BENCH/2027/{type_.code}/{document_id}"
        publication = self._add(
            publishing.PublicationRow, document_id=document_id, symbol=symbol, withdrawn_at=None, withdrawal_reason=""
        )
        edition = self._add(
            publishing.EditionRow,
            publication_id=publication,
            number=1,
            revision_id=revision,
            ballot_id=None,
            digest=self.digest,
            fields={},
            decision=None,
            published_at=changed,
        )
        for language in type_.required_languages:
            self._add(
                publishing.EditionLanguageRow,
                edition_id=edition,
                language=language,
                title="A text of the coalition",
                blocks=self.blocks,
                stale_blocks=[],
                search_text=" a text of the coalition states protect people ",
                added_at=changed,
                pdf_path="",
            )
        return symbol

    def _add_timer(self, document_id: int, state: str, kind: str, name: str, due_at: datetime) -> None:
        self._add(
            history.TimerRow,
            document_id=document_id,
            kind=kind,
            name=name,
            state=state,
            due_at=due_at,
            timezone="UTC",
        )

    def _add(self, table: Any, **values: Any) -> int:
        """Keep a row until the batch is full; return its id."""
        number = self.numbers[table] = self.numbers.get(table, 0) + 1
        if "id" in table.__table__.c:
            values.setdefault("id", number)
        self.rows.setdefault(table.__table__, []).append(values)
        return number

    def _flush(self) -> None:
        for table in Base.metadata.sorted_tables:
            if rows := self.rows.pop(table, []):
                self.work.session.execute(insert(table), rows)
        self.work.session.commit()
