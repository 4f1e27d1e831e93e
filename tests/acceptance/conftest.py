"""A stand-alone site on an empty instance, its worker, and people who only use what pages offer them."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html as lxml_html
from sqlalchemy import select
from werkzeug.test import TestResponse

from r2pflow.accounts import migrate as accounts_migrate
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.jobs.embedded import JobRow
from r2pflow.persistence import migrate
from r2pflow.services import people as directory
from r2pflow.standalone import create_app
from r2pflow.web.auth import current_work
from r2pflow.worker import run_worker

ORGANISATIONS = {
    "office": (["secretariat"], "north_america"),
    "alpha": (["member", "steering"], "africa"),
    "beta": (["member", "steering"], "europe"),
    "gamma": (["member", "steering"], "asia_pacific"),
    "delta": (["member"], "latin_america"),
}
PERSONS = {
    "secretary": ("office", [], "en"),
    "alpha": ("alpha", [], "en"),
    "beta": ("beta", [], "en"),
    "gamma": ("gamma", [], "en"),
    "delta": ("delta", [], "en"),
    "translator": ("delta", ["translator"], "fr"),
    "verifier": ("gamma", ["translator"], "fr"),
}


class Visitor:
    """A person with a browser without JavaScript: follows links, fills the forms that a page offers, nothing else."""

    def __init__(self, client: FlaskClient, site: "Site") -> None:
        self.client = client
        self.site = site
        self.path = "/"
        self.page: Any = None
        self.answer: TestResponse | None = None

    def open(self, path: str, status: int = 200) -> str:
        """Go to an address that somebody was told, as from a mail."""
        return self._show(self.client.get(path, follow_redirects=True), status)

    def follow(self, text: str) -> str:
        """Follow the first link of the page whose words are, or begin with, these."""
        for link in self.page.iter("a"):
            if link.text_content().strip().startswith(text):
                return self.open(urljoin(self.path, link.get("href")))
        raise AssertionError(f"{self.path} offers no link {text!r}")

    def submit(self, action: str, status: int = 200, **values: Any) -> str:
        """Fill in and send the form of the page whose address contains `action`; other fields stay as offered."""
        for form in self.page.iter("form"):
            target = urljoin(self.path, form.get("action") or self.path)
            if action in target and (form.get("method") or "get").lower() == "post":
                break
        else:
            raise AssertionError(f"{self.path} offers no form to {action!r}")
        offered = self._offered(form)
        known = {name for name, _ in offered} | {button.get("name") for button in self._buttons(form)}
        assert set(values) <= known, f"the form to {action!r} has no field {sorted(set(values) - known)}: {known}"
        sent = [(name, value) for name, value in offered if name not in values and value is not None]
        for name, value in values.items():
            sent += [(name, one) for one in value] if isinstance(value, list) else [(name, value)]
        data: dict[str, list[Any]] = {}
        for name, value in sent:
            data.setdefault(name, []).append(value)
        answer = self.client.post(target, data=data, follow_redirects=True)
        told = self._show(answer, status)
        if status == 200 and self.page.xpath("//h1[@class='question']"):  # a hard step asks once: go on
            return self.submit(target, status)
        return told

    def _offered(self, form: Any) -> list[tuple[str, Any]]:
        """Return the fields of a form, those beside it that name it too; None for a box that is not ticked."""
        found: list[tuple[str, Any]] = [(name, value) for name, value in form.form_values()]
        names = {name for name, _ in found}
        found += [(name, None) for name in form.inputs.keys() if name and name not in names]
        for element in self.page.xpath("//*[@form=$id][@name]", id=form.get("id") or "-"):
            if element.tag == "textarea":
                found.append((element.get("name"), element.text or ""))
            elif element.tag == "input":
                is_box = element.get("type") in ("checkbox", "radio")
                found.append((element.get("name"), None if is_box else element.get("value") or ""))
        return found

    def _buttons(self, form: Any) -> list[Any]:
        inside = form.xpath(".//button[@name]")
        return [*inside, *self.page.xpath("//button[@form=$id][@name]", id=form.get("id") or "-")]

    def _show(self, answer: TestResponse, status: int) -> str:
        told = answer.get_data(as_text=True) if "html" in answer.content_type else ""
        assert answer.status_code == status, f"{answer.request.path}: {answer.status_code}\n{_plain(told)[:1500]}"
        self.answer = answer
        self.path = answer.request.path
        self.page = lxml_html.fromstring(told) if told else None
        return " ".join(self.page.text_content().split()) if told else ""


def _plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


class Site:
    """The application, with its people and its worker."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def visitor(self) -> Visitor:
        return Visitor(self.app.test_client(), self)

    def sign_in(self, name: str) -> Visitor:
        """Ask for a link by e-mail, open it from the mail, and press its button."""
        visitor = self.visitor()
        visitor.open("/")
        visitor.follow("Sign in")
        visitor.submit("link", email=f"{name}@example.org")
        visitor.open(self.find_link(f"{name}@example.org"))
        told = visitor.submit("/account/link/")
        assert name.title() in told
        return visitor

    def find_link(self, address: str) -> str:
        """Return the address in the newest sign-in mail to a person."""
        with self.app.app_context():
            rows = current_work().session.scalars(
                select(JobRow).where(JobRow.kind == "mail").order_by(JobRow.id.desc())
            )
            text = next(row.payload["text"] for row in rows if row.payload.get("to") == address)
        found = re.search(r"https?://\S*/account/link/\S+", text)
        assert found, text
        return urlsplit(found.group()).path

    def work_off(self) -> None:
        """Let the worker do what is due."""
        run_worker(self.app, until_idle=True, processes=2)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    app = create_app(
        {
            "R2PFLOW_INSTANCE": str(tmp_path / "instance"),
            "R2PFLOW_COALITION": "Coalition",
            "R2PFLOW_SIGN_IN_LIMIT": "1000 per hour",
        }
    )
    with app.app_context():
        engine = app.extensions["r2pflow"].db.engine
    migrate.upgrade(engine)
    accounts_migrate.upgrade(engine)
    with app.app_context():
        work = current_work()
        for slug, (roles, region) in ORGANISATIONS.items():
            values = {"slug": slug, "names": {"en": f"{slug.title()} Network"}, "short_name": slug.title()}
            directory.save_organisation(
                work, THE_SYSTEM, {**values, "region": region, "roles": roles, "language": "en"}
            )
        for name, (organisation, person_roles, language) in PERSONS.items():
            values = {"name": name.title(), "email": f"{name}@example.org", "organisation": organisation}
            directory.save_person(work, THE_SYSTEM, {**values, "roles": person_roles, "language": language})
        work.commit()
    yield Site(app)
    with app.app_context():
        engine.dispose()


@pytest.fixture
def people(site: Site) -> Callable[[str], Visitor]:
    """Return the signed-in person of a name; each signs in once."""
    known: dict[str, Visitor] = {}

    def find(name: str) -> Visitor:
        if name not in known:
            known[name] = site.sign_in(name)
        return known[name]

    return find
