"""Create documents and write their text: revisions, merges, fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from r2pflow.domain import changes, text
from r2pflow.domain.changes import Anchor
from r2pflow.domain.changes import Conflict as BlockConflict
from r2pflow.domain.errors import Forbidden, InvalidInput
from r2pflow.domain.people import Actor
from r2pflow.domain.text import Block
from r2pflow.persistence.deliberation import CommentRow
from r2pflow.persistence.documents import DocumentRow, LocalRoleRow, RevisionRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import translating, windows
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.chains import start_tracks
from r2pflow.services.definitions import place_under, store_definition
from r2pflow.services.history import record
from r2pflow.services.meanwhile import moved_on
from r2pflow.services.numbering import next_number
from r2pflow.services.placing import find_chain, find_grants, hold_dossier, list_line
from r2pflow.services.texts import get_blocks
from r2pflow.services.transitions import fire_automatic

CREATORS = frozenset({"secretariat", "manager"})
"""Who may start a document; others are given the role `author` or `editor` on it by sharing."""


@dataclass(frozen=True)
class Saved:
    """What became of a save: the new revision's number, whether others' edits were merged in, and open conflicts."""

    number: int
    merged: bool = False
    conflicts: tuple[BlockConflict, ...] = ()
    blocks: tuple[Block, ...] = ()


def create_document(
    work: UnitOfWork,
    actor: Actor,
    type_name: str,
    blocks: Sequence[Block],
    *,
    language: str | None = None,
    dossier: str | None = None,
    fields: Mapping[str, Any] | None = None,
    origin: str = "edit",
    moves_on: bool = True,
) -> str:
    """Create a document with its first revision, in the initial state of its workflow; return its reference.

    With `moves_on`, automatic transitions whose conditions hold already fire at once. Raises Forbidden without a role
    of CREATORS, InvalidInput for an unknown type, language, dossier or empty text.
    """
    if not actor.is_system and not actor.roles & CREATORS:
        raise Forbidden("may_not_create")
    if type_name not in work.catalogue.types:
        raise InvalidInput(
            "unknown_document_type", field="type", value=type_name, accepted=sorted(work.catalogue.types)
        )
    document_type = work.document_type(type_name)
    language = language or document_type.authoritative
    if language not in (*document_type.required_languages, *document_type.optional_languages):
        raise InvalidInput("unknown_language", field="language", value=language)
    if not blocks:
        raise InvalidInput("empty_text", field="text")
    place = hold_dossier(work, dossier) if dossier else None
    if dossier and place is None:
        raise InvalidInput("unknown_dossier", field="dossier", value=dossier)
    line = list_line(work, place)
    workflow, *further = (place_under(one, find_grants(one, line)) for one in find_chain(work, document_type, place))
    now = work.now()
    row = DocumentRow(
        reference=f"{document_type.code}-{next_number(work, 'reference:' + document_type.code)}",
        type=type_name,
        title=text.title_of(blocks),
        language=language,
        dossier_id=place.id if place else None,
        dossier_path=place.path if place else "",
        definition_id=store_definition(work, workflow),
        state=workflow.initial,
        state_entered_at=now,
        fields=dict(fields or {}),
        track_count=len(further),
        author_id=actor.person_id,
        created_at=now,
        changed_at=now,
    )
    work.session.add(row)
    work.session.flush()
    start_tracks(work, row.id, further)
    if actor.person_id is not None:
        work.session.add(
            LocalRoleRow(
                document_id=row.id,
                person_id=actor.person_id,
                role="author",
                granted_by_id=actor.person_id,
                created_at=now,
            )
        )
        work.session.flush()
    subject = get_subject(work, actor, row.id)
    _write_revision(work, subject, tuple(blocks), summary="", origin=origin)
    record(work, row.id, actor, "created", digest=text.digest(blocks), origin=origin)
    for lane in get_subject(work, actor, row.id).lanes:
        windows.enter_state(work, lane)
    if moves_on:
        fire_automatic(work, row.id)
    return row.reference


def save_text(
    work: UnitOfWork,
    actor: Actor,
    reference: str | int,
    blocks: Sequence[Block],
    *,
    based_on: int,
    summary: str = "",
    origin: str = "edit",
) -> Saved:
    """Write a revision. `based_on` is the revision's number that the writer started from.

    Edits of other blocks made meanwhile are merged in. Where the same block was changed by both, nothing is written and
    the conflicts come back with all three texts. An unchanged text writes nothing. Raises Forbidden where the text is
    frozen or the actor may not edit, InvalidInput for an unknown base or an empty text.
    """
    subject = get_subject(work, actor, reference, "edit")
    if subject.state.text != "open":
        raise Forbidden("text_frozen", reference=subject.reference, state=subject.state_name)
    if not blocks:
        raise InvalidInput("empty_text", field="text")
    if not 0 < based_on <= subject.revision_number:
        raise InvalidInput("unknown_revision", field="based_on", value=based_on)
    current = get_blocks(work, subject)
    mine = tuple(blocks)
    merged = False
    if based_on != subject.revision_number:
        result = changes.merge(get_blocks(work, subject, based_on), mine, current)
        if result.conflicts:
            return Saved(subject.revision_number, True, tuple(result.conflicts), tuple(result.blocks))
        mine, merged = tuple(result.blocks), True
    if text.digest(mine) == subject.text_digest:
        return Saved(subject.revision_number, merged, (), mine)
    number = _write_revision(work, subject, mine, summary=summary, origin="merge" if merged else origin)
    record(
        work,
        subject.id,
        actor,
        "text",
        digest=text.digest(mine),
        revision=number,
        summary=summary,
        origin=origin,
    )
    _carry_comments(work, subject, current, mine)
    translating.refresh_status(work, subject.id, mine)
    fire_automatic(work, subject.id)
    return Saved(number, merged, (), mine)


def save_fields(
    work: UnitOfWork,
    actor: Actor,
    reference: str | int,
    fields: Mapping[str, Any],
    *,
    expected_change: int | None = None,
) -> None:
    """Replace the structured fields (already checked against the type by the form).

    Raises Forbidden where the document may not be edited or is frozen, Conflict when it changed since it was read.
    """
    subject = get_subject(work, actor, reference, "edit")
    if subject.state.text != "open":
        raise Forbidden("text_frozen", reference=subject.reference, state=subject.state_name)
    if expected_change is not None and expected_change != subject.change_number:
        raise moved_on(work, actor, subject.id, expected_change)
    unknown = sorted(set(fields) - {f.name for f in subject.type.fields})
    if unknown:
        raise InvalidInput("unknown_field", field=unknown[0], value=unknown)
    changed = sorted(name for name in fields if fields[name] != subject.fields.get(name))
    if not changed:
        return
    _touch(work, subject, fields={**subject.fields, **fields})
    record(work, subject.id, actor, "fields", fields=changed)
    fire_automatic(work, subject.id)


def _write_revision(work: UnitOfWork, subject: Subject, blocks: tuple[Block, ...], *, summary: str, origin: str) -> int:
    digest = text.digest(blocks)
    number = subject.revision_number + 1
    _touch(work, subject, title=text.title_of(blocks)[:500], text_digest=digest, revision_number=number)
    work.session.execute(
        insert(RevisionRow).values(
            document_id=subject.id,
            number=number,
            blocks=text.as_json(blocks),
            digest=digest,
            parent_number=subject.revision_number or None,
            summary=summary[:500],
            origin=origin,
            author_id=subject.actor.person_id,
            created_at=work.now(),
        )
    )
    return number


def _touch(work: UnitOfWork, subject: Subject, **values: Any) -> None:
    written = work.write(
        update(DocumentRow)
        .where(DocumentRow.id == subject.id, DocumentRow.change_number == subject.change_number)
        .values(changed_at=work.now(), change_number=subject.change_number + 1, **values)
    )
    if written != 1:
        raise moved_on(work, subject.actor, subject.id, subject.change_number)


def _carry_comments(work: UnitOfWork, subject: Subject, old: Sequence[Block], new: Sequence[Block]) -> None:
    rows = work.session.scalars(
        select(CommentRow).where(CommentRow.document_id == subject.id, CommentRow.block_id != "")
    )
    for row in rows:
        anchor = Anchor(row.current_block_id or row.block_id, row.exact, row.prefix, row.suffix)
        carried, health = changes.carry(anchor, old, new)
        row.current_block_id, row.health = carried.block_id, health
    work.session.flush()
