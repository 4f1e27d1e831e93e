"""SQLite as a server's database: waits for other writers, keeps what it committed, checks foreign keys."""

from typing import Any

from sqlalchemy import Engine, event

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000")


def tune_sqlite(engine: Engine) -> None:
    """Set the pragmas on every connection of the engine; other databases are left alone."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in reversed(PRAGMAS):  # the waiting time first: changing the journal may have to wait
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
