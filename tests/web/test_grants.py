"""Every address, asked by every kind of person, in every state: the answer is what the workflow grants.

A new address fails here until ACCESS says who may open it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from r2pflow.domain.definition import Workflow
from r2pflow.domain.people import NOBODY, THE_SYSTEM, Actor
from r2pflow.domain.text import canonical
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.services.definitions import get_workflow
from r2pflow.services.drafting import create_document
from r2pflow.web.blueprint import ROUTES

PUBLIC, SIGNED_IN, KEEPERS, OWN = "public", "signed_in", "keepers", "own"
VISITORS = ("", "outsider", "member", "steerer", "translator", "secretary", "manager")
TEXT = "<h1 data-block='title'>Protect civilians</h1><p data-block='p1'>States must act early.</p>"
TYPES = ("position_paper", "joint_statement", "conference_launch", "consultation_report")

ACCESS = {
    "static": PUBLIC,
    "home": PUBLIC,
    "register": PUBLIC,
    "edition": PUBLIC,
    "file": PUBLIC,
    "feed": PUBLIC,
    "check": PUBLIC,
    "checked": PUBLIC,
    "desk": SIGNED_IN,
    "worklist": SIGNED_IN,
    "account": SIGNED_IN,
    "documents": SIGNED_IN,
    "directory": SIGNED_IN,
    "people": SIGNED_IN,
    "groups": SIGNED_IN,
    "organisation": SIGNED_IN,
    "dossiers": SIGNED_IN,
    "dossier": SIGNED_IN,
    "workflows": SIGNED_IN,
    "workflow": SIGNED_IN,
    "workflow_changes": SIGNED_IN,
    "batches": SIGNED_IN,
    "start_batch": SIGNED_IN,
    "batch": OWN,  # who began it, and the secretariat
    "batch_report": OWN,
    "cancel_batch": OWN,
    "migrate": KEEPERS,
    "api_documents": SIGNED_IN,
    "new_document": KEEPERS,
    "new_organisation": KEEPERS,
    "edit_organisation": KEEPERS,
    "new_person": KEEPERS,
    "edit_person": KEEPERS,
    "new_dossier": KEEPERS,
    "edit_dossier": KEEPERS,
    "delete_dossier": KEEPERS,
    "dossier_sharing": KEEPERS,
    "share_dossier": KEEPERS,
    "unshare_dossier": KEEPERS,
    "block_dossier": KEEPERS,
    "dossier_grants": KEEPERS,
    "dossier_policies": KEEPERS,
    "administration": KEEPERS,
    "retry_job": KEEPERS,
    # of a document: the permission that it takes beside `view`
    "document": "view",
    "fire": "",  # each transition's guard says
    "api_fire": "",
    "api_transitions": "view",
    "export": "view",
    "history": "view",
    "way": "view",
    "redline": "view",
    "edit": "edit",
    "comments": "view",
    "comment": "comment",
    "answer_comment": "",  # who edits, and the secretariat
    "acknowledge": "",  # whose comment it is
    "decision": "view",
    "decision_file": "view",
    "record_position": "decide",
    "close_ballot": "",
    "languages": "view",
    "translate": "view",  # its POST asks for `translate`
    "verify_translation": "translate",
    "fields": "view",  # its POST asks for `edit`
    "plan_calendar": "view",
    "schedule": "view",  # its POST asks what the transition asks
    "unschedule": "",  # who scheduled it, and the secretariat
    "sharing": "share",
    "steps": "view",
    "share": "share",
    "unshare": "share",
    "move_document": "share",
    "block_sharing": "share",
}
POSTED = {"translate": "translate", "fields": "edit"}
HELD_BY_OTHER_RULES = ("unshare",)
"""Who gave a role may take it back, whatever state the document came to."""
SLOW = ("export",)
CONDITIONAL = ("comment", "record_position", "close_ballot", "decision_file", "plan_calendar")
"""Beside the permission these take an open round, a ballot or a plan, which the state alone does not bring."""

OF_DOCUMENTS = [route for route in ROUTES if "<reference>" in route.rule]
OPEN_TO_ALL = ("document", "export", "fields", "plan_calendar")
"""Of a published document everybody reads the text; how it came about is for those who are signed in."""
HIDDEN = {False: (404,), True: (403, 404)}
"""What may not be seen is not found; nobody in particular may also be asked to sign in first, for any reference."""
VALUES = {"transition": "submit", "format": "json", "language": "fr", "comment": 1, "share": 1, "number": 1, "timer": 1}


def test_every_address_says_who_may_open_it():
    missing = sorted({route.endpoint for route in ROUTES} - set(ACCESS))
    assert missing == [], "say in ACCESS who may open these"


def test_no_get_address_takes_what_changes_something():
    names = ("fire", "share", "unshare", "block", "delete", "record", "close", "answer", "acknowledge", "verify")
    for route in ROUTES:
        if route.endpoint.startswith(names) and route.endpoint != "sharing":
            assert route.methods == ("POST",), route


@pytest.mark.parametrize("name", VISITORS)
def test_pages_that_are_no_documents_open_to_whom_they_should(browse, persons, name):
    browser, actor = browse(name), persons.get(name, NOBODY)
    values = {"slug": "alpha", "person_id": 1, "digest": "0" * 64, "language": "en", "name": "position_paper"}
    values["batch"] = 1
    for route in ROUTES:
        if "GET" not in route.methods or "<reference>" in route.rule or route.endpoint in ("edition", "file"):
            continue
        path = _fill(route.rule, values)
        status = browser.get(path).status_code
        if ACCESS[route.endpoint] == PUBLIC:
            allowed = True
        elif ACCESS[route.endpoint] == OWN:
            assert status == (403 if actor.is_anonymous else 404), (path, name, status)
            continue
        elif ACCESS[route.endpoint] == SIGNED_IN:
            allowed = not actor.is_anonymous
        else:
            allowed = not actor.roles.isdisjoint({"secretariat", "manager"})
        if allowed:
            assert status in (200, 302, 303, 404 if "<" in route.rule else 200), (path, name, status)
        else:
            assert status == 403, (path, name, status)


@pytest.mark.parametrize("name", ["", "outsider", "member", "steerer", "translator"])
def test_nobody_but_its_keepers_writes_to_what_is_no_document(browse, persons, name):
    browser = browse(name)
    token = browser.token() if name else _anonymous_token(browser)
    for route in ROUTES:
        if "POST" in route.methods and "<reference>" not in route.rule and ACCESS[route.endpoint] == KEEPERS:
            path = _fill(route.rule, {"slug": "alpha", "person_id": 1, "job": 1, "name": "position_paper", "share": 1})
            assert browser.client.post(path, data={"csrf_token": token}).status_code == 403, path


@pytest.fixture(params=TYPES)
def document(request, work, persons) -> Iterator[tuple[str, Workflow]]:
    reference = create_document(work, THE_SYSTEM, request.param, canonical(TEXT))
    work.commit()
    row = work.session.scalars(select(DocumentRow).where(DocumentRow.reference == reference)).one()
    yield reference, get_workflow(work, row.definition.digest)


def _fill(rule: str, values: dict[str, Any]) -> str:
    for name, value in values.items():
        for converter in ("", "int:", "path:"):
            rule = rule.replace(f"<{converter}{name}>", str(value))
    assert "<" not in rule, f"VALUES lacks something for {rule}"
    return rule


def _move(work, reference: str, state: str) -> None:
    work.session.execute(update(DocumentRow).where(DocumentRow.reference == reference).values(state=state))
    work.commit()


def _holds(workflow: Workflow, state: str, permission: str, actor: Actor) -> bool:
    return not actor.roles.isdisjoint(workflow.holders(state, permission))


def test_pages_of_a_document_open_as_its_state_grants(app: Flask, browse, work, persons, document):
    reference, workflow = document
    browsers = {name: browse(name) for name in VISITORS}
    for state in workflow.states:
        _move(work, reference, state)
        for name, browser in browsers.items():
            actor = persons.get(name, NOBODY)
            may_view = _holds(workflow, state, "view", actor)
            for route in OF_DOCUMENTS:
                if "GET" not in route.methods or route.endpoint in SLOW:
                    continue
                path = _fill(route.rule, {"reference": reference, **VALUES})
                answer = browser.get(path)
                asked = (state, name, path, answer.status_code)
                permission = ACCESS[route.endpoint]
                if actor.is_anonymous and route.endpoint not in OPEN_TO_ALL:
                    assert answer.status_code == 403, asked
                elif not may_view:
                    assert answer.status_code in HIDDEN[actor.is_anonymous], asked
                elif not _holds(workflow, state, permission, actor):
                    assert answer.status_code == 403, asked
                elif route.endpoint not in CONDITIONAL:
                    assert answer.status_code == 200, asked
                else:
                    assert answer.status_code in (200, 403, 404, 409), asked


def test_nothing_is_written_to_a_document_by_those_who_may_not(app: Flask, browse, work, persons, document):
    reference, workflow = document
    browsers = {name: (browse(name), browse(name).token()) for name in VISITORS}
    tokens = {name: browser.token() if name else _anonymous_token(browser) for name, (browser, _) in browsers.items()}
    for state in workflow.states:
        _move(work, reference, state)
        for name, (browser, _) in browsers.items():
            actor = persons.get(name, NOBODY)
            may_view = _holds(workflow, state, "view", actor)
            for route in OF_DOCUMENTS:
                permission = POSTED.get(route.endpoint, ACCESS[route.endpoint])
                if "POST" not in route.methods or (may_view and _holds(workflow, state, permission, actor)):
                    continue
                if may_view and (not permission or route.endpoint in HELD_BY_OTHER_RULES):
                    continue
                before = _count_history(work)
                path = _fill(route.rule, {"reference": reference, **VALUES})
                answer = browser.client.post(path, data={"csrf_token": tokens[name], "position": "yes"})
                accepted = (403, 404) if may_view else HIDDEN[actor.is_anonymous]
                assert answer.status_code in accepted, (state, name, path, answer.status_code)
                assert _count_history(work) == before, (state, name, path)


def _anonymous_token(browser) -> str:
    page = browser.get("/check").get_data(as_text=True)
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def _count_history(work) -> int:
    work.session.rollback()
    return len(work.session.scalars(select(HistoryEntryRow.id)).all())
