"""One plan carried through every state of its workflow; in each, everybody asks every address and sends every form.

What the grants of each state say is asked of every shipped workflow by `test_grants`. Here the states are those of a
real life, with its comment, ballot, translations and edition, and with the roles that sharing gives.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import select
from werkzeug.test import TestResponse

from r2pflow.domain.definition import Workflow
from r2pflow.domain.people import NOBODY, THE_SYSTEM, Actor
from r2pflow.domain.text import canonical
from r2pflow.persistence.base import Base
from r2pflow.persistence.deliberation import BallotRow
from r2pflow.persistence.publishing import EditionLanguageRow, PublicationRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import ballots, comments, publishing, sharing, translating
from r2pflow.services import people as directory
from r2pflow.services.access import get_subject
from r2pflow.services.comments import NewComment
from r2pflow.services.dossiers import save_dossier
from r2pflow.services.drafting import create_document
from r2pflow.services.transitions import fire
from r2pflow.web.blueprint import ROUTES
from r2pflow.web.routing import Route

from .conftest import Browser
from .test_grants import ACCESS, KEEPERS, OPEN_TO_ALL, OWN, PUBLIC, SIGNED_IN

EVIL = "<script>evil()</script><img src=x onerror=evil()><a href='javascript:evil()' style='color:red'>here</a>"
TEXT = f"<h1 data-block='title'>Launch &lt;script&gt;</h1><p data-block='p1' onclick='evil()'>Come.{EVIL}</p>"
FIELDS = {
    "venue": EVIL,
    "city": EVIL,
    "country": "KE",
    "timezone": "Africa/Nairobi",
    "starts_on": "2027-05-11",
    "ends_on": "2027-05-12",
    "milestones": [{"title": {"en": EVIL}, "owner": "delta", "due_on": "2027-02-01", "done": False}],
    "sessions": [{"title": {"en": EVIL}, "starts_at": "2027-05-11T09:30", "ends_at": "2027-05-11T10:30"}],
    "invitees": [{"name": EVIL, "category": "un", "status": "accepted"}],
}
MORE_PEOPLE = {  # name: organisation, roles of the person, the role that is shared
    "voter": ("beta", [], ""),
    "verifier": ("beta", ["translator"], ""),
    "writer": (None, [], "author"),
    "editor": (None, [], "editor"),
}
VISITORS = ("", "outsider", "member", "steerer", "translator", "secretary", "manager", "writer", "editor")
STATES = (
    "drafting",
    "member_comment",
    "revision",
    "steering_approval",
    "translation",
    "published",
    "withdrawn",
)
DECIDED = STATES[3:]
OF_LIFE = {"comment": 1, "share": 1, "format": "json", "transition": "submit", "timer": 1}
ELSEWHERE = {"batch": 1, "slug": "alpha", "person_id": 1, "job": 1, "digest": "0" * 64, "name": "conference_launch"}


@dataclass
class Life:
    """The plan, the one who carries it, and who else is there."""

    work: UnitOfWork
    persons: dict[str, Actor]
    reference: str
    workflow: Workflow

    def actor(self, name: str) -> Actor:
        """Return who that is to the plan, with the role that was shared."""
        actor = self.persons.get(name, NOBODY)
        shared = MORE_PEOPLE.get(name, (None, [], ""))[2]
        return actor.with_roles(frozenset({shared})) if shared else actor

    def holds(self, name: str, state: str, permission: str) -> bool:
        return not self.actor(name).roles.isdisjoint(self.workflow.holders(state, permission))

    def enter(self, state: str) -> None:
        """Bring the plan from the state before to this one, as its people do."""
        step = {
            "member_comment": self._open,
            "revision": self._answer,
            "steering_approval": lambda: self._fire("submit"),
            "translation": self._decide,
            "published": self._publish,
            "withdrawn": lambda: self._fire("withdraw", EVIL),
        }.get(state)
        if step:
            step()
        self.work.commit()
        assert get_subject(self.work, THE_SYSTEM, self.reference).state_name == state
        self.work.rollback()

    def _fire(self, transition: str, comment: str = "") -> None:
        fire(self.work, self.persons["secretary"], self.reference, transition, comment=comment)

    def _open(self) -> None:
        self._fire("open_comment")
        new = NewComment(kind="substantive", body=EVIL, language="en", block_id="p1", suggestion=EVIL)
        comments.submit_comment(self.work, self.persons["member"], self.reference, new)

    def _answer(self) -> None:
        self._fire("close_comment")
        comments.dispose(self.work, self.persons["secretary"], 1, "rejected", EVIL)

    def _decide(self) -> None:
        digest = get_subject(self.work, THE_SYSTEM, self.reference).text_digest
        for name, position in (("steerer", "yes"), ("voter", "yes")):
            if self.work.session.scalars(select(BallotRow)).one().closed_at is None:
                ballots.record_position(self.work, self.persons[name], self.reference, position, EVIL, digest=digest)
                self.work.commit()

    def _publish(self) -> None:
        digest = get_subject(self.work, THE_SYSTEM, self.reference).text_digest
        for language in ("ar", "es", "fr", "ru", "zh"):
            html = {"title": "<h1>Launch</h1>", "p1": f"<p onclick='evil()'>Come.{EVIL}</p>"}
            translator, verifier = self.persons["translator"], self.persons["verifier"]
            translating.save_translation(self.work, translator, self.reference, language, html, digest=digest)
            translating.verify_translation(self.work, verifier, self.reference, language, digest=digest)
        self._fire("publish")
        for number in self.work.session.scalars(select(EditionLanguageRow.id)).all():
            publishing.store_pdf(self.work, number, b"%PDF-1.7 of a test")


@pytest.fixture
def life(work: UnitOfWork, persons: dict[str, Actor]) -> Life:
    for name, (organisation, roles, _) in MORE_PEOPLE.items():
        values = {"name": name.title(), "email": f"{name}@example.org", "organisation": organisation, "roles": roles}
        actor = directory.load_actor(work, directory.save_person(work, THE_SYSTEM, values))
        assert actor is not None
        persons[name] = actor
    directory.save_organisation(work, THE_SYSTEM, {"names": {"en": EVIL}, "short_name": EVIL}, slug="delta")
    save_dossier(work, THE_SYSTEM, "alpha", {"en": EVIL}, "campaign")
    reference = create_document(
        work, persons["secretary"], "conference_launch", canonical(TEXT), dossier="alpha", fields=FIELDS
    )
    for name, (_, _, role) in MORE_PEOPLE.items():
        if role:
            sharing.share(work, persons["secretary"], reference, role, person_id=persons[name].person_id)
    work.commit()
    return Life(work, persons, reference, get_subject(work, THE_SYSTEM, reference).workflow)


def find_path(route: Route, values: dict[str, Any]) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found.group(1)]), route.rule)


def list_gets(life: Life, state: str) -> Iterator[tuple[Route, str]]:
    """Yield each address that can be asked, filled with what the life has; the edition's once there is one."""
    values = {**OF_LIFE, **ELSEWHERE, "reference": life.reference, "language": "fr"}
    symbol = life.work.session.scalar(select(PublicationRow.symbol))
    life.work.rollback()
    for route in ROUTES:
        if "GET" not in route.methods or ("<path:symbol>" in route.rule and not symbol):
            continue
        own = {"file": {"format": "pdf"}, "worklist": {"name": "to_comment"}}.get(route.endpoint, {})
        yield route, find_path(route, {**values, **own, "symbol": symbol})


def expect(life: Life, state: str, name: str, route: Route) -> int:
    """Return the status that the grants make of it."""
    needed, is_nobody = ACCESS[route.endpoint], life.actor(name).is_anonymous
    if needed == PUBLIC:
        return {"checked": 404, "home": 302}.get(route.endpoint, 200)
    if needed == SIGNED_IN:
        return 403 if is_nobody else 200
    if needed == OWN:
        return 403 if is_nobody else 404  # there is none
    if needed == KEEPERS:
        return 403 if life.actor(name).roles.isdisjoint({"secretariat", "manager"}) else 200
    if is_nobody and route.endpoint not in OPEN_TO_ALL:
        return 403
    if is_nobody and route.endpoint == "export":
        return 403  # the public has the files of the register
    if not life.holds(name, state, "view"):
        return 404
    if not life.holds(name, state, needed):
        return 403
    if route.endpoint == "decision_file" and state not in DECIDED:
        return 404
    return 200


def read_tables(work: UnitOfWork) -> dict[str, list[Any]]:
    """Return all that is kept, but for what each person has seen."""
    work.rollback()
    tables = (table for table in Base.metadata.sorted_tables if table.name != "r2pflow_seen")
    found = {table.name: list(work.session.execute(select(table))) for table in tables}
    work.rollback()
    return found


def find_own_script(page: str) -> list[str]:
    """Return what the Content-Security-Policy would stop, or should: script, style and handlers in the page."""
    tree = lxml_html.document_fromstring(page)
    found = [f"<{one.tag}>" for one in tree.iter("script", "style") if not one.get("src")]
    for element in tree.iter():
        for attribute, value in element.attrib.items():
            scheme = re.sub(r"[\x00-\x20]", "", value).lower()
            is_script = scheme.startswith(("javascript:", "vbscript:", "data:text"))
            if attribute == "style" or attribute.startswith(("on", "hx-on")) or is_script:
                found.append(f"<{element.tag} {attribute}={value!r}>")
    return found


def test_everybody_gets_what_the_grants_say_and_asking_changes_nothing(browse: Callable[[str], Browser], life: Life):
    browsers: dict[str, Browser] = {}
    for state in STATES:
        life.enter(state)
        before, wrong, has_file = read_tables(life.work), [], False
        for name in VISITORS:
            browser = browsers.setdefault(name, browse(name))
            for route, path in list_gets(life, state):
                wanted = expect(life, state, name, route)
                if route.endpoint == "export" and wanted == 200:
                    if has_file:  # a file is made apart and takes long: that a language is asked for first will do
                        path, wanted = f"{path}?language=xx", 422
                    has_file = True
                answer = browser.get(path)
                asked = (state, name or "nobody", path)
                if answer.status_code != wanted:
                    wrong.append((*asked, f"wanted {wanted}, got {answer.status_code}"))
                if answer.mimetype == "text/html":
                    policy = answer.headers["Content-Security-Policy"]
                    assert "script-src 'self';" in policy and "unsafe" not in policy, asked
                    assert find_own_script(answer.text) == [], asked
                answer.close()
        assert wrong == []
        assert read_tables(life.work) == before, f"asking in {state} wrote something"


def test_what_may_not_be_seen_answers_like_what_does_not_exist(browse: Callable[[str], Browser], life: Life):
    for name in ("", "outsider", "member", "translator"):
        browser = browse(name)
        for route in ROUTES:
            if "<reference>" not in route.rule:
                continue
            for method in route.methods:
                told = []
                for reference in (life.reference, "CL-9"):
                    path = find_path(route, {**OF_LIFE, "reference": reference, "language": "fr"})
                    data = {"csrf_token": browser.token() or find_token(browser)} if method == "POST" else None
                    answer = browser.client.open(path, method=method, data=data)
                    told.append((answer.status_code, tell_apart(answer).replace(reference, "")))
                assert told[0][0] in (403, 404) and told[0] == told[1], (name, method, route.rule)


def test_an_empty_form_is_never_more_than_a_mistake(
    app: Flask, browse: Callable[[str], Browser], life: Life, tmp_path: Path
):
    kept, saved = tmp_path / "host.sqlite", tmp_path / "saved.sqlite"
    values = {**OF_LIFE, **ELSEWHERE, "reference": life.reference, "language": "fr"}
    moves = sorted(life.workflow.transitions)
    posted = [route for route in ROUTES if "POST" in route.methods]
    paths = [
        find_path(one, {**values, "transition": move}) for one in posted if one.endpoint == "fire" for move in moves
    ]
    paths += [find_path(one, values) for one in posted if one.endpoint != "fire"]
    accepted = set()
    for state in STATES:
        life.enter(state)
        close_database(app, life.work)
        shutil.copy(kept, saved)
        for name in VISITORS:
            browser = browse(name)
            token = browser.token() or find_token(browser)
            for path in paths:
                answer = browser.client.post(path, data={"csrf_token": token})
                assert answer.status_code < 500, (state, name or "nobody", path, answer.status_code)
                if answer.mimetype == "text/html":
                    assert find_own_script(answer.text) == [], (state, name, path)
                if answer.status_code < 400:
                    assert name or path == "/check", f"nobody in particular sent {path}"
                    accepted.add((state, name, path.rpartition("/")[2]))
                    close_database(app, life.work)
                    shutil.copy(saved, kept)
    for told in (("drafting", "secretary", "open_comment"), ("revision", "secretary", "submit")):
        assert told in accepted, "an empty form is enough for a step that asks for no comment"


def close_database(app: Flask, work: UnitOfWork) -> None:
    work.session.close()
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def find_token(browser: Browser) -> str:
    return browser.get("/check").text.split('name="csrf_token" value="')[1].split('"')[0]


def tell_apart(answer: TestResponse) -> str:
    """Return the words of a page, without the tokens that are new in each."""
    return re.sub(r'name="csrf_token" value="[^"]+"', "", answer.text)
