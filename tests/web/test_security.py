"""What strangers, broken files and forged forms try, and that nothing comes of it.

That no page carries script or style of its own is asked of every address in `test_every_url`.
"""

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from r2pflow.domain.errors import DefinitionErrors, SetupError
from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.domain.text import canonical
from r2pflow.persistence.base import Base
from r2pflow.persistence.documents import DocumentRow, RevisionRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import comments
from r2pflow.services.comments import NewComment
from r2pflow.services.drafting import create_document
from r2pflow.services.transitions import fire
from r2pflow.standalone import create_app
from r2pflow.web.blueprint import ROUTES

from .conftest import make_host
from .test_accounts import Visitor, ask_link, make_app
from .test_every_url import ELSEWHERE, OF_LIFE, find_own_script, find_path, read_tables

TITLE = "<h1 data-block='title'>Act early</h1>"
TEXT = TITLE + "<p data-block='p1'>Warnings come first.</p>"
CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
ENTITY = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>'


@pytest.fixture
def statement(work: UnitOfWork, persons: dict[str, Actor]) -> str:
    fields = {"scope": "normative", "crimes": ["genocide"]}
    reference = create_document(work, persons["secretary"], "joint_statement", canonical(TEXT), fields=fields)
    fire(work, persons["secretary"], reference, "open_comment")
    new = NewComment(kind="substantive", body="Say when.", language="en", block_id="p1")
    comments.submit_comment(work, persons["member"], reference, new)
    work.commit()
    return reference


@pytest.mark.parametrize("token", ["", "forged", "another"])
@pytest.mark.parametrize("name", ["", "member", "secretary", "manager"])
def test_no_form_is_taken_without_the_token_of_its_own_session(browse, work, statement: str, name: str, token: str):
    browser = browse(name)
    sent = browse("steerer").token() if token == "another" else token
    before = read_tables(work)
    values = {**OF_LIFE, **ELSEWHERE, "reference": statement, "language": "fr", "transition": "close_comment"}
    for route in ROUTES:
        if "POST" in route.methods:
            path = find_path(route, values)
            assert browser.client.post(path, data={"csrf_token": sent}).status_code == 403, path
            assert browser.client.post(path, headers={"X-CSRFToken": sent}).status_code == 403, path
    assert read_tables(work) == before


SIGN_IN_PAGES = {  # of the stand-alone application: what nobody and somebody get
    "security.login": (200, 302),
    "security.logout": (405, 405),
    "security.verify": (302, 200),
    "security.forgot_password": (200, 200),
    "security.reset_password": (302, 302),
    "security.change_password": (302, 200),
    "accounts.ask_link": (405, 405),
    "accounts.open_link": (410, 410),
}


def close(app: Flask) -> None:
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def list_sign_in_pages(app: Flask) -> list[tuple[str, str]]:
    """Return endpoint and address of every page that the stand-alone application adds."""
    rules = [rule for rule in app.url_map.iter_rules() if not rule.endpoint.startswith("r2pflow.")]
    return [(rule.endpoint, rule.rule.replace("<token>", "x")) for rule in rules if "static" not in rule.endpoint]


def test_every_page_of_signing_in_is_known_and_carries_no_script(tmp_path: Path):
    app = make_app(tmp_path, TESTING=False)
    nobody, somebody = Visitor(app), Visitor(app)
    link = ask_link(app, somebody)
    somebody.post(link, page=link)
    pages = list_sign_in_pages(app)
    assert sorted(endpoint for endpoint, _ in pages) == sorted(SIGN_IN_PAGES)
    for endpoint, path in pages:
        for visitor, status in zip((nobody, somebody), SIGN_IN_PAGES[endpoint], strict=True):
            answer = visitor.get(path)
            assert answer.status_code == status, (path, answer.status_code)
            assert find_own_script(answer.text) == [], path
    assert somebody.get("/desk").status_code == 200, "asking signs nobody out"
    close(app)


def test_a_sign_in_form_that_was_open_too_long_is_explained_and_gets_nobody_in(tmp_path: Path):
    app = make_app(tmp_path, TESTING=False)
    visitor = Visitor(app)
    link = ask_link(app, visitor)
    for path in ("/account/link", link):
        answer = visitor.client.post(path, data={"csrf_token": "old", "email": "amal@member.example"})
        assert answer.status_code == 403, path
        assert "send it once more" in answer.text
    assert visitor.get("/desk").status_code == 403
    assert visitor.post(link, page=link).status_code == 303, "the link is not used up"
    assert visitor.client.post("/account/sign-out").status_code == 200
    assert visitor.get("/desk").status_code == 200, "a forged form signs nobody out"
    close(app)


def test_guessing_ones_own_password_is_slowed_down_too(tmp_path: Path):
    app = make_app(tmp_path, R2PFLOW_SIGN_IN_LIMIT="5 per minute")
    visitor = Visitor(app)
    link = ask_link(app, visitor)
    visitor.post(link, page=link)
    words = {"new_password": "four words in a row", "new_password_confirm": "four words in a row"}
    assert visitor.post("/account/password", page="/account", **words).status_code == 302, "the first is set freely"
    guess = {"password": "guess", "new_password": "four other words", "new_password_confirm": "four other words"}
    assert visitor.post("/account/password", page="/account", **guess).status_code == 200
    assert visitor.post("/account/verify", page="/account", **guess).status_code == 200
    answer = visitor.post("/account/password", page="/account", **guess)
    assert answer.status_code == 429
    assert "انتظروا بضع دقائق" in answer.text, "the person reads Arabic"
    close(app)


@pytest.mark.parametrize(
    "evil",
    [
        "<p data-block='p1'>Hello <script>evil()</script></p>",
        "<p data-block='p1' onclick='evil()' onmouseover=evil()>Hello</p>",
        "<p data-block='p1'>Hello <a href='javascript:evil()'>a</a><a href=' JaVa\tscript:evil()'>b</a></p>",
        "<p data-block='p1'>Hello <a href='data:text/html,<script>evil()</script>'>c</a></p>",
        "<p data-block='p1'>Hello <a href='vbscript:evil()'>d</a></p>",
        "<p data-block='p1'>Hello <svg onload=evil()><style>evil()</style></svg></p>",
        "<p data-block='p1'>Hello <img src=x onerror=evil()><iframe src='javascript:evil()'></iframe></p>",
        "<p data-block='p1'>Hello <math><mtext></form><form><mglyph><style></math><img src onerror=evil()></p>",
        "<p data-block='p1' style='background:url(javascript:evil())'>Hello</p>",
        "<p data-block='\"><script>evil()</script>'>Hello</p>",
        "<p data-block='p1'>Hello <noscript><p title='</noscript><img src=x onerror=evil()>'></noscript></p>",
    ],
)
def test_what_is_saved_carries_no_script(browse, work, persons: dict[str, Actor], evil: str):
    fields = {"scope": "normative", "crimes": ["genocide"]}
    reference = create_document(work, persons["secretary"], "joint_statement", canonical(TEXT), fields=fields)
    work.commit()
    secretary = browse("secretary")
    answer = secretary.post(f"/documents/{reference}/edit", {"html": TITLE + evil, "based_on": "1"})
    assert answer.status_code == 302
    work.session.expire_all()
    blocks = work.session.scalars(select(RevisionRow).order_by(RevisionRow.id.desc())).first().blocks
    kept = str(blocks)
    assert "Hello" in kept
    assert not re.search(r"<script|<style|<svg|<img|<iframe|<form|\son\w+=|style=|script:|data:text", kept), kept
    for path in ("", "/edit", "/history", "/redline?old=1&new=2"):
        page = secretary.get(f"/documents/{reference}{path}")
        assert page.status_code == 200
        assert find_own_script(page.text) == [], path


def pack(**parts: str) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return kept.getvalue()


BROKEN = {
    "not a package": b"Dear all, this is no Word file.",
    "cut short": pack(**{"[Content_Types]_xml": CONTENT_TYPES, "word__document_xml": "<a/>" * 999})[:200],
    "no text inside": pack(**{"[Content_Types]_xml": CONTENT_TYPES}),
    "another kind": pack(mimetype="application/epub+zip"),
    "no markup": pack(**{"[Content_Types]_xml": CONTENT_TYPES, "word__document_xml": "<w:document><w:body>"}),
    "an entity": pack(**{"[Content_Types]_xml": CONTENT_TYPES, "word__document_xml": ENTITY}),
    "a bomb": pack(**{"[Content_Types]_xml": CONTENT_TYPES, "word__document_xml": " " * (31 * 1024 * 1024)}),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_word_file_is_refused_by_name_and_nothing_is_made(browse, work, what: str):
    secretary = browse("secretary")
    before = read_tables(work)
    form: dict[str, Any] = {"type": "joint_statement", "file": (io.BytesIO(BROKEN[what]), "offer.docx")}
    answer = secretary.post("/documents/new", form)
    assert answer.status_code == 422
    assert "offer.docx" in answer.text
    assert read_tables(work) == before


def test_a_file_over_the_limit_is_refused_with_a_sentence_and_nothing_is_made(browse, work):
    secretary = browse("secretary")
    head = f'--edge\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{secretary.token()}\r\n'
    file = '--edge\r\nContent-Disposition: form-data; name="file"; filename="long.txt"\r\n\r\n'
    body = (head + file + "x" * 11 * 1024 * 1024 + "\r\n--edge--\r\n").encode()
    answer = secretary.client.post("/documents/new", data=body, content_type="multipart/form-data; boundary=edge")
    assert answer.status_code == 413
    assert "10.5 MB" in answer.text
    assert work.session.scalars(select(DocumentRow)).all() == []


def test_a_form_that_others_overtook_keeps_what_was_typed(browse, work, persons: dict[str, Actor], statement: str):
    fire(work, persons["secretary"], statement, "close_comment")
    work.commit()
    secretary = browse("secretary")
    first = TEXT.replace("Warnings come first.", "Warnings come first of all.")
    assert secretary.post(f"/documents/{statement}/edit", {"html": first, "based_on": "1"}).status_code == 302
    mine = TEXT.replace("Warnings come first.", "Early warnings, and my careful words, come first.")
    answer = secretary.post(f"/documents/{statement}/edit", {"html": mine, "based_on": "1"})
    assert answer.status_code == 409
    told = " ".join(re.sub(r"<[^>]+>", "", answer.text).split())
    assert "my careful words, come first." in told and "Warnings come first of all." in told


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:evil()"])
def test_no_page_sends_anybody_to_another_site(browse, back: str):
    for path in ("/", "/register", "/account", "/desk", "/documents"):
        answer = browse("member").get(path, query_string={"next": back, "hl": back})
        assert "evil" not in answer.headers.get("Location", "")
        assert find_own_script(answer.text) == []
    answer = browse("member").get("/register", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil" not in answer.text


WORKFLOW = """
workflow: note
version: 1
title: {en: Note}
initial: draft
permissions: {view: [secretariat], edit: [secretariat]}
states: {draft: {text: open}, out: {final: true}}
transitions:
  put_out:
    from: [draft]
    to: out
    guard: {require: [has_text]}
    effects: [notify_members]
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("has_text", "has_blessing", 12, "has_blessing"),
        ("notify_members", "send_pigeons", 13, "send_pigeons"),
        ("to: out", "to: nowhere", 11, "nowhere"),
        ("{text: open}", "{text: open", 7, "note.yaml"),
    ],
)
def test_an_application_with_a_wrong_workflow_does_not_start(tmp_path: Path, old: str, new: str, line: int, told: str):
    folder = tmp_path / "flows"
    folder.mkdir()
    config = {"R2PFLOW_INSTANCE": str(tmp_path / "instance"), "R2PFLOW_WORKFLOW_FOLDERS": str(folder)}
    (folder / "note.yaml").write_text(WORKFLOW)
    assert "note" in create_app(config).extensions["r2pflow"].catalogue.workflows
    (folder / "note.yaml").write_text(WORKFLOW.replace(old, new))
    with pytest.raises(DefinitionErrors) as caught:
        create_app(config)
    assert told in str(caught.value)
    assert re.search(rf"note\.yaml:({line}|{line + 1}):\d+: ", str(caught.value)), str(caught.value)


def test_an_application_with_a_missing_folder_does_not_start(tmp_path: Path):
    config = {"R2PFLOW_INSTANCE": str(tmp_path), "R2PFLOW_WORKFLOW_FOLDERS": str(tmp_path / "absent")}
    with pytest.raises(SetupError) as caught:
        create_app(config)
    assert "absent" in str(caught.value)


def test_two_applications_in_one_process_share_no_documents(tmp_path: Path):
    hosts = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        host = make_host(folder)
        with host.app_context():
            Base.metadata.create_all(host.extensions["sqlalchemy"].engine)
        hosts.append(host)
    with hosts[0].app_context():
        mount = hosts[0].extensions["r2pflow"]
        with Session(mount.db.engine) as session:
            work = UnitOfWork(session, mount.catalogue, mount.settings, mount.queue)
            reference = create_document(work, THE_SYSTEM, "joint_statement", canonical(TEXT))
            row = session.scalars(select(DocumentRow)).one()
            row.state = "published"
            work.commit()
    assert [host.test_client().get(f"/documents/{reference}").status_code for host in hosts] == [200, 404]
    for host in hosts:
        close(host)
