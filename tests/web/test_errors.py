import pytest
from flask import Flask

from r2pflow.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Refusal, Refused, SetupError
from r2pflow.web.errors import sentence, status_of
from r2pflow.web.rendering import make_environment


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("required", field="name"), 422),
        (NotFound("document_not_found", reference="X"), 404),
        (Forbidden("no_permission", permission="edit"), 403),
        (Conflict("moved_on"), 409),
        (SetupError("fonts_missing"), 503),
        (Refused("submit", [Refusal("condition", {"name": "has_text"})]), 409),
        (Refused("submit", [Refusal("condition", {"name": "has_text"}), Refusal("no_role", {"roles": []})]), 403),
    ],
)
def test_every_kind_of_error_has_one_status(error, status):
    assert status_of(error) == status


def test_an_unknown_code_still_gets_a_sentence(app: Flask):
    with app.test_request_context():
        assert sentence(InvalidInput("never_heard_of")) == (
            "Something in what you sent does not fit. Check it and try again."
        )


def test_a_page_that_needs_a_person_says_so_to_nobody(browse):
    page = browse("").get("/desk")
    assert page.status_code == 403
    assert "Please sign in to do this." in page.text


def test_a_form_without_its_token_is_refused_and_gives_the_words_back(browse):
    browser = browse("member")
    words = "A long and careful wording that nobody wants to write for a second time."
    page = browser.client.post("/account", data={"language": "fr", "note": words})
    assert page.status_code == 403
    assert words in page.text
    assert "send it once more" in page.text


def test_an_upload_over_the_limit_is_refused_with_the_limit(app: Flask, browse):
    browser = browse("member")
    page = browser.client.post("/account", data={"note": "x" * (11 * 1024 * 1024)})
    assert page.status_code == 413
    assert "10.5 MB" in page.text


def test_htmx_gets_a_part_of_a_page(browse):
    page = browse("").get("/desk", headers={"HX-Request": "true"})
    assert page.status_code == 403
    assert "<html" not in page.text and "Please sign in" in page.text


def test_every_template_compiles():
    environment = make_environment()
    for name in environment.list_templates():
        environment.get_template(name)
