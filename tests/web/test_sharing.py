"""Sharing: who holds which role on a document."""

import re
from typing import Any

import pytest

from r2pflow.domain.people import Actor
from r2pflow.domain.text import canonical
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.drafting import create_document

TEXT = '<h1>Act early</h1><p data-block="p1">Warnings come first.</p>'


@pytest.fixture
def paper(work: UnitOfWork, persons: dict[str, Actor]) -> str:
    reference = create_document(work, persons["secretary"], "position_paper", canonical(TEXT))
    work.commit()
    return reference


def read(response: Any) -> str:
    return " ".join(response.get_data(as_text=True).split())


def test_the_page_tells_who_holds_what_and_from_where(browse: Any, paper: str) -> None:
    page = read(browse("secretary").get(f"/documents/{paper}/sharing"))
    assert "Secretary" in page and "author" in page and "given here" in page
    assert "What the workflow gives in this state" in page


def test_a_person_is_found_given_a_role_and_can_then_read(browse: Any, paper: str, persons: dict[str, Actor]) -> None:
    secretary, outsider = browse("secretary"), browse("outsider")
    assert outsider.get(f"/documents/{paper}").status_code == 404
    page = read(secretary.get(f"/documents/{paper}/sharing?q=outsider"))
    holder = f"person-{persons['outsider'].person_id}"
    assert f'value="{holder}"' in page
    response = secretary.post(
        f"/documents/{paper}/sharing", {"q": "outsider", "holder": holder, "role": "editor"}, follow_redirects=True
    )
    assert "Shared: editor." in read(response) and "Outsider" in read(response)
    assert "Edit the text" in read(outsider.get(f"/documents/{paper}"))
    assert outsider.get(f"/documents/{paper}/sharing").status_code == 403


def test_an_organisation_is_found_by_name_and_can_be_taken_out_again(
    browse: Any, paper: str, persons: dict[str, Actor]
) -> None:
    secretary, member = browse("secretary"), browse("member")
    holder = f"organisation-{persons['member'].organisation_id}"
    assert f'value="{holder}"' in read(secretary.get(f"/documents/{paper}/sharing?q=delta"))
    secretary.post(f"/documents/{paper}/sharing", {"holder": holder, "role": "editor"})
    assert member.get(f"/documents/{paper}").status_code == 200
    page = read(secretary.get(f"/documents/{paper}/sharing"))
    take = re.findall(r'action="([^"]+/take)"', page)[-1]
    assert "The role was taken away." in read(secretary.post(take, follow_redirects=True))
    assert member.get(f"/documents/{paper}").status_code == 404


def test_taking_a_role_away_is_asked_once_without_a_script_too(
    browse: Any, paper: str, persons: dict[str, Actor]
) -> None:
    secretary, member = browse("secretary"), browse("member")
    holder = f"organisation-{persons['member'].organisation_id}"
    secretary.post(f"/documents/{paper}/sharing", {"holder": holder, "role": "editor"})
    page = read(secretary.get(f"/documents/{paper}/sharing"))
    form = re.findall(r'action="([^"]+/take)".*?</form>', page, re.S)[-1]
    hidden = dict(
        re.findall(r'name="(asks[^"]*)" value="([^"]*)"', page.split(f'action="{form}"')[1].split("</form>")[0])
    )
    asked = read(secretary.post(form, hidden))
    assert "Take the role “editor” away from" in asked and f'action="{form}"' in asked
    assert f'href="/documents/{paper}/sharing"' in asked and 'name="asks' not in asked
    assert member.get(f"/documents/{paper}").status_code == 200
    assert "The role was taken away." in read(secretary.post(form, follow_redirects=True))
    assert member.get(f"/documents/{paper}").status_code == 404


def test_a_question_keeps_what_was_typed_and_leads_back_only_here(browse: Any, paper: str) -> None:
    form = {"asks": "Sure?", "asks-back": "//elsewhere.example/", "comment": "A <b>word</b>"}
    asked = read(browse("secretary").post(f"/documents/{paper}/fire/recall", form))
    assert "Sure?" in asked and 'name="comment" value="A &lt;b&gt;word&lt;/b&gt;"' in asked and "elsewhere" not in asked


def test_nobody_found_and_nobody_chosen_are_told(browse: Any, paper: str) -> None:
    secretary = browse("secretary")
    assert "Nobody found" in read(secretary.get(f"/documents/{paper}/sharing?q=zebra"))
    response = secretary.post(f"/documents/{paper}/sharing", {"q": "delta", "role": "editor"})
    assert response.status_code == 422 and 'href="#f-holder"' in read(response)


def test_a_role_that_cannot_be_shared_is_refused(browse: Any, paper: str, persons: dict[str, Actor]) -> None:
    secretary = browse("secretary")
    form = {"q": "delta", "holder": f"organisation-{persons['member'].organisation_id}", "role": "manager"}
    response = secretary.post(f"/documents/{paper}/sharing", form)
    assert response.status_code == 422 and 'href="#f-role"' in read(response)


def test_only_who_may_share_comes_here(browse: Any, paper: str) -> None:
    for name in ("member", "outsider", ""):
        assert browse(name).get(f"/documents/{paper}/sharing").status_code in (403, 404), name
        assert browse(name).post(
            f"/documents/{paper}/sharing", {"holder": "person-1", "role": "editor"}
        ).status_code in (
            403,
            404,
        )
