"""Take a Plone site over: dossiers, documents with their past, translations, sharing, comments; each thing once."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from html import escape
from typing import Any

from sqlalchemy import delete, insert, select, update

from r2pflow.domain import text
from r2pflow.domain.errors import InvalidInput, R2PFlowError
from r2pflow.domain.people import LANGUAGES, THE_SYSTEM, Actor
from r2pflow.domain.plone_site import SITE_ROOT, Entry, Fault, Remark, Sharing, Site
from r2pflow.domain.text import Block
from r2pflow.persistence.deliberation import CommentRoundRow, CommentRow
from r2pflow.persistence.documents import DocumentRow, DossierRow, ImportedRow, LocalRoleRow
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import dossiers, importing, translating, windows
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document
from r2pflow.services.history import record
from r2pflow.services.placing import settle
from r2pflow.services.site_people import Holders
from r2pflow.services.texts import get_blocks

ROLES = {"Owner": "author", "Editor": "editor", "Member": "member", "Authenticated": "authenticated"}
"""Roles of Plone that r2pflow has by another name; every other keeps its own, for workflows that know it."""


@dataclass(frozen=True)
class Choices:
    """How to take the site over: document types by type of Plone (`*` for all others), states by review state."""

    types: Mapping[str, str]
    states: Mapping[str, str] = field(default_factory=dict)
    dossier_kind: str = "campaign"


@dataclass
class Report:
    """What was done, what was there already, what could not be done, and what to look at."""

    done: Counter[str] = field(default_factory=Counter)
    known: int = 0
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)


def import_site(work: UnitOfWork, site: Site, choices: Choices) -> Report:
    """Import what is not there yet, and commit each object by itself; what fails is in the report and leaves nothing.

    What was imported before is left alone, also where either side has changed it since. Nobody is notified, and no
    ballot or comment round opens. Raises InvalidInput for a choice that the catalogue does not know.
    """
    for name in choices.types.values():
        if name not in work.catalogue.types:
            raise InvalidInput("unknown_document_type", field="type", value=name, accepted=sorted(work.catalogue.types))
    importer = _Importer(work, site, choices)
    importer.run()
    return importer.report


class _Importer:
    def __init__(self, work: UnitOfWork, site: Site, choices: Choices) -> None:
        self.work, self.site, self.choices = work, site, choices
        self.report = Report(faults=list(site.faults))
        self.entries = {entry.uid: entry for entry in site.entries}
        self.holders = Holders(work, site, self.find, self.keep)
        self.originals = self._choose_originals()

    def run(self) -> None:
        for entry in self.site.entries:
            if entry.is_dossier:
                self._once("dossier", entry.uid, entry.path, partial(self._import_dossier, entry))
        later: list[Entry] = []
        for entry in self.site.entries:
            if entry.is_document and self.originals.get(entry.uid, entry.uid) != entry.uid:
                later.append(entry)
            elif entry.is_document:
                self._once("document", entry.uid, entry.path, partial(self._import_document, entry))
        for entry in later:
            self._once("document", entry.uid, entry.path, partial(self._import_translation, entry))
        for sharing in self.site.sharing:
            if sharing.uid == SITE_ROOT:
                self._note(SITE_ROOT, "roles_of_site", holders=sorted(sharing.roles))
                continue
            path = self.entries[sharing.uid].path if sharing.uid in self.entries else sharing.uid
            self._once("sharing", sharing.uid, path, partial(self._import_sharing, sharing))
        for uid, remarks in self.site.remarks.items():
            path = self.entries[uid].path if uid in self.entries else uid
            self._once("comments", uid, path, partial(self._import_remarks, uid, remarks))

    def _once(self, kind: str, uid: str, path: str, write: Callable[[], int]) -> None:
        """Do one thing in its own transaction, unless it is done; a refusal undoes it and is reported."""
        if self.find(kind, uid) is not None:
            self.report.known += 1
            return
        before = Counter(self.report.done)
        notes = len(self.report.notes)
        try:
            self.keep(kind, uid, write())
            self.work.commit()
        except R2PFlowError as error:
            self.work.rollback()
            self.holders.forget()
            self.report.done = before
            del self.report.notes[notes:]
            self.report.faults.append(Fault(path, error.code, error.params))

    def find(self, kind: str, external_id: str) -> int | None:
        """Return the id of what an earlier import, or this one, made of it."""
        return self.work.session.scalar(
            select(ImportedRow.local_id).where(
                ImportedRow.source == self.site.source,
                ImportedRow.external_id == external_id[:200],
                ImportedRow.kind == kind,
            )
        )

    def keep(self, kind: str, external_id: str, local_id: int) -> None:
        """Note what was made of it."""
        self.work.session.add(
            ImportedRow(
                source=self.site.source,
                external_id=external_id[:200],
                kind=kind,
                local_id=local_id,
                imported_at=self.work.now(),
            )
        )
        self.work.session.flush()

    def _note(self, path: str, code: str, **params: Any) -> None:
        self.report.notes.append(Fault(path, code, params))

    # Dossiers and documents

    def _choose_originals(self) -> Mapping[str, str]:
        """Return for each object of a group of translations the one that is taken for the authoritative text."""
        found: dict[str, str] = {}
        for group in self.site.translations:
            known = {language: uid for language, uid in group.items() if uid in self.entries}
            if not known:
                continue
            first = self.entries[next(iter(known.values()))]
            kind = self.work.catalogue.types[self._choose_type(first)]
            original = known.get(kind.authoritative) or first.uid
            found.update(dict.fromkeys(known.values(), original))
        return found

    def _choose_type(self, entry: Entry) -> str:
        types = self.work.catalogue.types
        same = re.sub(r"\W+", "_", entry.type.lower())
        chosen = self.choices.types.get(entry.type) or (same if same in types else self.choices.types.get("*"))
        return chosen or next(iter(types))

    def _language(self, entry: Entry) -> str:
        return entry.language.split("-")[0].lower() or self.work.settings.default_language

    def _import_dossier(self, entry: Entry) -> int:
        original = self.originals.get(entry.uid, entry.uid)
        title = {self._language(entry): entry.title}
        if original != entry.uid and (there := self.find("dossier", original)) is not None:
            row = self.work.session.get_one(DossierRow, there)
            row.titles = {**title, **row.titles}
            return row.id
        parent = self._find_dossier(entry)
        dossier_id = dossiers.save_dossier(
            self.work,
            THE_SYSTEM,
            self._free_slug(entry),
            title,
            self.choices.dossier_kind,
            parent.slug if parent else None,
        )
        self.report.done["dossier"] += 1
        return dossier_id

    def _find_dossier(self, entry: Entry) -> DossierRow | None:
        """Return the dossier that an object goes into: its own where it is one too, else that of its parent."""
        own = self.find("dossier", entry.uid) if entry.is_document else None
        found = own or (self.find("dossier", entry.parent) if entry.parent else None)
        return self.work.session.get(DossierRow, found) if found else None

    def _free_slug(self, entry: Entry) -> str:
        wanted = re.sub(r"[^a-z0-9]+", "-", entry.short_name.lower()).strip("-")[:60] or "dossier"
        alike = select(DossierRow.slug).where(DossierRow.slug.startswith(wanted, autoescape=True))
        taken = set(self.work.session.scalars(alike))
        numbers = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
        return wanted if wanted not in taken | {"new"} else next(one for one in numbers if one not in taken)

    def _read_text(self, entry: Entry) -> tuple[Block, ...]:
        lead = f"<p>{escape(entry.description, quote=False)}</p>" if entry.description else ""
        limit = self.work.settings.upload_limit
        content = (lead + entry.html).encode()
        language = self._language(entry)
        return importing.read_file("page.html", content, language=language, title=entry.title[:500], limit=limit)

    def _import_document(self, entry: Entry) -> int:
        work, language = self.work, self._language(entry)
        place = self._find_dossier(entry)
        blocks = self._read_text(entry)
        reference = create_document(
            work,
            THE_SYSTEM,
            self._choose_type(entry),
            blocks,
            language=language,
            dossier=place.slug if place else None,
            origin="import",
            moves_on=False,
        )
        subject = get_subject(work, THE_SYSTEM, reference)
        state = self.choices.states.get(entry.state, entry.state)
        if state not in subject.workflow.states:
            if entry.state:
                self._note(entry.path, "state_unknown", state=entry.state, taken=subject.state_name)
            state = subject.state_name
        windows.leave_state(work, subject)
        author = self.holders.find_person(entry.creator) if entry.creator else None
        since = max((step.at for step in entry.steps), default=entry.created_at)
        work.session.execute(
            update(DocumentRow)
            .where(DocumentRow.id == subject.id)
            .values(
                state=state,
                state_entered_at=since,
                author_id=author,
                created_at=entry.created_at,
                changed_at=max(entry.modified_at, since),
            )
        )
        work.session.execute(delete(HistoryEntryRow).where(HistoryEntryRow.document_id == subject.id))
        for step, source in zip(entry.steps, ("", *(step.state for step in entry.steps)), strict=False):
            self._write_step(subject.id, step, source)
        record(
            work,
            subject.id,
            THE_SYSTEM,
            "imported",
            target=state,
            digest=text.digest(blocks),
            site=self.site.source,
            path=entry.path,
            state=entry.state,
        )
        moved = get_subject(work, THE_SYSTEM, reference)
        if moved.state.comments or moved.state.ballot:
            self._note(entry.path, "window_not_opened", reference=reference, state=state)
        elif moved.state.timer:
            windows.enter_state(work, moved)
        if author is not None:
            self._share("document_id", subject.id, "author", {"person_id": author})
        self.report.done["document"] += 1
        return subject.id

    def _write_step(self, document_id: int, step: Any, source: str) -> None:
        person = self.holders.find_person(step.actor) if step.actor else None
        self.work.session.execute(
            insert(HistoryEntryRow).values(
                document_id=document_id,
                happened_at=step.at,
                kind="transition",
                person_id=person,
                actor_name=self.holders.name_of(step.actor)[:200],
                transition=step.transition[:80],
                source=source[:80],
                target=step.state[:80],
                trigger="user",
                comment=step.comment,
                digest="",
                params={"workflow": step.workflow, "imported": True},
            )
        )
        self.report.done["history"] += 1

    # Translations

    def _import_translation(self, entry: Entry) -> int:
        """Write an object as the translation of its original; as a document of its own where they do not pair."""
        work = self.work
        document_id = self.find("document", self.originals[entry.uid])
        if document_id is None:
            raise InvalidInput("original_missing", uid=self.originals[entry.uid])
        subject = get_subject(work, THE_SYSTEM, document_id)
        language, source, blocks = self._language(entry), get_blocks(work, subject), self._read_text(entry)
        is_paired = [one.kind for one in source] == [one.kind for one in blocks]
        taken = (*subject.type.required_languages, *subject.type.optional_languages)
        if not is_paired or language not in taken or language == subject.language:
            self._note(entry.path, "translation_apart", original=subject.reference, language=language)
            return self._import_document(entry)
        html = _pair(source, blocks)
        translator = self.holders.find_person(entry.creator) if entry.creator else None
        actor = Actor(person_id=translator, name=self.holders.name_of(entry.creator), is_system=True)
        translating.save_translation(work, actor, subject.id, language, html, digest=subject.text_digest)
        for step, before in zip(entry.steps, ("", *(step.state for step in entry.steps)), strict=False):
            self._write_step(subject.id, step, before)
        self.report.done["translation"] += 1
        return subject.id

    # Sharing and comments

    def _import_sharing(self, sharing: Sharing) -> int:
        dossier, document = self.find("dossier", sharing.uid), self.find("document", sharing.uid)
        if dossier is None and document is None:
            raise InvalidInput("not_imported", uid=sharing.uid)
        column, place = ("dossier_id", dossier) if dossier is not None else ("document_id", document)
        assert place is not None
        for holder, roles in sharing.roles.items():
            found = self.holders.find(holder)
            if found is None:
                self._note(sharing.uid, "holder_unknown", holder=holder, roles=list(roles))
                continue
            for role in roles:
                self._share(column, place, ROLES.get(role, role)[:60], found)
        if sharing.blocks:
            self._block(column, place)
        return place

    def _share(self, column: str, place: int, role: str, holder: Mapping[str, int]) -> None:
        values = {column: place, "role": role, **holder}
        same = [getattr(LocalRoleRow, name) == value for name, value in values.items()]
        if self.work.session.scalar(select(LocalRoleRow.id).where(*same)) is None:
            self.work.session.add(LocalRoleRow(**values, created_at=self.work.now()))
            self.work.session.flush()
            self.report.done["sharing"] += 1

    def _block(self, column: str, place: int) -> None:
        session = self.work.session
        if column == "document_id":
            session.get_one(DocumentRow, place).blocks_sharing = True
            session.flush()
        else:
            row = session.get_one(DossierRow, place)
            row.blocks_sharing = True
            session.flush()
            settle(self.work, row)

    def _import_remarks(self, uid: str, remarks: Sequence[Remark]) -> int:
        document_id = self.find("document", uid)
        if document_id is None:
            raise InvalidInput("not_imported", uid=uid)
        subject = get_subject(self.work, THE_SYSTEM, document_id)
        if not remarks:
            return document_id
        revision_id = windows.get_revision_id(self.work, subject)
        window = CommentRoundRow(
            document_id=subject.id,
            revision_id=revision_id,
            audience="authenticated",
            kinds=["substantive"],
            opened_at=remarks[0].at,
            closed_at=remarks[-1].at,
        )
        self.work.session.add(window)
        self.work.session.flush()
        for remark in remarks:
            person = self.holders.find_person(remark.author or remark.author_name or "anonymous", remark.author_name)
            self.work.session.add(
                CommentRow(
                    document_id=subject.id,
                    round_id=window.id,
                    revision_id=revision_id,
                    kind="substantive",
                    language=subject.language if subject.language in LANGUAGES else "en",
                    body=remark.body or "…",
                    author_id=person,
                    created_at=remark.at,
                )
            )
            self.report.done["comment"] += 1
        self.work.session.flush()
        return document_id


def _pair(source: Sequence[Block], blocks: Sequence[Block]) -> Mapping[str, str]:
    """Return the translated blocks by the ids of the source, references to footnotes included."""
    ids = {other.id: one.id for one, other in zip(source, blocks, strict=True)}

    def rename(found: re.Match[str]) -> str:
        return f'data-note="{ids.get(found[1], found[1])}"'

    return {ids[other.id]: re.sub(r'data-note="([^"]+)"', rename, other.element()) for other in blocks}
