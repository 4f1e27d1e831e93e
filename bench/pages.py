"""The desk and a document's page, for three kinds of reader, with few documents and with many."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import event

from bench.crowd import READERS, Crowd, make_crowd
from bench.figures import Figure, Measured, in_ms

SIZES = (10, 100, 10_000)
MOST_QUERIES = 25
MOST_GROWTH = 1.3
"""Times the p50 of 10,000 documents is that of 100."""
PLACES = ("desk", "document", "documents")
"""The pages measured; the list of documents has no target of its own."""


def measure(folder: Path, quick: bool = False) -> Measured:
    """Count the queries of each page by size, then ask it of two instances in turn."""
    sizes, rounds = ((10, 30, 60), 3) if quick else (SIZES, 60)
    crowds = [make_crowd(folder / str(size), size) for size in sizes]
    found = Measured()
    for place in PLACES:
        for reader in READERS:
            clients = [crowd.sign_in(reader) for crowd in crowds]
            paths = [_path(crowd, place) for crowd in crowds]
            counts = [_count(*one) for one in zip(crowds, clients, paths, strict=True)]
            found.note(f"{place}, {reader}: queries by size", " / ".join(map(str, counts)))
            few, many = _time(clients[1:], paths[1:], rounds)
            found.note(f"{place}, {reader}: p50 with {sizes[1]}", in_ms(few))
            found.note(f"{place}, {reader}: p50 with {sizes[2]}", in_ms(many))
            growth = statistics.median(many) / statistics.median(few)
            if place == "documents":
                found.note(f"{place}, {reader}: growth", f"{growth:.2f}")
                continue
            found.figures.append(Figure(f"{place}, {reader}: queries, at most", max(counts), MOST_QUERIES))
            found.figures.append(Figure(f"{place}, {reader}: queries, most less least", max(counts) - min(counts), 0))
            found.figures.append(Figure(f"{place}, {reader}: p50, {sizes[2]} to {sizes[1]}", growth, MOST_GROWTH))
    return found


def _path(crowd: Crowd, place: str) -> str:
    return f"/documents/{crowd.reference}" if place == "document" else f"/{place}"


def _count(crowd: Crowd, client: FlaskClient, path: str) -> int:
    _ask(client, path)  # the first visit fills caches and notes what was seen
    with collect_queries(crowd) as seen:
        _ask(client, path)
    return len(seen)


def _time(clients: list[FlaskClient], paths: list[str], rounds: int) -> list[list[float]]:
    seconds: list[list[float]] = [[] for _ in clients]
    for _ in range(rounds):
        for place, (client, path) in enumerate(zip(clients, paths, strict=True)):
            start = time.perf_counter()
            _ask(client, path)
            seconds[place].append(time.perf_counter() - start)
    return seconds


def _ask(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status}")


@contextmanager
def collect_queries(crowd: Crowd) -> Iterator[list[str]]:
    """Collect the statements that the instance's database is sent."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    with crowd.app.app_context():
        engine = crowd.app.extensions["sqlalchemy"].engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
