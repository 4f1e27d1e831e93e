"""Carry the sample documents of the demonstration coalition through their whole workflow."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from sqlalchemy import select

from r2pflow.domain import text
from r2pflow.domain.errors import SetupError
from r2pflow.domain.people import GLOBAL_ROLES, LANGUAGES, THE_SYSTEM, Actor
from r2pflow.domain.text import Block
from r2pflow.folders import get_folder
from r2pflow.persistence.deliberation import BallotRow
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.people import OrganisationRow
from r2pflow.persistence.publishing import EditionLanguageRow, EditionRow, PublicationRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import ballots, comments, dossiers, people, translating
from r2pflow.services.access import get_subject
from r2pflow.services.comments import NewComment
from r2pflow.services.drafting import create_document, save_text
from r2pflow.services.importing import read_file
from r2pflow.services.transitions import fire
from r2pflow.settings import SETTINGS_FILE

Echo = Callable[[str], object]


class DemoClock:
    """A clock that the demonstration moves: the sample documents have a past, and end at the present."""

    def __init__(self, start: datetime) -> None:
        self.at = start

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **duration: float) -> None:
        """Let time pass, never beyond the present."""
        self.at = min(self.at + timedelta(**duration), datetime.now(UTC))


class Demonstration:
    """The coalition's people, and the steps of its sample documents; every step is a service's."""

    def __init__(self, work: UnitOfWork, clock: DemoClock, echo: Echo) -> None:
        self.work = work
        self.clock = clock
        self.echo = echo
        self.folder = get_folder("samples")
        self.actors: dict[str, Actor] = {}
        self.organisations: dict[str, Mapping[str, Any]] = {}

    def load_coalition(self) -> None:
        """Create organisations, persons, groups and dossiers from samples/coalition.yaml."""
        found = _read_yaml(self.folder / "coalition.yaml")
        for one in found["organisations"]:
            self.organisations[one["id"]] = one
            values = {
                "slug": one["id"],
                "names": dict(one["name"]),
                "short_name": one["short_name"],
                "country": one["country"],
                "region": one["region"],
                "sector": one["sector"],
                "scope": one["scope"],
                "functions": list(one["function"]),
                "roles": list(one["roles"]),
                "language": one["language"],
            }
            people.save_organisation(self.work, THE_SYSTEM, values)
        for one in found["persons"]:
            values = {
                "name": one["name"],
                "email": one["email"],
                "organisation": one["organisation"],
                "language": one["language"],
                "timezone": one["timezone"],
                "roles": [role for role in one["roles"] if role in GLOBAL_ROLES],
            }
            person_id = people.save_person(self.work, THE_SYSTEM, values)
            actor = people.load_actor(self.work, person_id)
            assert actor is not None
            self.actors[one["id"]] = actor
        for one in found["dossiers"]:
            dossiers.save_dossier(self.work, THE_SYSTEM, one["id"], dict(one["title"]), one["kind"], one["parent"])
        self.work.commit()
        self.echo(f"coalition {len(self.organisations)} organisations, {len(self.actors)} persons")

    @property
    def secretariat(self) -> Actor:
        return self.actors["miriam-okello"]

    def find_speaker(self, hint: str) -> Actor:
        """Return a member whose organisation the hint names, by id or name; any member otherwise."""
        for slug, one in self.organisations.items():
            if hint and (slug == hint or hint in dict(one["name"]).values()):
                return self._speaker_of(slug)
        return next(self._members())

    def _members(self) -> Iterator[Actor]:
        return (actor for actor in self.actors.values() if "member" in actor.roles)

    def _speaker_of(self, slug: str) -> Actor:
        number = self.work.session.scalars(select(OrganisationRow.id).where(OrganisationRow.slug == slug)).one()
        return next(actor for actor in self.actors.values() if actor.organisation_id == number)

    def find_translators(self, language: str) -> tuple[Actor, Actor]:
        """Return two different persons for a language: who translates and who verifies."""
        known = [a for a in self.actors.values() if "translator" in a.roles and a.language == language]
        if len(known) < 2:
            known += [actor for actor in self.actors.values() if "translator" in actor.roles and actor not in known]
        return known[0], known[1]

    def fire(self, reference: str, transition: str, comment: str = "") -> None:
        fire(self.work, self.secretariat, reference, transition, comment=comment)
        self.work.commit()
        self.echo(f"{reference} {transition} -> {self.state_of(reference)}")

    def state_of(self, reference: str) -> str:
        return self.work.session.scalars(select(DocumentRow.state).where(DocumentRow.reference == reference)).one()

    def comment(self, reference: str, entries: Sequence[Mapping[str, Any]]) -> list[int]:
        """Submit the comments of a comments.yaml, each for a member, and return their ids."""
        members = list(self._members())
        numbers = []
        for place, entry in enumerate(entries):
            actor = self.find_speaker(str(entry.get("organisation_hint", "")))
            if actor is members[0]:
                same = [a for a in members if a.language == entry["language"]] or members
                actor = same[place % len(same)]
            new = NewComment(
                kind=entry["kind"],
                body=entry["text"].strip(),
                language=entry["language"],
                block_id=entry["block"],
                exact=entry["quotation"],
                suggestion=entry.get("suggestion") or "",
            )
            numbers.append(comments.submit_comment(self.work, actor, reference, new))
            self.work.commit()
            self.clock.forward(hours=9)
        self.echo(f"{reference} {len(numbers)} comments")
        return numbers

    def answer(self, numbers: Sequence[int], entries: Sequence[Mapping[str, Any]]) -> None:
        for number, entry in zip(numbers, entries, strict=True):
            answer = entry["disposition"]
            comments.dispose(self.work, self.secretariat, number, answer["outcome"], answer["reason"].strip())
        self.work.commit()

    def decide(self, reference: str, positions: Mapping[str, tuple[str, str]] | None = None, most: int = 99) -> None:
        """Let the voters of the open ballot say yes, or what `positions` gives them by organisation, in turn."""
        subject = get_subject(self.work, THE_SYSTEM, reference)
        ballot = self.work.session.scalars(
            select(BallotRow).where(BallotRow.document_id == subject.id, BallotRow.closed_at.is_(None))
        ).one()
        voters = [(voter.organisation_id, str(voter.attributes["organisation"])) for voter in ballot.voters]
        for organisation_id, slug in voters[:most]:
            if ballot.closed_at is not None:
                break
            actor = next(one for one in self.actors.values() if one.organisation_id == organisation_id)
            position, reason = (positions or {}).get(slug, ("yes", ""))
            ballots.record_position(self.work, actor, reference, position, reason, digest=subject.text_digest)
            self.work.commit()
            self.clock.forward(hours=5)
        self.echo(f"{reference} {min(most, len(voters))} positions")

    def close_ballot(self, reference: str) -> None:
        """Let time pass until the ballot's close, and close it as its timer does."""
        subject = get_subject(self.work, THE_SYSTEM, reference)
        ballot = ballots.find_ballot(self.work, subject)
        if ballot is not None and ballot.is_open:
            if ballot.row.closes_at:
                self.clock.at = max(self.clock.at, ballot.row.closes_at)
            ballots.close_ballot(self.work, ballot.row.id)
            self.work.commit()
        self.echo(f"{reference} ballot closed -> {self.state_of(reference)}")

    def translate(self, reference: str, texts: Mapping[str, Sequence[Block]]) -> None:
        """Write and verify whole translations, by two persons per language."""
        digest = get_subject(self.work, THE_SYSTEM, reference).text_digest
        for language, blocks in texts.items():
            translator, verifier = self.find_translators(language)
            html = {block.id: block.html for block in blocks}
            translating.save_translation(self.work, translator, reference, language, html, digest=digest)
            self.clock.forward(hours=7)
            translating.verify_translation(self.work, verifier, reference, language, digest=digest)
            self.work.commit()
        self.echo(f"{reference} translated into {' '.join(texts)}")

    def read_text(self, *parts: str) -> tuple[Block, ...]:
        return text.canonical(self.folder.joinpath(*parts).read_text(encoding="utf-8"))

    def read_translations(self, name: str) -> dict[str, tuple[Block, ...]]:
        return {
            language: self.read_text(name, f"{language}.html")
            for language in LANGUAGES
            if language != "en" and (self.folder / name / f"{language}.html").exists()
        }

    def create(self, type_name: str, blocks: Sequence[Block], dossier: str | None, **more: Any) -> str:
        reference = create_document(self.work, self.secretariat, type_name, blocks, dossier=dossier, **more)
        self.work.commit()
        self.echo(f"{reference} created: {text.title_of(blocks)}")
        return reference

    def revise(self, reference: str, blocks: Sequence[Block], summary: str) -> None:
        based_on = get_subject(self.work, THE_SYSTEM, reference).revision_number
        saved = save_text(self.work, self.secretariat, reference, blocks, based_on=based_on, summary=summary)
        self.work.commit()
        self.echo(f"{reference} revision {saved.number}: {summary}")

    def carry_report(self) -> None:
        """The scanned minutes: imported as they are, mended by hand, commented, approved, published."""
        folder = self.folder / "consultation_report"
        scan = read_file("roundtable-canada.txt", (folder / "roundtable-canada.txt").read_bytes(), language="en")
        mended = self.read_text("consultation_report", "en.html")
        reference = self.create(
            "consultation_report",
            text.with_title(scan, text.title_of(mended)),
            "consultation-canada",
            origin="import",
            fields={"chair": "Warren Allmand"},
        )
        self.clock.forward(days=1)
        self.revise(reference, mended, "Mended by hand: faults of text recognition")
        self._comment_and_submit(reference, "consultation_report", mended)
        self.decide(reference)
        self.close_ballot(reference)
        self.translate(reference, self.read_translations("consultation_report"))
        self.fire(reference, "publish")

    def carry_paper(self) -> None:
        """The position paper: six languages, an explicit vote."""
        blocks = self.read_text("position_paper", "en.html")
        reference = self.create("position_paper", blocks, None, fields=_crimes())
        self._comment_and_submit(reference, "position_paper", blocks)
        self.decide(reference)
        self.close_ballot(reference)
        self.translate(reference, self.read_translations("position_paper"))
        self.fire(reference, "publish")

    def carry_statement(self) -> None:
        """The joint statement: a first draft, comments, a revision, silence."""
        first = self.read_text("joint_statement", "first.en.html")
        reference = self.create("joint_statement", first, None, fields=_crimes())
        self._comment_and_submit(
            reference, "joint_statement", self.read_text("joint_statement", "en.html"), "After the comments of members"
        )
        self.decide(reference, most=4)
        self.close_ballot(reference)
        self.translate(reference, self.read_translations("joint_statement"))
        self.fire(reference, "publish")

    def carry_plan(self) -> None:
        """The launch conference: structured fields, a programme and a calendar."""
        blocks = self.read_text("conference_launch", "en.html")
        fields = _plain(_read_yaml(self.folder / "conference_launch" / "plan.yaml"))
        reference = self.create("conference_launch", blocks, None, fields=fields)
        self.fire(reference, "open_comment")
        self.clock.forward(days=3)
        self.fire(reference, "close_comment")
        self.fire(reference, "submit")
        self.decide(reference)
        self.close_ballot(reference)
        self.translate(reference, self.read_translations("conference_launch"))
        self.fire(reference, "publish")

    def leave_work_to_do(self) -> None:
        """Leave one document in comment, one in approval and one in translation, so that everybody finds a task."""
        desk = self.create("position_paper", self.read_text("live", "early-warning-desks.html"), None, fields=_crimes())
        self.fire(desk, "open_comment")
        statement = self.create(
            "joint_statement", self.read_text("live", "anniversary-statement.html"), None, fields=_crimes()
        )
        self.fire(statement, "open_comment")
        self.fire(statement, "close_comment")
        self.fire(statement, "submit")
        self.decide(statement, most=3)
        teaching = self.create("position_paper", self.read_text("live", "teaching.html"), None, fields=_crimes())
        self.fire(teaching, "open_comment")
        self.fire(teaching, "close_comment")
        self.fire(teaching, "submit")
        self.decide(teaching)
        self.close_ballot(teaching)
        translator, _ = self.find_translators("fr")
        digest = get_subject(self.work, THE_SYSTEM, teaching).text_digest
        begun = {block.id: block.html for block in self.read_text("live", "teaching.fr.html")}
        translating.save_translation(self.work, translator, teaching, "fr", begun, digest=digest)
        self.work.commit()

    def _comment_and_submit(
        self, reference: str, folder: str, revised: Sequence[Block], summary: str = "After the comments"
    ) -> None:
        entries = _read_yaml(self.folder / folder / "comments.yaml")
        self.clock.forward(days=1)
        self.fire(reference, "open_comment")
        numbers = self.comment(reference, entries)
        self.fire(reference, "close_comment")
        accepted = _apply(revised, entries)
        if text.digest(accepted) != get_subject(self.work, THE_SYSTEM, reference).text_digest:
            self.revise(reference, accepted, summary)
        self.answer(numbers, entries)
        self.clock.forward(days=1)
        self.fire(reference, "submit")


def run_demo(
    work: UnitOfWork, clock: DemoClock, echo: Echo, render: Callable[[], object]
) -> list[tuple[str, str, str]]:
    """Load the coalition and carry every sample through; `render` lets the worker finish what is queued.

    `work` must have `clock` as its clock. Return (symbol, language, path) of each PDF, told also by a line
    `published SYMBOL LANGUAGE PATH`. Raises SetupError where the instance already holds documents.
    """
    if work.session.scalar(select(DocumentRow.id).limit(1)) is not None:
        raise SetupError("instance_not_empty", path=str(work.settings.instance))
    demo = Demonstration(work, clock, echo)
    demo.load_coalition()
    demo.carry_report()
    demo.carry_paper()
    demo.carry_statement()
    demo.carry_plan()
    clock.at = datetime.now(UTC)
    demo.leave_work_to_do()
    render()
    work.session.expire_all()
    published = list_published(work)
    for symbol, language, path in published:
        echo(f"published {symbol} {language} {path}")
    return published


def write_demo_settings(instance: Path) -> None:
    """Give an instance the demonstration coalition's name, unless it has settings of its own."""
    path = instance / SETTINGS_FILE
    if path.exists():
        return
    name = dict(_read_yaml(get_folder("samples") / "coalition.yaml")["name"])
    lines = ["# Each setting is a key R2PFLOW_* too; configuration and environment win.", "", "[coalition]"]
    lines += [f'{code} = "{name[code]}"' for code in sorted(name)]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")


def list_published(work: UnitOfWork) -> list[tuple[str, str, str]]:
    """Return (symbol, language, path) of every PDF that is there."""
    rows = work.session.execute(
        select(PublicationRow.symbol, EditionLanguageRow.language, EditionLanguageRow.pdf_path)
        .join(EditionRow, EditionRow.publication_id == PublicationRow.id)
        .join(EditionLanguageRow, EditionLanguageRow.edition_id == EditionRow.id)
        .where(EditionLanguageRow.pdf_path != "")
        .order_by(PublicationRow.id, EditionRow.number, EditionLanguageRow.language)
    )
    return [(symbol, language, str(work.settings.instance / path)) for symbol, language, path in rows]


def make_demo_clock() -> DemoClock:
    """Return a clock that starts far enough back for the sample documents to have a past."""
    start = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=120)
    return DemoClock(start)


def _apply(blocks: Sequence[Block], entries: Sequence[Mapping[str, Any]]) -> tuple[Block, ...]:
    """Make the changes that accepted comments suggest, where the quotation still stands in its block."""
    changed = {block.id: block.html for block in blocks}
    for entry in entries:
        if entry["disposition"]["outcome"] == "accepted" and entry.get("suggestion"):
            html = changed.get(entry["block"], "")
            if entry["quotation"] in html:
                changed[entry["block"]] = html.replace(entry["quotation"], entry["suggestion"], 1)
    return text.canonical(text.render(Block(block.id, block.kind, changed[block.id]) for block in blocks))


def _crimes() -> dict[str, Any]:
    return {
        "scope": "normative",
        "crimes": ["genocide", "war_crimes", "crimes_against_humanity", "ethnic_cleansing"],
    }


def _read_yaml(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def _plain(value: Any) -> Any:
    """Return YAML values as JSON has them: dates as ISO 8601 text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value
