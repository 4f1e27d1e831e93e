"""One use case, one transaction: the session, the catalogue, the clock, and what is announced after the commit."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from random import random
from time import sleep
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, CursorResult, Delete, Executable, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, SessionTransaction

from r2pflow.domain.definition import DocumentType
from r2pflow.domain.errors import SetupError
from r2pflow.plugins.catalogue import Catalogue
from r2pflow.settings import Settings

T = TypeVar("T")

PAUSES = (0.02, 0.1, 0.3)  # seconds before another try, where two writers were in each other's way


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
        self._transaction: SessionTransaction | None = None  # the one that `_connection` is of
        self._connection: Connection

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
        session = self.session
        session.flush()
        transaction = session.get_nested_transaction() or session.get_transaction()
        if transaction is None or transaction is not self._transaction:
            self._connection = session.connection()  # it sets the savepoint of a nested one, too
            self._transaction = session.get_nested_transaction() or session.get_transaction()
        return self._connection.execute(statement, values)

    def announce(self, announcement: Callable[[], object]) -> None:
        """Keep something to tell listeners of signals once the transaction is safe."""
        self._announcements.append(announcement)

    @contextmanager
    def undone_on_error(self) -> Iterator[None]:
        """Undo what is written and kept to be announced inside, and nothing else, when it raises."""
        connection = self.session.connection()
        if connection.dialect.name == "sqlite" and not _is_begun(connection):
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # sqlite3 begins before a change, not before a savepoint
        kept = len(self._announcements)
        try:
            with self.session.begin_nested():
                yield
        except BaseException:
            del self._announcements[kept:]
            raise

    def complete(self, use_case: Callable[[], T]) -> T:
        """Carry out a use case and commit it; where another writer was in the way, undo it and try again.

        It must be alone in its transaction. What it raises is not undone here, but for what passes by itself.
        """
        for pause in PAUSES:
            try:
                result = use_case()
                self.session.commit()
                break
            except DBAPIError as error:
                self.rollback()
                if not is_passing(error):
                    raise
            sleep(pause * (0.5 + random()))
        else:
            result = use_case()
            self.session.commit()
        self._announce()
        return result

    def commit(self) -> None:
        """Commit, then announce. What a listener raises does not undo what is committed."""
        self.session.commit()
        self._announce()

    def _announce(self) -> None:
        announcements, self._announcements = self._announcements, []
        for announcement in announcements:
            announcement()

    def rollback(self) -> None:
        """Forget all that was not committed."""
        self._announcements.clear()
        self.session.rollback()

    def document_type(self, name: str) -> DocumentType:
        """Return the document type; refuse with SetupError when no file defines it any more."""
        found = self.catalogue.types.get(name)
        if found is None:
            remedy = "put it back into a documents.yaml"
            raise SetupError("document_type_missing", type=name, accepted=sorted(self.catalogue.types), remedy=remedy)
        return found


def _is_begun(connection: Connection) -> bool:
    return bool(getattr(connection.connection.driver_connection, "in_transaction", True))


_SQLITE_BUSY, _SQLITE_LOCKED = 5, 6
_PASSING = frozenset({"40001", "40P01", "55P03"})  # serialisation failure, deadlock, lock not available


def is_passing(error: DBAPIError) -> bool:
    """Tell whether another writer was in the way, so that the same succeeds when it is tried again."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in (_SQLITE_BUSY, _SQLITE_LOCKED)
    return getattr(error.orig, "sqlstate", None) in _PASSING
