"""Running numbers: each given once, in order, also with several writers."""

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from r2pflow.persistence.documents import CounterRow
from r2pflow.persistence.unit_of_work import UnitOfWork


def next_number(work: UnitOfWork, name: str) -> int:
    """Return the next number of the named counter, from 1; the row stays locked until the transaction ends."""
    session = work.session
    raise_by_one = update(CounterRow).where(CounterRow.name == name).values(value=CounterRow.value + 1)
    if work.write(raise_by_one) == 0:
        try:
            with session.begin_nested():
                session.execute(insert(CounterRow).values(name=name, value=1))
            return 1
        except IntegrityError:
            session.execute(raise_by_one)
    return session.scalars(select(CounterRow.value).where(CounterRow.name == name)).one()
