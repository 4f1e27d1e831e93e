"""The JSON API: what may be done with documents, why not, and doing it; errors as problems with the same sentences."""

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from r2pflow.domain.people import Actor
from r2pflow.domain.text import canonical
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.drafting import create_document
from r2pflow.web.api import ROUTES

OPENAPI = YAML(typ="safe").load(Path(__file__).parents[2] / "docs" / "openapi.yaml")
TEXT = '<h1>Act early</h1><p data-block="p1">Warnings come first.</p>'


@pytest.fixture
def paper(work: UnitOfWork, persons: dict[str, Actor]) -> str:
    reference = create_document(work, persons["secretary"], "position_paper", canonical(TEXT))
    work.commit()
    return reference


def fire(browser: Any, reference: str, transition: str, body: Any = None, **headers: str) -> Any:
    headers.setdefault("X-CSRFToken", browser.token())
    sent = body if isinstance(body, str) else json.dumps(body or {})
    path = f"/api/documents/{reference}/transitions/{transition}"
    return browser.client.post(path, data=sent, content_type="application/json", headers=headers)


def steps(response: Any) -> dict[str, Any]:
    return {one["name"]: one for one in response.get_json()["transitions"]}


def test_the_list_says_what_may_be_done_with_each(browse: Any, paper: str) -> None:
    told = browse("secretary").get("/api/documents").get_json()
    assert (told["page"], told["pages"], told["total"]) == (1, 1, 1)
    (document,) = told["documents"]
    assert document["reference"] == paper and document["state"] == "drafting" and document["may"] == ["open_comment"]
    assert browse("member").get("/api/documents").get_json()["documents"] == []
    assert browse("secretary").get("/api/documents?state=published").get_json()["total"] == 0


def test_every_transition_is_explained_as_the_page_does(browse: Any, paper: str) -> None:
    secretary = browse("secretary")
    told = steps(secretary.get(f"/api/documents/{paper}/transitions"))
    assert told["open_comment"]["fireable"] and told["open_comment"]["to"] == "member_comment"
    assert not told["publish"]["fireable"]
    assert told["publish"]["refusals"][0]["code"] == "wrong_state"
    assert "The document is in “Drafting”." in told["publish"]["refusals"][0]["message"]
    assert told["publish"]["could"]["some"] == [{"kind": "person", "name": "Secretary"}]
    assert told["withdraw"]["comment"] == "required"


def test_a_transition_is_fired_with_the_token_of_the_session(browse: Any, paper: str) -> None:
    secretary = browse("secretary")
    answer = secretary.get(f"/api/documents/{paper}/transitions")
    body = {"comment": "Now.", "change_number": answer.get_json()["change_number"]}
    token = answer.headers["X-CSRFToken"]
    fired = fire(secretary, paper, "open_comment", body, **{"X-CSRFToken": token})
    assert fired.status_code == 200, fired.get_data(as_text=True)
    assert fired.get_json()["state"] == "member_comment"
    assert secretary.get("/api/documents").get_json()["documents"][0]["may"] == ["close_comment"]


def test_without_the_token_nothing_is_fired(browse: Any, paper: str) -> None:
    secretary = browse("secretary")
    refused = fire(secretary, paper, "open_comment", **{"X-CSRFToken": "wrong"})
    assert refused.status_code == 403 and refused.get_json()["code"] == "form_expired"
    assert secretary.get("/api/documents").get_json()["documents"][0]["state"] == "drafting"


def test_a_refusal_is_a_problem_with_all_reasons(browse: Any, paper: str) -> None:
    refused = fire(browse("secretary"), paper, "publish")
    told = refused.get_json()
    assert refused.status_code == 409 and refused.content_type == "application/problem+json"
    assert (told["status"], told["code"], told["title"]) == (409, "refused", "Not possible now")
    assert [one["code"] for one in told["refusals"]] == ["wrong_state", "condition"]
    assert told["message"] == " ".join(one["message"] for one in told["refusals"])


def test_who_is_not_one_of_those_who_may_is_forbidden(browse: Any, paper: str) -> None:
    fire(browse("secretary"), paper, "open_comment")
    refused = fire(browse("member"), paper, "close_comment")
    assert refused.status_code == 403
    assert [one["code"] for one in refused.get_json()["refusals"]] == ["no_role"]


def test_a_stale_step_is_a_conflict_that_says_what_happened(browse: Any, paper: str) -> None:
    secretary = browse("secretary")
    seen = secretary.get(f"/api/documents/{paper}/transitions").get_json()["change_number"]
    fire(secretary, paper, "open_comment")
    stale = fire(secretary, paper, "close_comment", {"change_number": seen})
    told = stale.get_json()
    assert stale.status_code == 409 and told["code"] == "moved_on"
    assert told["meanwhile"][0]["transition"] == "open_comment"


@pytest.mark.parametrize("body", ["{", "[]", '"x"', '{"comment": 1}', '{"change_number": "1"}', '{"more": 1}', "null"])
def test_a_body_that_makes_no_sense_is_told_and_nothing_is_fired(browse: Any, paper: str, body: str) -> None:
    secretary = browse("secretary")
    refused = fire(secretary, paper, "open_comment", body)
    assert refused.status_code == 422 and refused.get_json()["code"] == "bad_body"
    assert secretary.get("/api/documents").get_json()["documents"][0]["state"] == "drafting"


def test_a_comment_may_not_be_endless(browse: Any, paper: str) -> None:
    refused = fire(browse("secretary"), paper, "open_comment", {"comment": "x" * 30_000})
    assert refused.status_code == 422 and refused.get_json()["field"] == "comment"


def test_what_is_not_there_or_not_open_is_not_found(browse: Any, paper: str) -> None:
    for browser, path in (
        (browse("secretary"), "/api/documents/XX-9/transitions"),
        (browse("member"), f"/api/documents/{paper}/transitions"),
    ):
        answer = browser.get(path)
        assert answer.status_code == 404 and answer.get_json()["code"] == "document_not_found"
    assert fire(browse("secretary"), paper, "fly").get_json()["code"] == "unknown_transition"
    assert browse("").get("/api/documents").get_json()["code"] == "sign_in_first"


def test_what_others_may_do_is_for_those_who_may_share(browse: Any, paper: str, persons: dict[str, Actor]) -> None:
    secretary, member = browse("secretary"), browse("member")
    answer = secretary.get(f"/api/documents/{paper}/transitions?as=member@example.org")
    assert answer.get_json()["person"]["name"] == "Member"
    told = steps(answer)["open_comment"]
    assert [one["code"] for one in told["refusals"]] == ["no_permission", "no_role"]
    assert secretary.get(f"/api/documents/{paper}/transitions?as=nobody@example.org").status_code == 404
    fire(secretary, paper, "open_comment")
    refused = member.get(f"/api/documents/{paper}/transitions?as=secretary@example.org")
    assert refused.status_code == 403 and refused.get_json()["code"] == "not_yours_to_explain"
    own = persons["member"].person_id
    assert member.get(f"/api/documents/{paper}/transitions?as={own}").status_code == 200


def test_sentences_are_in_the_reader_s_language(browse: Any, paper: str) -> None:
    answer = browse("secretary").get(f"/api/documents/{paper}/transitions?hl=fr")
    assert answer.headers["Content-Language"] == "fr"
    assert steps(answer)["open_comment"]["title"] == "Ouvrir aux observations"


def find_faults(value: Any, schema: dict[str, Any], place: str = "answer") -> list[str]:
    """Say which names that the schema requires are missing, anywhere in the value."""
    if "$ref" in schema:
        found: Any = OPENAPI
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return find_faults(value, found, place)
    faults = [f"{place}: {name}" for name in schema.get("required", ()) if name not in value]
    for part in schema.get("allOf", ()):
        faults += find_faults(value, part, place)
    for name, inner in schema.get("properties", {}).items():
        if isinstance(value, dict) and name in value:
            faults += find_faults(value[name], inner, f"{place}.{name}")
    for one in value if "items" in schema else ():
        faults += find_faults(one, schema["items"], f"{place}[]")
    if isinstance(inner := schema.get("additionalProperties"), dict):
        for name, one in value.items():
            faults += find_faults(one, inner, f"{place}.{name}")
    return faults


def test_answers_are_as_the_description_of_the_api_says(browse: Any, paper: str) -> None:
    described = {path: set(methods) for path, methods in OPENAPI["paths"].items()}
    assert described == {
        route.rule.replace("<", "{").replace(">", "}"): {method.lower() for method in route.methods} for route in ROUTES
    }

    def check(response: Any, path: str, method: str = "get") -> None:
        answers = OPENAPI["paths"][path][method]["responses"]
        schema = answers.get(str(response.status_code)) or OPENAPI["components"]["responses"]["problem"]
        assert find_faults(response.get_json(), schema["content"][response.content_type]["schema"]) == []

    secretary = browse("secretary")
    check(secretary.get("/api/documents"), "/api/documents")
    steps = "/api/documents/{reference}/transitions"
    check(secretary.get(f"/api/documents/{paper}/transitions"), steps)
    check(secretary.get("/api/documents/XX-1/transitions"), steps)
    for name in ("publish", "open_comment", "fly"):
        check(fire(secretary, paper, name), f"{steps}/{{transition}}", "post")
    assert find_faults({}, {"$ref": "#/components/schemas/refusal"}) != []
