"""Gather what guards may look at: one query, for however many documents and whatever their guards need."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from r2pflow.domain.definition import DocumentType
from r2pflow.domain.facts import PARTS, BallotFacts, CommentFacts, Facts, LanguageFacts
from r2pflow.persistence.deliberation import BallotRow, CommentRoundRow, CommentRow, TranslationRow
from r2pflow.persistence.documents import DocumentRow, RevisionRow
from r2pflow.persistence.publishing import EditionRow, PublicationRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject


def gather(work: UnitOfWork, subject: Subject, parts: Iterable[str]) -> Facts:
    """Return the facts of one document with the named parts of `domain.facts.PARTS` filled."""
    return gather_many(work, [(subject, parts)])[0]


def gather_many(work: UnitOfWork, asked: Sequence[tuple[Subject, Iterable[str]]]) -> list[Facts]:
    """Return the facts of each subject with its parts filled; one query for all, none where no part is asked for.

    Ballots are those of the first workflow of a chain, whichever of them the subject stands in.
    """
    wanted: dict[str, set[int]] = {}
    parts_of = [(subject, frozenset(parts)) for subject, parts in asked]
    for subject, parts in parts_of:
        for part in parts:
            wanted.setdefault(part, set()).add(subject.id)
    found = _read(work, wanted)
    now = work.now()
    return [
        Facts(
            document_type=subject.type.name,
            state=subject.state_name,
            now=now,
            fields=subject.fields,
            missing_fields=find_missing_fields(subject.type, subject.fields),
            standing=subject.standing,
            text_digest=subject.text_digest,
            text_blocks=_read_number(found, "text", subject.id) if "text" in parts else None,
            comments=_read_comments(found, subject.id) if "comments" in parts else None,
            ballot=_read_ballot(found, subject.id) if "ballot" in parts else None,
            languages=_read_languages(found, subject) if "languages" in parts else None,
            published_editions=_read_number(found, "publication", subject.id) if "publication" in parts else None,
        )
        for subject, parts in parts_of
    ]


def find_missing_fields(document_type: DocumentType, fields: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the required fields that have no value."""
    return tuple(f.name for f in document_type.fields if f.required and fields.get(f.name) in (None, "", [], {}))


def count_comments(work: UnitOfWork, document_id: int) -> CommentFacts:
    """Count the comments of a document, those without a disposition, and say whether a round is open."""
    return _read_comments(_read(work, {"comments": {document_id}}), document_id)


Found = Mapping[tuple[str, int], Sequence[Any]]
"""The rows by the part that they belong to, and the document."""


def _read(work: UnitOfWork, wanted: Mapping[str, Iterable[int]]) -> Found:
    found: dict[tuple[str, int], list[Any]] = defaultdict(list)
    if wanted:
        values = {part: sorted(ids) for part, ids in wanted.items()}
        for row in work.run(_select_parts(frozenset(wanted)), **values):
            found[row.part, row.document_id].append(row)
    return found


def _read_number(found: Found, part: str, document_id: int) -> int:
    return next((row.first for row in found.get((part, document_id), ())), 0)


def _read_comments(found: Found, document_id: int) -> CommentFacts:
    is_open = ("round", document_id) in found
    for row in found.get(("comments", document_id), ()):
        return CommentFacts(row.first, row.second, row.third, is_open)
    return CommentFacts(round_open=is_open)


def _read_ballot(found: Found, document_id: int) -> BallotFacts:
    rows = found.get(("ballot", document_id))
    if not rows:
        return BallotFacts()
    newest = max(rows, key=lambda row: row.first)
    return BallotFacts(newest.first, newest.name, newest.status, bool(newest.second))


def _read_languages(found: Found, subject: Subject) -> LanguageFacts:
    status = dict.fromkeys((*subject.type.required_languages, *subject.type.optional_languages), "missing")
    status.update((row.name, row.status) for row in found.get(("languages", subject.id), ()))
    status[subject.language] = "verified"
    return LanguageFacts(subject.type.required_languages, status)


class _array_length(FunctionElement[int]):  # noqa: N801 - a function of SQL
    """The number of entries of a JSON list."""

    type = Integer()
    inherit_cache = True


@compiles(_array_length)
def _in_sql(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_array_length({compiler.process(element.clauses, **options)})"


@compiles(_array_length, "postgresql")
def _in_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"jsonb_array_length({compiler.process(element.clauses, **options)})"


def has_text() -> ColumnElement[bool]:
    """Ask in SQL of documents whether the newest revision has more than its title."""
    return exists().where(
        RevisionRow.document_id == DocumentRow.id,
        RevisionRow.number == DocumentRow.revision_number,
        _array_length(RevisionRow.blocks) > 1,
    )


@cache
def _select_parts(parts: frozenset[str]) -> CompoundSelect[Any]:
    """Build the one query of some parts; the documents of each are bound by its name."""
    return union_all(*(arm for part in PARTS if part in parts for arm in _ARMS[part]))


def _arm(part: str, document_id: Any, first: Any = None, second: Any = None, third: Any = None, **texts: Any) -> Any:
    """Select the columns that all arms share; what an arm has nothing for is NULL, of the column's type."""
    numbers = {"first": first, "second": second, "third": third}
    return select(
        literal_column(f"'{part}'", String).label("part"),
        document_id.label("document_id"),
        *(_or_null(column, Integer).label(name) for name, column in numbers.items()),
        *(_or_null(texts.get(name), String).label(name) for name in ("name", "status")),
    )


def _or_null(column: Any, kind: Any) -> ColumnElement[Any]:
    return cast(null(), kind) if column is None else column


def _list_arms() -> dict[str, tuple[Select[Any], ...]]:
    ids: dict[str, Any] = {part: bindparam(part, expanding=True) for part in PARTS}
    unanswered = CommentRow.outcome.is_(None)
    in_substance = unanswered & (CommentRow.kind != "editorial")
    document = DocumentRow.__table__.c
    present = (BallotRow.document_id == document.id, BallotRow.state == document.state)
    return {
        "text": (
            _arm("text", document.id, _array_length(RevisionRow.blocks))
            .join_from(
                DocumentRow,
                RevisionRow,
                and_(RevisionRow.document_id == document.id, RevisionRow.number == document.revision_number),
            )
            .where(document.id.in_(ids["text"])),
        ),
        "comments": (
            _arm("comments", CommentRow.document_id, func.count(), _count(unanswered), _count(in_substance))
            .where(CommentRow.document_id.in_(ids["comments"]))
            .group_by(CommentRow.document_id),
            _arm("round", CommentRoundRow.document_id).where(
                CommentRoundRow.document_id.in_(ids["comments"]), CommentRoundRow.closed_at.is_(None)
            ),
        ),
        "ballot": (
            _arm(
                "ballot",
                document.id,
                BallotRow.id,
                case((BallotRow.closed_at.is_(None), 0), else_=1),
                name=BallotRow.name,
                status=BallotRow.outcome,
            )
            .join_from(DocumentRow, BallotRow, and_(*present, BallotRow.opened_at >= document.state_entered_at))
            .where(document.id.in_(ids["ballot"])),
        ),
        "languages": (
            _arm(
                "languages", TranslationRow.document_id, name=TranslationRow.language, status=TranslationRow.status
            ).where(TranslationRow.document_id.in_(ids["languages"])),
        ),
        "publication": (
            _arm("publication", PublicationRow.document_id, func.count())
            .join_from(PublicationRow, EditionRow, EditionRow.publication_id == PublicationRow.id)
            .where(PublicationRow.document_id.in_(ids["publication"]))
            .group_by(PublicationRow.document_id),
        ),
    }


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


_ARMS = _list_arms()
