"""What an operator should know of an installation: each check says how it stands, and what to do."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from ctypes import CDLL
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from r2pflow.accounts import migrate as accounts_migrate
from r2pflow.accounts.edge import KEY as ACCOUNTS
from r2pflow.domain.errors import DefinitionErrors, R2PFlowError, SetupError
from r2pflow.folders import ROOT_FOLDERS, get_assets, get_folder
from r2pflow.jobs.embedded import EmbeddedQueue
from r2pflow.outputs import assets, layout, mail
from r2pflow.outputs.sentences import sentence
from r2pflow.outputs.translations import translator
from r2pflow.persistence import migrate
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import definitions, timers
from r2pflow.settings import Settings

OK, WARN, FAIL = "ok", "warn", "fail"
OVERDUE = timedelta(minutes=10)
LIBRARIES = {  # library: Debian's package, whether PDFs need it
    "libpango-1.0.so.0": ("libpango-1.0-0", True),
    "libpangoft2-1.0.so.0": ("libpangoft2-1.0-0", True),
    "libharfbuzz.so.0": ("libharfbuzz0b", True),
    "libharfbuzz-subset.so.0": ("libharfbuzz-subset0", False),
}


@dataclass(frozen=True)
class Finding:
    """How one thing stands; `remedy` is what to do about it."""

    status: str
    what: str
    told: str
    remedy: str = ""


def examine(load: Callable[[], Any]) -> Iterator[Finding]:
    """Yield a finding per check; `load` returns the application. Nothing that is wrong stops the checks after it."""
    yield _check_python()
    yield from _check_libraries()
    yield from _check_files()
    yield _check_pandoc()
    yield _check_graphviz()
    try:
        app = load()
    except DefinitionErrors as error:
        yield Finding(FAIL, "workflows", str(error), "r2pflow workflow check FILE says it again, file by file")
        return
    except R2PFlowError as error:
        yield Finding(FAIL, "settings", _tell(error), str(error.params.get("remedy", "")))
        return
    mount = app.extensions["r2pflow"]
    yield Finding(OK, "workflows", ", ".join(sorted(mount.catalogue.workflows)))
    yield _check_instance(mount.settings)
    yield from _check_secrets(app, mount.settings)
    yield from _check_address(mount.settings)
    yield _check_mail(mount.settings)
    with app.app_context():
        engine: Engine = mount.db.engine
    try:
        found = _check_database(app, engine)
        yield found
        if found.status == OK:
            with Session(engine) as session:
                yield from _check_definitions(UnitOfWork(session, mount.catalogue, mount.settings, mount.queue))
                yield from _check_work(UnitOfWork(session, mount.catalogue, mount.settings, mount.queue))
    except DBAPIError as error:
        told = " ".join(str(error.orig).split())[:300]
        yield Finding(FAIL, "database", told, "see R2PFLOW_DATABASE_URL; make its tables by `r2pflow db upgrade`")


def _tell(error: R2PFlowError) -> str:
    return sentence(error, translator("en"))


def _check_python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] < (3, 14):
        return Finding(OK, "Python", version)
    return Finding(FAIL, "Python", version, "install Python 3.11, 3.12 or 3.13")


def _check_libraries() -> Iterator[Finding]:
    missing = {name: (package, needed) for name, (package, needed) in LIBRARIES.items() if not _has_library(name)}
    needed = [package for package, is_needed in missing.values() if is_needed]
    if needed:
        yield Finding(FAIL, "libraries", "PDFs cannot be set", f"apt-get install {' '.join(needed)}")
    else:
        yield Finding(OK, "libraries", "Pango and HarfBuzz are there")
    if "libharfbuzz-subset.so.0" in missing:
        told = "libharfbuzz-subset is missing: PDFs take several times as long"
        yield Finding(WARN, "fonts", told, "apt-get install libharfbuzz-subset0")


def _has_library(name: str) -> bool:
    try:
        CDLL(name)
    except OSError:
        return sys.platform != "linux"  # elsewhere it is called differently, and WeasyPrint finds it or says so
    return True


def _check_files() -> Iterator[Finding]:
    try:
        for name in ROOT_FOLDERS:
            get_folder(name)
    except FileNotFoundError as error:
        yield Finding(FAIL, "files", str(error), "install r2pflow again")
    try:
        assets.get_fonts()
    except SetupError as error:
        yield Finding(FAIL, "fonts", _tell(error), "make setup")
    else:
        yield Finding(OK, "fonts", "there")
    if not (get_assets() / "vendor" / "editor.js").exists():
        yield Finding(FAIL, "browser files", "the editor is not built", "make setup")


def _check_pandoc() -> Finding:
    remedy = "pip install pypandoc_binary"
    if find_spec("pypandoc") is None:
        return Finding(WARN, "pandoc", "missing: Word files can be neither read nor written", remedy)
    import pypandoc  # slow, and only asked here

    try:
        path = pypandoc.get_pandoc_path()
        first = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20).stdout.splitlines()[0]
    except (OSError, IndexError, subprocess.SubprocessError) as error:
        return Finding(WARN, "pandoc", f"does not run: {error}", remedy)
    return Finding(OK, "pandoc", first)


def _check_graphviz() -> Finding:
    if not layout.has_graphviz():
        return Finding(WARN, "graphviz", "missing: workflows are shown as tables, not as pictures", layout.REMEDY)
    try:
        layout.lay_out([layout.Box(40, 20)], [])
    except SetupError as error:
        return Finding(WARN, "graphviz", _tell(error), layout.REMEDY)
    return Finding(OK, "graphviz", "draws")


def _check_instance(settings: Settings) -> Finding:
    folder = settings.instance.resolve()
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(FAIL, "instance folder", f"{folder}: {error.strerror}", "change its owner, or R2PFLOW_INSTANCE")
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize if hasattr(os, "statvfs") else 1 << 40
    if free < 200 * 1024 * 1024:
        told = f"{folder}: {free // 1024 // 1024} MB are left"
        return Finding(WARN, "instance folder", told, "make room: PDFs and the database grow")
    return Finding(OK, "instance folder", str(folder))


def _check_secrets(app: Any, settings: Settings) -> Iterator[Finding]:
    key = str(app.config.get("SECRET_KEY") or "")
    if len(key) < 16:
        yield Finding(FAIL, "secret key", "missing or short", "set R2PFLOW_SECRET_KEY to 32 random characters or more")
    else:
        yield Finding(OK, "secret key", "there")
    path = settings.instance / "secret_key"
    if path.exists() and path.stat().st_mode & 0o077:
        yield Finding(WARN, "secret key", f"{path} can be read by others", f"chmod 600 {path}")
    if app.config.get("R2PFLOW_DEMO"):
        told = "links of the demonstration sign anybody in"
        yield Finding(WARN, "demonstration", told, "serve without --demo where people are real")


def _check_address(settings: Settings) -> Iterator[Finding]:
    parts = urlsplit(settings.base_url)
    is_local = parts.hostname in ("127.0.0.1", "localhost", "::1", None)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        yield Finding(FAIL, "address", settings.base_url, "set R2PFLOW_BASE_URL, e.g. https://r2pflow.example.org")
    elif is_local:
        told = f"{settings.base_url}: links in mails and PDFs work on this machine only"
        yield Finding(WARN, "address", told, "set R2PFLOW_BASE_URL to the address that people use")
    elif parts.scheme == "http":
        yield Finding(WARN, "address", f"{settings.base_url} is not encrypted", "serve by https")
    else:
        yield Finding(OK, "address", settings.base_url)
    if parts.scheme == "https" and not settings.secure_cookies:
        told = "cookies may travel unencrypted"
        yield Finding(WARN, "cookies", told, "set R2PFLOW_SECURE_COOKIES=true")


def _check_mail(settings: Settings) -> Finding:
    if not settings.mail_server:
        told = f"every mail becomes a file in {settings.outbox_folder}"
        return Finding(WARN, "mail", told, "set R2PFLOW_MAIL_SERVER to send mails")
    try:
        mail.check_server(settings)
    except SetupError as error:
        return Finding(FAIL, "mail", _tell(error), "see R2PFLOW_MAIL_SERVER, _USERNAME, _PASSWORD and _USE_TLS")
    if settings.mail_sender.endswith("@localhost>"):
        told = f"mails come from {settings.mail_sender}"
        return Finding(WARN, "mail", told, "set R2PFLOW_MAIL_SENDER to an address of yours")
    return Finding(OK, "mail", settings.mail_server)


def _check_database(app: Any, engine: Engine) -> Finding:
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    shown = engine.url.render_as_string(hide_password=True)
    versions = [migrate.find_versions(engine)]
    if ACCOUNTS in app.extensions:
        versions.append(accounts_migrate.find_versions(engine))
    if all(have == wanted for have, wanted in versions):
        return Finding(OK, "database", f"{shown}, version {versions[0][0]}")
    if not versions[0][0]:
        return Finding(FAIL, "database", f"{shown} has no tables", "r2pflow db upgrade")
    told = f"{shown} is of version {versions[0][0]}, this program of version {versions[0][1]}"
    return Finding(FAIL, "database", told, "back up, then r2pflow db upgrade")


def _check_definitions(work: UnitOfWork) -> Iterator[Finding]:
    """Say which documents stand in a version that no file is any more, or that cannot be run, or are of no type."""
    for name in sorted(work.catalogue.kept):
        told = f"a document type names {name}, which no file defines: the stored version is taken"
        yield Finding(WARN, "workflows", told, "put its file back, or name another workflow in documents.yaml")
    older = 0
    for use in definitions.list_uses(work):
        which = f"{use.count} documents stand in {use.workflow} version {use.version}"
        if use.found:
            told = f"{which}, which cannot be run: {use.found}"
            yield Finding(FAIL, "workflows", told, f"install the plugin, or r2pflow workflow migrate {use.workflow}")
        elif not use.has_file:
            remedy = f"put its file back, or r2pflow workflow migrate {use.workflow} --to ANOTHER"
            yield Finding(WARN, "workflows", f"{which}, which no file defines: they keep it as stored", remedy)
        elif use.digest != work.catalogue.workflows[use.workflow].digest:
            older += use.count
    if older:
        told = f"{older} documents keep an older version of their workflow"
        yield Finding(OK, "versions", told, "r2pflow workflow migrate WORKFLOW shows what would move them")
    for name, number in definitions.list_missing_types(work).items():
        told = f"{number} documents are of the type {name}, which no file defines: their pages are closed"
        yield Finding(FAIL, "types", told, "put the type back into a documents.yaml")


def _check_work(work: UnitOfWork) -> Iterator[Finding]:
    late = timers.count_overdue(work, OVERDUE)
    queue = EmbeddedQueue()
    waiting = queue.count_due(work.session, now=work.now() - OVERDUE)
    if late or waiting:
        told = f"{late} timers and {waiting} jobs have been due for more than ten minutes"
        yield Finding(WARN, "worker", told, "is `r2pflow worker` running?")
    else:
        yield Finding(OK, "worker", "nothing is overdue")
    for job in queue.list_failed(work.session, limit=10):
        reason = job.error.splitlines()[0][:200] if job.error else ""
        if job.failed_at is not None:
            told = f"{job.key} was given up after {job.attempts} tries: {reason}"
            yield Finding(FAIL, f"job {job.id}", told, f"mend the cause, then r2pflow db retry {job.id}")
        else:
            yield Finding(
                WARN, f"job {job.id}", f"{job.key} failed {job.attempts} times: {reason}", "it is tried again"
            )
