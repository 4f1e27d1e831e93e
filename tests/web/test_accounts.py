"""Signing in to the stand-alone application, with a browser that has no JavaScript."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from r2pflow.accounts.models import AccountBase
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.jobs.embedded import JobRow
from r2pflow.persistence.base import Base
from r2pflow.services import people as directory
from r2pflow.standalone import create_app, make_sign_in_link
from r2pflow.web.auth import current_work


def make_app(folder: Path, **config: object) -> Flask:
    app = create_app(
        {"R2PFLOW_INSTANCE": str(folder), "R2PFLOW_BASE_URL": "https://coalition.example", "TESTING": True, **config}
    )
    with app.test_request_context():
        work = current_work()
        engine = app.extensions["sqlalchemy"].engine
        Base.metadata.create_all(engine)
        AccountBase.metadata.create_all(engine)
        values = {"name": "Amal Haddad", "email": "amal@member.example", "language": "ar", "roles": ["member"]}
        directory.save_person(work, THE_SYSTEM, values)
        work.commit()
    return app


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[Flask]:
    app = make_app(tmp_path)
    yield app
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


class Visitor:
    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def get(self, path: str):
        return self.client.get(path)

    def post(self, path: str, page: str = "/account/sign-in", **form: str):
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(page).text)
        return self.client.post(path, data={"csrf_token": found.group(1) if found else "", **form})


def find_mails(app: Flask) -> list[dict[str, str]]:
    with app.app_context():
        session = app.extensions["sqlalchemy"].session
        return list(session.scalars(select(JobRow.payload).where(JobRow.kind == "mail").order_by(JobRow.id)))


def find_link(mail: dict[str, str]) -> str:
    (address,) = re.findall(r"https://coalition\.example(\S+)", mail["text"])
    return address


def ask_link(app: Flask, visitor: Visitor, **form: str) -> str:
    page = visitor.post("/account/link", email="Amal@Member.example", **form)
    assert page.status_code == 200
    return find_link(find_mails(app)[-1])


def test_a_link_by_mail_shows_a_button_first_and_signs_in_once(standalone: Flask):
    visitor = Visitor(standalone)
    link = ask_link(standalone, visitor, next="/directory")
    for _scanner in range(3):
        assert "Amal Haddad" in Visitor(standalone).get(link).text
    answer = visitor.post(link, page=link)
    assert (answer.status_code, answer.location) == (303, "/directory")
    assert visitor.get("/desk").status_code == 200
    again = Visitor(standalone)
    assert again.get(link).status_code == 410
    assert "each works once" in again.get(link).text


def test_two_who_use_one_link_at_once_do_not_both_get_in(standalone: Flask):
    first, second = Visitor(standalone), Visitor(standalone)
    link = ask_link(standalone, first)
    assert first.post(link, page=link).status_code == 303
    assert second.post(link, page="/account/sign-in").status_code == 410
    assert second.get("/desk").status_code == 403


def test_a_link_sends_nobody_to_another_site(standalone: Flask):
    for target in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"):
        visitor = Visitor(standalone)
        link = ask_link(standalone, visitor, next=target)
        assert visitor.post(link, page=link).location == "/"


def test_the_answer_is_the_same_for_an_address_that_nobody_has(standalone: Flask):
    known = Visitor(standalone).post("/account/link", email="amal@member.example")
    unknown = Visitor(standalone).post("/account/link", email="xxxx@member.example")
    strip = re.compile(r"(amal|xxxx)@member\.example|value=\"[^\"]+\"")
    assert strip.sub("", known.text) == strip.sub("", unknown.text)
    assert len(find_mails(standalone)) == 1


def test_the_language_can_be_changed_on_a_page_that_answers_a_form(standalone: Flask):
    page = Visitor(standalone).post("/account/link", email="amal@member.example")
    for link in re.findall(r'href="([^"]*hl=\w\w[^"]*)"', page.text):
        assert Visitor(standalone).get(link.replace("&amp;", "&")).status_code in (200, 302)


def test_the_mail_goes_out_in_the_language_of_its_reader(standalone: Flask):
    ask_link(standalone, Visitor(standalone))
    assert '<html lang="ar" dir="rtl">' in find_mails(standalone)[0]["html"]


def test_a_password_is_set_by_mail_and_then_signs_in(standalone: Flask):
    visitor = Visitor(standalone)
    visitor.post("/account/reset", page="/account/reset", email="amal@member.example")
    link = find_link(find_mails(standalone)[-1])
    assert "at least 12 characters" in visitor.post(link, page=link, password="short", password_confirm="short").text
    words = "four words in a row"
    assert visitor.post(link, page=link, password=words, password_confirm=words).status_code == 302
    wrong = visitor.post("/account/sign-in", email="amal@member.example", password="four words in row")
    assert "This address and password do not fit together." in wrong.text
    assert visitor.post("/account/sign-in", email="amal@member.example", password=words).status_code == 302
    assert visitor.get("/desk").status_code == 200
    assert Visitor(standalone).get(link).status_code == 302  # used up
    out = visitor.post("/account/sign-out", page="/account")
    assert out.status_code == 302
    assert visitor.get("/desk").status_code == 403


def test_signing_in_is_slowed_down_after_too_many_attempts(tmp_path: Path):
    app = make_app(tmp_path, R2PFLOW_SIGN_IN_LIMIT="2 per minute")
    visitor = Visitor(app)
    for _attempt in range(2):
        assert visitor.post("/account/sign-in", email="amal@member.example", password="guess").status_code == 200
    page = visitor.post("/account/link", email="amal@member.example")
    assert page.status_code == 429
    assert "Wait a few minutes" in page.text
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def test_somebody_who_left_gets_no_link_and_is_signed_out(standalone: Flask):
    visitor = Visitor(standalone)
    link = ask_link(standalone, visitor)
    visitor.post(link, page=link)
    assert visitor.get("/desk").status_code == 200
    with standalone.test_request_context():
        work = current_work()
        actor = directory.find_actor_by_email(work, "amal@member.example")
        assert actor is not None and actor.person_id is not None
        directory.save_person(work, THE_SYSTEM, {"is_active": False}, person_id=actor.person_id)
        work.commit()
    assert visitor.get("/desk").status_code == 403
    before = len(find_mails(standalone))
    visitor.post("/account/link", email="amal@member.example")
    assert len(find_mails(standalone)) == before


def test_a_demonstration_link_works_again_and_again_only_where_it_is_a_demonstration(tmp_path: Path):
    app = make_app(tmp_path, R2PFLOW_DEMO=True)
    link = make_sign_in_link(app, 1).removeprefix("https://coalition.example")
    for _time in range(2):
        visitor = Visitor(app)
        assert visitor.post(link, page=link).status_code == 303
        assert visitor.get("/desk").status_code == 200
    app.config["R2PFLOW_DEMO"] = False
    assert Visitor(app).get(link).status_code == 410
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def test_every_answer_carries_the_security_headers(standalone: Flask):
    visitor = Visitor(standalone)
    for path in ("/register", "/account/sign-in", "/nowhere", "/assets/css/base.css"):
        answer = visitor.get(path)
        text = answer.get_data(as_text=True)
        answer.close()
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"], path
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert 'style="' not in text and "<script>" not in text


def test_cookies_are_kept_from_scripts_and_other_sites(tmp_path: Path):
    app = make_app(tmp_path, R2PFLOW_SECURE_COOKIES=True)
    answer = app.test_client().get("/account/sign-in", base_url="https://coalition.example")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" in cookie
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def test_the_secret_key_is_made_once_and_is_its_owners_alone(tmp_path: Path):
    first = make_app(tmp_path).config["SECRET_KEY"]
    path = tmp_path / "secret_key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    second = create_app({"R2PFLOW_INSTANCE": str(tmp_path)})
    assert second.config["SECRET_KEY"] == first
