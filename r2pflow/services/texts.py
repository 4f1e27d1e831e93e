"""Read the text of a document: any revision in its own language, or a translation as it stands."""

from sqlalchemy import select

from r2pflow.domain import text
from r2pflow.domain.text import Block
from r2pflow.persistence.documents import RevisionRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject


def get_blocks(work: UnitOfWork, subject: Subject, number: int | None = None) -> tuple[Block, ...]:
    """Return the text of a revision, the newest by default; empty when the document has no such revision."""
    found = work.session.scalar(
        select(RevisionRow.blocks).where(
            RevisionRow.document_id == subject.id, RevisionRow.number == (number or subject.revision_number)
        )
    )
    return text.from_json(found or [])
