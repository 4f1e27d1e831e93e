"""Six languages published by the worker, against bare WeasyPrint that sets the same HTML one after the other."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from threading import Event

from flask import Flask
from sqlalchemy import func, select

from bench.figures import Figure, Measured, in_ms, median_ratio, time_interleaved
from bench.host import add_person, begin_work
from bench.paper import REPEATED, read_paper
from r2pflow.domain.people import Actor
from r2pflow.domain.text import Block, as_json, digest
from r2pflow.outputs.pdf import render_html
from r2pflow.outputs.render_pool import RenderPool
from r2pflow.persistence import migrate
from r2pflow.persistence.publishing import EditionLanguageRow, EditionRow, PublicationRow
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document
from r2pflow.services.printing import prepare_edition
from r2pflow.services.windows import get_revision_id
from r2pflow.standalone import create_app
from r2pflow.worker import Worker

MOST = 0.65
"""Of the time of bare WeasyPrint, on two cores."""
PROCESSES = 2


def measure(folder: Path, quick: bool = False) -> Measured:
    """Publish edition after edition with warm processes; set their HTML in one warm process in between."""
    rounds = 1 if quick else 5
    app = create_app({"R2PFLOW_INSTANCE": str(folder), "R2PFLOW_WORKER_PROCESSES": PROCESSES})
    paper = read_paper(1 if quick else REPEATED)
    if quick:
        paper = {code: paper[code] for code in ("en", "fr")}
    with app.app_context():
        migrate.upgrade(app.extensions["sqlalchemy"].engine)
        work = begin_work(app)
        writer = add_person(work, "secretary", None, ["secretariat"])
        work.commit()
    pages = [_write_html(app, row) for row in _publish(app, writer, paper)]
    context = multiprocessing.get_context("spawn")
    with RenderPool(PROCESSES) as pool, ProcessPoolExecutor(1, mp_context=context) as alone:
        pool.start()
        work_off = _prepare_worker(app, writer, paper, pool)
        counts = alone.submit(set_bare, pages, True).result()
        work_off()  # what was queued above too; both sides are warm now
        setting = {"warm": counts}
        with_tags = alone.submit(time_tagged, pages).result()
        together, alone_times = time_interleaved(
            rounds, work_off, lambda: setting.update(warm=alone.submit(set_bare, pages).result())
        )
    found = Measured()
    ratio = median_ratio(together, alone_times)
    found.figures.append(Figure("publishing six languages, of bare WeasyPrint", ratio, MOST))
    found.note("pages by language", " ".join(map(str, counts)))
    found.note("worker, from queued to stored", in_ms(together))
    found.note("bare WeasyPrint, one after the other", in_ms(alone_times))
    found.note("bare WeasyPrint, tagged as PDF/UA like ours", in_ms([with_tags]))
    found.note("worker, of that", f"{statistics.median(together) / with_tags:.2f}")
    return found


def _prepare_worker(
    app: Flask, writer: Actor, paper: Mapping[str, Sequence[Block]], pool: RenderPool
) -> Callable[[], None]:
    """Return a function that publishes one more edition and waits until its PDFs are stored."""
    mount = app.extensions["r2pflow"]
    with app.app_context():
        engine = mount.db.engine

    def work_off() -> None:
        _publish(app, writer, paper)
        Worker(mount.settings, mount.catalogue, mount.queue, engine, pool).run(Event(), until_idle=True)
        with app.app_context():
            unset = select(func.count()).select_from(EditionLanguageRow).where(EditionLanguageRow.pdf_path == "")
            if missing := begin_work(app).session.scalar(unset):
                raise RuntimeError(f"{missing} PDFs were not made")

    return work_off


def _publish(app: Flask, writer: Actor, paper: Mapping[str, Sequence[Block]]) -> list[int]:
    """Freeze an edition of a new document and queue its renderings; return the ids of its languages."""
    with app.app_context():
        work = begin_work(app)
        text = tuple(paper["en"])
        fields = {"scope": "normative", "crimes": ["genocide"]}
        subject = get_subject(work, writer, create_document(work, writer, "position_paper", text, fields=fields))
        publication = PublicationRow(document_id=subject.id, symbol=f"BENCH/2027/PP/{subject.id}")
        work.session.add(publication)
        work.session.flush()
        edition = EditionRow(
            publication_id=publication.id,
            number=1,
            revision_id=get_revision_id(work, subject),
            digest=digest(text),
            fields=subject.fields,
            published_at=work.now(),
        )
        work.session.add(edition)
        work.session.flush()
        rows = [
            EditionLanguageRow(
                edition_id=edition.id,
                language=code,
                title=blocks[0].plain,
                blocks=as_json(blocks),
                search_text="",
                added_at=work.now(),
            )
            for code, blocks in paper.items()
        ]
        work.session.add_all(rows)
        work.session.flush()
        ids = [row.id for row in rows]
        for id_ in ids:
            work.enqueue("render", f"render:{id_}", edition_language_id=id_)
        work.commit()
        return ids


def _write_html(app: Flask, edition_language_id: int) -> str:
    with app.app_context():
        return render_html(prepare_edition(begin_work(app), edition_language_id))


def set_bare(pages: Sequence[str], is_counting: bool = False) -> list[int]:
    """Set each HTML by WeasyPrint alone, with the same fonts; return the numbers of pages where asked."""
    from r2pflow.outputs.pdf import font_configuration

    fonts = font_configuration()
    from weasyprint import HTML

    if is_counting:
        return [len(HTML(string=html).render(font_config=fonts).pages) for html in pages]
    for html in pages:
        HTML(string=html).write_pdf(font_config=fonts)
    return []


def time_tagged(pages: Sequence[str]) -> float:
    """Return the seconds of the same with the tags of PDF/UA, which every edition has."""
    from r2pflow.outputs.pdf import font_configuration

    fonts = font_configuration()
    from weasyprint import HTML

    start = time.perf_counter()
    for html in pages:
        HTML(string=html).write_pdf(font_config=fonts, pdf_variant="pdf/ua-1")
    return time.perf_counter() - start
