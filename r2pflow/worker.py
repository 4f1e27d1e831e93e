"""Run what is due: timers, notifications, mails, and PDFs in processes side by side.

Everything may be killed at any moment. A job is leased, its result is written in the transaction that finishes it, and
a lease that nobody renews lapses, so that another worker does the job again.
"""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread, current_thread, main_thread
from types import FrameType
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from r2pflow.domain.errors import Conflict, InvalidInput, R2PFlowError
from r2pflow.jobs.embedded import LAST_ATTEMPT
from r2pflow.jobs.port import Job, JobQueue
from r2pflow.outputs import mail
from r2pflow.outputs.render_pool import Failure, RenderPool
from r2pflow.persistence.unit_of_work import UnitOfWork, read_clock
from r2pflow.plugins.catalogue import Catalogue
from r2pflow.services import bulk, notices, printing, publishing, timers
from r2pflow.settings import Settings

logger = logging.getLogger(__name__)

POLL = 0.5  # seconds between two looks when nothing is due
GRACE = 15.0  # seconds that renderings in hand may take once a stop is asked for
LONGEST_PAUSE = 30.0  # seconds between two tries of a database that does not answer
OFTEN = 3  # failures of a timer after which an idle worker does not wait for it
RENDER = "render"


def _notify(work: UnitOfWork, job: Job) -> None:
    notices.notify(work, job.key, **job.payload)


def _send_mail(work: UnitOfWork, job: Job) -> None:
    if "to" in job.payload:  # its words were written already
        mail.send(mail.compose_letter(work.settings, key=job.key, sent_at=work.now(), **job.payload), work.settings)
        return
    notice = notices.prepare_mail(work, job.key, job.payload)
    if notice is not None:
        mail.send(mail.compose(notice, work.settings), work.settings)


def _run_batch(work: UnitOfWork, job: Job) -> None:
    bulk.run_batch(work, int(job.payload["batch_id"]), int(job.payload["part"]))


KINDS: Mapping[str, Callable[[UnitOfWork, Job], None]] = {"notify": _notify, "mail": _send_mail, "batch": _run_batch}
"""What the worker does itself; `render` goes to the processes."""


def run_worker(
    app: Any,
    *,
    once: bool = False,
    until_idle: bool = False,
    processes: int | None = None,
    stop: Event | None = None,
) -> int:
    """Run timers and jobs of an application in which r2pflow is mounted; return how many were done.

    `once` ends after one timer or job, `until_idle` when nothing is due any more, here or with another worker; without
    them it ends when `stop` is set or SIGTERM or SIGINT comes. What is in hand then is finished within GRACE seconds
    or given back. `processes` render side by side: by default as many as the settings say, or one per core.
    """
    mount = app.extensions["r2pflow"]
    with app.app_context():
        engine = mount.db.engine
    stop = stop or Event()
    with RenderPool(processes or mount.settings.worker_processes) as pool, _stopped_by_signals(stop):
        worker = Worker(mount.settings, mount.catalogue, mount.queue, engine, pool)
        if not (once or until_idle):
            pool.start()
        with _in_background(worker.keep_leases, stop):
            worker.run(stop, once=once, until_idle=until_idle)
    return worker.done


class Worker:
    """One worker with its leases; `done` counts what it finished."""

    def __init__(
        self, settings: Settings, catalogue: Catalogue, queue: JobQueue, engine: Engine, pool: RenderPool
    ) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.queue = queue
        self.engine = engine
        self.pool = pool
        self.name = f"{socket.gethostname()[:50]}:{os.getpid()}:{os.urandom(3).hex()}"
        self.done = 0
        self._held: dict[int, Job] = {}
        self._lock = Lock()
        self._running: dict[Future[bytes | Failure], Job] = {}
        self._waiting: Job | None = None  # a rendering that failed before; it goes alone, to break no other's
        self._tries: dict[int, tuple[int, float]] = {}  # timer -> failures, and when to try again

    def run(self, stop: Event, *, once: bool = False, until_idle: bool = False) -> None:
        """Work until told to stop, or idle."""
        pause = POLL
        try:
            while not stop.is_set():
                try:
                    did = self.run_timers(1 if once else 20) or self.take_jobs(1 if once else 50)
                    self.collect(POLL if self._running and not did else 0)
                    if (once and self.done) or not (did or self._running) and (once or until_idle and self.is_idle()):
                        break
                    pause = POLL
                except DBAPIError as error:
                    logger.error("the database does not answer, next try in %.0f s: %s", pause, error.orig)
                    stop.wait(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
                    continue
                if not (did or self._running):
                    stop.wait(POLL)
        finally:
            self.give_back()

    def run_timers(self, limit: int) -> int:
        """Run the timers that are due, each in its own transaction; return how many were done."""
        later = [one for one, (_, not_before) in self._tries.items() if time.monotonic() < not_before]
        with self._begin() as work:
            due = timers.find_due(work, limit, without=later)
        ran = 0
        for timer_id in due:
            failures, _ = self._tries.get(timer_id, (0, 0.0))
            try:
                with self._begin() as work:
                    ran += timers.run_timer(work, timer_id)
                    work.commit()
                self._tries.pop(timer_id, None)
            except DBAPIError:
                raise
            except Exception as error:
                if not isinstance(error, Conflict):
                    logger.exception("the timer %d failed; it stays due", timer_id)
                self._tries[timer_id] = (failures + 1, time.monotonic() + min(2.0**failures, 300))
        self.done += ran
        return ran

    def take_jobs(self, limit: int) -> int:
        """Lease jobs that are due and do them, or hand them to the processes; return how many were taken."""
        taken = 0
        if self._waiting is not None and not self._running:
            waited, self._waiting = self._waiting, None
            self._submit(waited)
        while taken < limit:
            is_full = self._waiting is not None or len(self._running) > self.pool.size or self._is_careful()
            with Session(self.engine) as session:
                job = self.queue.lease(
                    session,
                    self.name,
                    now=read_clock(),
                    seconds=self.settings.job_lease,
                    kinds=tuple(KINDS) if is_full else (),
                )
            if job is None:
                break
            taken += 1
            with self._lock:
                self._held[job.id] = job
            if job.attempts > LAST_ATTEMPT:  # it was never given back: each of its workers died
                self._fail(job, "every worker that took this job died")
            elif job.kind == RENDER and job.attempts > 1 and self._running:
                self._waiting = job
            elif job.kind == RENDER:
                self._submit(job)
            else:
                self._do(job)
        return taken

    def collect(self, seconds: float) -> int:
        """Wait so long for a rendering to end, and keep those that did; return how many."""
        if not self._running:
            return 0
        ended = wait(self._running, seconds, FIRST_COMPLETED).done
        for future in ended:
            self._keep(future, self._running.pop(future))
        return len(ended)

    def is_idle(self) -> bool:
        """Tell whether nothing is due, not even with another worker; a timer that failed often is not waited for."""
        stuck = [one for one, (failures, _) in self._tries.items() if failures >= OFTEN]
        with self._begin() as work:
            return not (self.queue.count_due(work.session, now=work.now()) or timers.find_due(work, 1, without=stuck))

    def keep_leases(self, stop: Event) -> None:
        """Renew what is in hand, again and again; for a thread of its own."""
        while not stop.wait(max(0.2, self.settings.job_lease / 3)):
            with self._lock:
                held = list(self._held.values())
            if held:
                try:
                    with Session(self.engine) as session:
                        self.queue.renew(session, held, self.name, now=read_clock(), seconds=self.settings.job_lease)
                except DBAPIError as error:
                    logger.warning("leases could not be renewed: %s", error.orig)

    def give_back(self) -> None:
        """Finish the renderings that take a short while yet, and give back all other jobs in hand."""
        until = time.monotonic() + GRACE
        with suppress(DBAPIError):  # then the leases lapse by themselves
            while self._running and time.monotonic() < until:
                self.collect(POLL)
            with self._lock:
                held = list(self._held.values())
                self._held.clear()
            if held:
                with Session(self.engine) as session:
                    self.queue.release(session, held, self.name, now=read_clock())

    @contextmanager
    def _begin(self) -> Iterator[UnitOfWork]:
        with Session(self.engine) as session:
            yield UnitOfWork(session, self.catalogue, self.settings, self.queue)

    def _is_careful(self) -> bool:
        return any(job.attempts > 1 for job in self._running.values())

    def _do(self, job: Job) -> None:
        function = KINDS.get(job.kind)
        try:
            with self._begin() as work:
                if function is None:
                    raise InvalidInput("unknown_job", value=job.kind, accepted=[*KINDS, RENDER])
                function(work, job)
                self._finish(work, job)
        except Exception as error:
            self._fail(job, _describe(error))

    def _submit(self, job: Job) -> None:
        try:
            with self._begin() as work:
                printable = printing.prepare_edition(work, int(job.payload["edition_language_id"]))
            known = self.catalogue.registry.pdf_templates.get(printable.template)
            future = self.pool.submit(printable, known.path if known else None)
        except Exception as error:
            self._fail(job, _describe(error))
        else:
            self._running[future] = job

    def _keep(self, future: "Future[bytes | Failure]", job: Job) -> None:
        try:
            result = future.result()
            if isinstance(result, Failure):
                self._fail(job, result.told)
                return
            with self._begin() as work:
                path = publishing.store_pdf(work, int(job.payload["edition_language_id"]), result)
                self._finish(work, job)
            logger.info("rendered %s", path)
        except Exception as error:
            self._fail(job, _describe(error))

    def _finish(self, work: UnitOfWork, job: Job) -> None:
        self.queue.finish(work.session, job, now=work.now())
        work.commit()
        self.done += 1
        self._let_go(job)

    def _fail(self, job: Job, told: str) -> None:
        logger.error("the job %s failed at attempt %d: %s", job.key, job.attempts, told)
        self._let_go(job)
        with Session(self.engine) as session:
            self.queue.fail(session, job, told, now=read_clock())

    def _let_go(self, job: Job) -> None:
        with self._lock:
            self._held.pop(job.id, None)


def _describe(error: Exception) -> str:
    return str(error) if isinstance(error, R2PFlowError) else f"{type(error).__name__}: {error}"


@contextmanager
def _in_background(work: Callable[[Event], None], stop: Event) -> Iterator[None]:
    ended = Event()

    def run() -> None:
        work(ended)

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=5)


@contextmanager
def _stopped_by_signals(stop: Event) -> Iterator[None]:
    if current_thread() is not main_thread():
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
