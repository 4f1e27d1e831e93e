import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.domain.text import canonical
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.dossiers import save_dossier
from r2pflow.services.drafting import create_document
from r2pflow.services.sharing import share_dossier
from r2pflow.services.transitions import fire

from .conftest import Browser

Open = Callable[[str], Browser]


@pytest.fixture
def dossiers(work: UnitOfWork, persons: dict[str, Actor]) -> dict[str, str]:
    """A campaign with a consultation in it, each with a paper: the lower one in drafting, the upper one in comment."""
    save_dossier(work, THE_SYSTEM, "prevention", {"en": "Prevention", "fr": "Prévention"}, "campaign")
    save_dossier(work, THE_SYSTEM, "roundtable", {"en": "Roundtable"}, "consultation", "prevention")
    office = persons["secretary"]
    html = "<h1>{}</h1><p>Text.</p>"
    upper = create_document(work, office, "position_paper", canonical(html.format("Upper")), dossier="prevention")
    lower = create_document(work, office, "position_paper", canonical(html.format("Lower")), dossier="roundtable")
    fire(work, office, upper, "open_comment")
    work.commit()
    return {"upper": upper, "lower": lower}


def test_the_board_shows_what_lies_in_and_below_by_stage(
    browse: Open, dossiers: dict[str, str], count_queries: list[str]
):
    browser = browse("secretary")
    del count_queries[:]
    page = browser.get("/dossiers/prevention").get_data(as_text=True)
    assert len(count_queries) <= 25
    assert page.index("Drafting") < page.index("Member comment")
    assert "Upper" in page and "Lower" in page and "Roundtable" in page
    assert "began the document." in page and "Open for comment" in page


def test_a_board_and_its_history_tell_nothing_of_what_is_closed_to_the_reader(browse: Open, dossiers: dict[str, str]):
    page = browse("member").get("/dossiers/prevention").get_data(as_text=True)
    assert "Upper" in page and "Lower" not in page
    assert "New document here" not in page
    page = browse("outsider").get("/dossiers/prevention").get_data(as_text=True)
    assert "Upper" not in page and "No document here that is open to you" in page


def test_the_tree_counts_what_the_reader_may_see(browse: Open, dossiers: dict[str, str]):
    page = browse("member").get("/dossiers").get_data(as_text=True)
    assert page.index("Prevention") < page.index("Roundtable") and "level-1" in page
    assert page.count("1 document<") == 1
    assert "Prévention" in browse("member").get("/dossiers?hl=fr").get_data(as_text=True)


def test_the_secretariat_makes_and_renames_a_dossier(browse: Open, dossiers: dict[str, str]):
    browser = browse("secretary")
    form = {"title-en": "Crisis desk", "title-ar": "مكتب الأزمات", "kind": "crisis", "slug": "crisis-desk"}
    made = browser.post("/dossiers/new", {**form, "parent": "prevention"})
    assert made.status_code == 302 and made.location.endswith("/dossiers/crisis-desk")
    assert "Prevention" in browser.get("/dossiers/crisis-desk").get_data(as_text=True)
    browser.post("/dossiers/crisis-desk/edit", {"title-en": "Early warning", "kind": "crisis"})
    assert "Early warning" in browser.get("/dossiers/crisis-desk").get_data(as_text=True)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"slug": "prevention"}, "already in use"),
        ({"slug": "new"}, "already in use"),
        ({"slug": "Not a name!"}, "lower-case letters"),
        ({"title-en": "", "title-fr": ""}, "Please fill in this field"),
        ({"kind": "party"}, "is not one of the choices"),
    ],
)
def test_a_dossier_that_makes_no_sense_is_refused_and_what_was_typed_is_kept(
    browse: Open, dossiers: dict[str, str], changed: dict[str, str], told: str
):
    form = {"title-en": "Crisis desk", "kind": "crisis", "slug": "crisis-desk", "title-fr": "Cellule"} | changed
    response = browse("secretary").post("/dossiers/new", form)
    page = response.get_data(as_text=True)
    assert response.status_code == 422 and told in page and changed.get("title-fr", "Cellule") in page


def test_only_the_office_keeps_dossiers_and_only_the_signed_in_see_them(browse: Open, dossiers: dict[str, str]):
    member = browse("member")
    assert member.get("/dossiers/new").status_code == 403
    assert member.post("/dossiers/prevention/edit", {"title-en": "X", "kind": "crisis"}).status_code == 403
    assert browse("").get("/dossiers").status_code == 403
    assert browse("").get("/dossiers/prevention").status_code == 403
    assert member.get("/dossiers/unheard-of").status_code == 404


def read(response: Any) -> str:
    return " ".join(response.get_data(as_text=True).split())


def test_a_dossier_is_moved_after_one_has_seen_what_follows(
    browse: Open, work: UnitOfWork, persons: dict[str, Actor], dossiers: dict[str, str]
):
    save_dossier(work, THE_SYSTEM, "aside", {"en": "Aside"}, "crisis")
    share_dossier(work, persons["secretary"], "prevention", "editor", person_id=persons["outsider"].person_id)
    work.commit()
    browser, outsider = browse("secretary"), browse("outsider")
    assert outsider.get(f"/documents/{dossiers['lower']}").status_code == 200
    form = {"title-en": "Round table", "kind": "crisis", "parent": "aside"}
    page = read(browser.post("/dossiers/roundtable/edit", form))
    assert "1 person loses access." in page and "Outsider" in page and "Save and move" in page
    assert 'value="Round table"' in page and 'name="confirmed" value="aside"' in page
    assert outsider.get(f"/documents/{dossiers['lower']}").status_code == 200
    assert "Roundtable" in read(browser.get("/dossiers/prevention"))
    moved = browser.post("/dossiers/roundtable/edit", {**form, "confirmed": "aside"})
    assert moved.status_code == 302
    assert outsider.get(f"/documents/{dossiers['lower']}").status_code == 404
    assert "Round table" in read(browser.get("/dossiers/aside"))
    told = read(browser.get(f"/documents/{dossiers['lower']}/history"))
    assert "moved the dossier “Round table”, with this document, from “Prevention” to “Aside”." in told
    below = browser.post("/dossiers/prevention/edit", {**form, "parent": "prevention"})
    assert below.status_code == 422 and "A dossier cannot lie in itself" in read(below)
    assert browser.post("/dossiers/roundtable/edit", {**form, "parent": "-"}).status_code == 200


def test_a_document_is_moved_after_one_has_seen_what_follows(
    browse: Open, work: UnitOfWork, persons: dict[str, Actor], dossiers: dict[str, str]
):
    share_dossier(work, persons["secretary"], "prevention", "editor", person_id=persons["outsider"].person_id)
    work.commit()
    browser, path = browse("secretary"), f"/documents/{dossiers['lower']}/move"
    assert "Roundtable" in read(browser.get(path))
    page = read(browser.post(path, {"dossier": "-"}))
    assert "1 person loses access." in page and "Outsider: editor, from the dossier “Prevention”" in page
    assert "no role changes" in read(browser.post(path, {"dossier": "prevention"}))
    done = browser.post(path, {"dossier": "-", "confirmed": "-"}, follow_redirects=True)
    assert "The document was moved." in read(done) and "In no dossier." in read(done)
    assert "moved the document from “Roundtable” to “no dossier”." in read(
        browser.get(f"/documents/{dossiers['lower']}/history")
    )
    assert browser.post(path, {"dossier": "unheard-of"}).status_code == 422
    assert browse("outsider").post(path, {"dossier": "-", "confirmed": "-"}).status_code == 404


def test_roles_are_given_taken_and_blocked_on_a_dossier(
    browse: Open, persons: dict[str, Actor], dossiers: dict[str, str]
):
    browser, outsider = browse("secretary"), browse("outsider")
    holder = f"person-{persons['outsider'].person_id}"
    assert f'value="{holder}"' in read(browser.get("/dossiers/prevention/sharing?q=outsider"))
    given = {"q": "outsider", "holder": holder, "role": "secretariat"}
    assert "Shared: secretariat." in read(browser.post("/dossiers/prevention/sharing", given, follow_redirects=True))
    assert "from the dossier “Prevention”" in read(browser.get("/dossiers/roundtable/sharing"))
    assert outsider.get("/dossiers/roundtable/sharing").status_code == 200
    assert "Edit" in read(outsider.get("/dossiers/roundtable"))
    assert outsider.get("/dossiers/new").status_code == 403
    assert outsider.get("/dossiers/new?parent=roundtable").status_code == 200
    page = read(browser.post("/dossiers/roundtable/sharing/block", {"blocks": "1"}))
    assert "1 person loses access." in page
    assert outsider.get(f"/documents/{dossiers['lower']}").status_code == 200
    browser.post("/dossiers/roundtable/sharing/block", {"blocks": "1", "confirmed": "1"})
    assert outsider.get(f"/documents/{dossiers['lower']}").status_code == 404
    assert outsider.get("/dossiers/roundtable/sharing").status_code == 403
    assert "kept from this one" in read(browser.get("/dossiers/roundtable/sharing"))
    take = re.findall(r'action="([^"]+/take)"', read(browser.get("/dossiers/prevention/sharing")))[0]
    assert "The role was taken away." in read(browser.post(take, follow_redirects=True))
    assert browser.post("/dossiers/prevention/sharing", {"role": "editor"}).status_code == 422
    assert browser.post("/dossiers/prevention/sharing", {"holder": holder, "role": "manager"}).status_code == 422


def test_what_is_shared_above_is_kept_from_a_document(
    browse: Open, work: UnitOfWork, persons: dict[str, Actor], dossiers: dict[str, str]
):
    share_dossier(work, persons["secretary"], "prevention", "editor", person_id=persons["outsider"].person_id)
    work.commit()
    browser, outsider, path = browse("secretary"), browse("outsider"), f"/documents/{dossiers['lower']}"
    assert "1 person loses access." in read(browser.post(f"{path}/sharing/block", {"blocks": "1"}))
    assert outsider.get(path).status_code == 200
    browser.post(f"{path}/sharing/block", {"blocks": "1", "confirmed": "1"})
    assert outsider.get(path).status_code == 404
    assert "kept from this document" in read(browser.get(f"{path}/sharing"))
    assert "1 person gains access." in read(browser.post(f"{path}/sharing/block", {"blocks": ""}))
    browser.post(f"{path}/sharing/block", {"confirmed": "1"})
    assert outsider.get(path).status_code == 200


def test_a_dossier_grants_after_one_has_seen_what_follows(browse: Open, work: UnitOfWork, persons: dict[str, Actor]):
    save_dossier(work, THE_SYSTEM, "open", {"en": "Open"}, "campaign")
    text = canonical("<h1>Report</h1><p>Text.</p>")
    reference = create_document(work, persons["secretary"], "consultation_report", text, dossier="open")
    work.commit()
    browser, member = browse("secretary"), browse("member")
    assert member.get(f"/documents/{reference}").status_code == 404
    form = {"mode-view": "beside", "roles-view": ["member"]}
    page = browser.post("/dossiers/open/permissions", form).get_data(as_text=True)
    assert "gain access." in page and "Member" in page
    confirmed = unescape(re.search(r'name="confirmed" value="([^"]*)"', page).group(1))
    assert member.get(f"/documents/{reference}").status_code == 404
    saved = browser.post("/dossiers/open/permissions", {**form, "confirmed": confirmed})
    assert saved.status_code == 302 and member.get(f"/documents/{reference}").status_code == 200
    assert "changed what the dossier “Open” grants: read." in read(browser.get(f"/documents/{reference}/history"))
    assert browser.post("/dossiers/open/permissions", {**form, "roles-view": ["emperor"]}).status_code == 422
    assert member.get("/dossiers/open/permissions").status_code == 403


def test_a_dossier_chooses_the_workflow_of_new_documents(browse: Open, dossiers: dict[str, str], work: UnitOfWork):
    browser = browse("secretary")
    page = read(browser.get("/dossiers/prevention/workflows"))
    assert "as the type says" in page
    form = {"policy-position_paper": "joint_statement"}
    told = read(browser.post("/dossiers/prevention/workflows", form, follow_redirects=True))
    assert "those that are there keep their workflows" in told
    assert "follow here: Joint statement" in read(browser.get("/dossiers/roundtable"))
    assert "as in the dossier “Prevention”: Joint statement" in read(browser.get("/dossiers/roundtable/workflows"))
    refused = browser.post("/dossiers/prevention/workflows", {"policy-position_paper": "no_such"})
    assert refused.status_code == 422 and 'href="#f-policy-position_paper"' in read(refused)


def test_only_an_empty_dossier_can_be_deleted(browse: Open, dossiers: dict[str, str], work: UnitOfWork):
    save_dossier(work, THE_SYSTEM, "empty", {"en": "Empty"}, "crisis", "roundtable")
    work.commit()
    browser = browse("secretary")
    assert "Delete the dossier" not in read(browser.get("/dossiers/roundtable/edit"))
    assert browser.post("/dossiers/roundtable/delete").status_code == 409
    assert "Delete the dossier" in read(browser.get("/dossiers/empty/edit"))
    assert browse("member").post("/dossiers/empty/delete").status_code == 403
    assert browser.post("/dossiers/empty/delete").status_code == 302
    assert browser.get("/dossiers/empty").status_code == 404
