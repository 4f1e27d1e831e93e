"""One transition through `services/transitions.fire`, against a bare Flask-SQLAlchemy transaction."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from bench.figures import Figure, Measured, in_ms, median_ratio, time_interleaved
from bench.host import add_person, begin_work, make_host
from r2pflow.domain.text import canonical
from r2pflow.persistence.sqlite import tune_sqlite
from r2pflow.services.drafting import create_document
from r2pflow.services.transitions import fire

TARGET = 1.0
"""Of the rate of the bare transaction."""
WALK = ("submit", "publish", "reject")


def measure(folder: Path, quick: bool = False) -> Measured:
    """Fire submit, publish and reject on document after document; as often, load a row, update it and insert one."""
    documents, rounds = (3, 2) if quick else (1000, 3)
    walk_documents = prepare_fire(folder, documents)
    walk_rows = prepare_bare(folder, documents)
    for run in (walk_documents, walk_rows):
        run()  # statements compiled, pages cached
    ours, bare = time_interleaved(rounds, walk_documents, walk_rows)
    steps = documents * len(WALK)
    rate = median_ratio(bare, ours)
    found = Measured([Figure("transition: rate, of a bare transaction's", rate, TARGET, at_least=True)])
    found.note("one transition, committed", in_ms([one / steps for one in ours]))
    found.note("one bare transaction, committed", in_ms([one / steps for one in bare]))
    return found


def prepare_fire(folder: Path, documents: int) -> Callable[[], None]:
    """Return a function that carries that many documents through the walk, each step in its own context and commit."""
    app = make_host(folder / "fire")
    with app.app_context():
        work = begin_work(app)
        actor = add_person(work, "secretary", None, ["secretariat"])
        text = canonical("<h1>Note</h1><p>One sentence.</p>")
        references = [create_document(work, actor, "bench_note", text) for _ in range(documents)]
        work.commit()

    def walk() -> None:
        for reference in references:
            for name in WALK:
                with app.app_context():
                    work = begin_work(app)
                    fire(work, actor, reference, name)
                    work.commit()

    return walk


def prepare_bare(folder: Path, rows: int) -> Callable[[], None]:
    """Return the same number of transactions of an application that has a session and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    app = Flask("bare")
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{folder / 'bare.sqlite'}"
    db = SQLAlchemy(app)

    class Paper(db.Model):  # type: ignore[name-defined]
        id: Mapped[int] = mapped_column(primary_key=True)
        reference: Mapped[str] = mapped_column(unique=True)
        title: Mapped[str]
        state: Mapped[str]
        changed_at: Mapped[datetime]

    class Entry(db.Model):  # type: ignore[name-defined]
        id: Mapped[int] = mapped_column(primary_key=True)
        paper_id: Mapped[int] = mapped_column(db.ForeignKey(Paper.id), index=True)
        happened_at: Mapped[datetime]
        transition: Mapped[str]

    with app.app_context():
        tune_sqlite(db.engine)
        db.create_all()
        references = [f"P-{number}" for number in range(rows)]
        db.session.add_all(
            Paper(reference=reference, title="Note", state="private", changed_at=datetime.now(UTC))
            for reference in references
        )
        db.session.commit()

    def walk() -> None:
        for reference in references:
            for name in WALK:
                with app.app_context():
                    paper = db.session.execute(select(Paper).where(Paper.reference == reference)).scalar_one()
                    paper.state = name
                    paper.changed_at = datetime.now(UTC)
                    db.session.add(Entry(paper_id=paper.id, happened_at=datetime.now(UTC), transition=name))
                    db.session.commit()

    return walk
