"""One use case, one transaction: the session, the catalogue, the clock, and what is announced after the commit."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import CursorResult, Delete, Executable, Update
from sqlalchemy.orm import Session

from r2pflow.domain.definition import DocumentType, Workflow
from r2pflow.plugins.catalogue import Catalogue
from r2pflow.settings import Settings


class Enqueue(Protocol):
    """The part of a job queue that services use."""

    def enqueue(
        self,
        session: Session,
        kind: str,
        key: str,
        payload: Mapping[str, Any],
        *,
        now: datetime,
        due_at: datetime | None = None,
    ) -> None: ...


def read_clock() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


class UnitOfWork:
    """What a service works with. The edge opens it and commits once; services never commit."""

    def __init__(
        self,
        session: Session,
        catalogue: Catalogue,
        settings: Settings,
        queue: Enqueue,
        clock: Callable[[], datetime] = read_clock,
    ) -> None:
        self.session = session
        self.catalogue = catalogue
        self.settings = settings
        self.queue = queue
        self.clock = clock
        self._announcements: list[Callable[[], object]] = []

    def now(self) -> datetime:
        """Return the instant of this use case (UTC)."""
        return self.clock()

    def enqueue(self, kind: str, key: str, due_at: datetime | None = None, **payload: Any) -> None:
        """Queue a job in this transaction; a key that is there already is left alone."""
        self.queue.enqueue(self.session, kind, key, payload, now=self.now(), due_at=due_at)

    def write(self, statement: Update | Delete) -> int:
        """Execute a change and return how many rows it met: 0 tells a writer that somebody was there before."""
        result = self.session.execute(statement)
        assert isinstance(result, CursorResult)
        return result.rowcount

    def run(self, statement: Executable, **values: Any) -> CursorResult[Any]:
        """Execute a Core statement in the transaction, without what the session does for each of its own.

        For prepared statements of hot paths: rows that the session has loaded do not see what is changed.
        """
        self.session.flush()
        return self.session.connection().execute(statement, values)

    def announce(self, announcement: Callable[[], object]) -> None:
        """Keep something to tell listeners of signals once the transaction is safe."""
        self._announcements.append(announcement)

    def commit(self) -> None:
        """Commit, then announce. What a listener raises does not undo what is committed."""
        self.session.commit()
        announcements, self._announcements = self._announcements, []
        for announcement in announcements:
            announcement()

    def rollback(self) -> None:
        """Forget all that was not committed."""
        self._announcements.clear()
        self.session.rollback()

    def document_type(self, name: str) -> DocumentType:
        """Return the document type; KeyError when the catalogue lacks it."""
        return self.catalogue.types[name]

    def newest_workflow(self, name: str) -> Workflow:
        """Return the workflow as its file reads today; KeyError when there is none."""
        return self.catalogue.workflows[name]
