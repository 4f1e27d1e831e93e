"""PostgreSQL for many short queries: compiling them takes longer than running them."""

from typing import Any

from sqlalchemy import Engine, event


def tune_postgresql(engine: Engine) -> None:
    """Switch just-in-time compilation off on every connection of the engine; other databases are left alone."""
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _set_up)


def _set_up(connection: Any, _record: object) -> None:
    connection.autocommit = True  # else the setting would go with the first transaction that is rolled back
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off")
    connection.autocommit = False
