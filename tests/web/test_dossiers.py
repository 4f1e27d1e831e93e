from collections.abc import Callable

import pytest

from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.domain.text import canonical
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.dossiers import save_dossier
from r2pflow.services.drafting import create_document
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
