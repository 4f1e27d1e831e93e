"""What a person may do with each of 50 listed documents, against loading the rows of these 50."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from bench.crowd import READERS, Crowd, make_crowd
from bench.figures import Figure, Measured, in_ms, median_ratio, time_interleaved
from bench.host import begin_work
from bench.pages import collect_queries
from r2pflow.persistence.documents import DocumentRow
from r2pflow.services.offers import find_offers_for
from r2pflow.services.people import load_actor
from r2pflow.services.queries import LISTED

LISTED_DOCUMENTS = 50
MOST_QUERIES = 3
MOST_TIMES = 3.0


def measure(folder: Path, quick: bool = False) -> Measured:
    """Ask for the documents of all types in all their states, as each kind of reader."""
    rounds, repeats = (2, 2) if quick else (40, 20)
    crowd = make_crowd(folder / "crowd", 100)
    ids = list(range(1, LISTED_DOCUMENTS + 1))
    found = Measured()
    for reader in READERS:
        load, ask = prepare_load(crowd, ids, repeats), prepare_ask(crowd, reader, ids, repeats)
        load(), ask()  # statements compiled, pages cached
        once = prepare_ask(crowd, reader, ids, 1)
        with collect_queries(crowd) as seen:
            once()
        loading, asking = time_interleaved(rounds, load, ask)
        found.figures.append(Figure(f"offers, {reader}: queries for 50 documents", len(seen), MOST_QUERIES))
        ratio = median_ratio(asking, loading)
        found.figures.append(Figure(f"offers, {reader}: times loading their rows", ratio, MOST_TIMES))
        found.note(f"{reader}: loading 50 rows", in_ms([one / repeats for one in loading]))
        found.note(f"{reader}: what may be done with them", in_ms([one / repeats for one in asking]))
    return found


def prepare_load(crowd: Crowd, ids: list[int], repeats: int) -> Callable[[], None]:
    """Return a function that loads the rows as the list of documents does, in a new session each time."""

    def load() -> None:
        for _ in range(repeats):
            with crowd.app.app_context():
                query = select(DocumentRow).where(DocumentRow.id.in_(ids)).options(*LISTED)
                assert len(begin_work(crowd.app).session.scalars(query).all()) == len(ids)

    return load


def prepare_ask(crowd: Crowd, reader: str, ids: list[int], repeats: int) -> Callable[[], None]:
    """Return a function that asks what the reader may do with the documents, in a new session each time."""
    with crowd.app.app_context():
        actor = load_actor(begin_work(crowd.app), crowd.readers[reader])
    assert actor is not None

    def ask() -> None:
        for _ in range(repeats):
            with crowd.app.app_context():
                assert find_offers_for(begin_work(crowd.app), actor, ids)

    return ask
