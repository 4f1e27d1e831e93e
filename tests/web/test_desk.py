"""The desk and the directory."""

import pytest

from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.persistence.people import OrganisationRow, PersonRow
from r2pflow.services import people
from r2pflow.services.comments import NewComment, dispose, submit_comment
from r2pflow.services.desk import read_desk
from r2pflow.services.drafting import create_document
from r2pflow.services.transitions import fire

TEXT = "<h1 data-block='title'>Protect civilians</h1><p data-block='p1'>States must act early.</p>"


def open_round(work, persons) -> str:
    fields = {"scope": "normative", "crimes": ["genocide"]}
    reference = create_document(work, persons["secretary"], "joint_statement", canonical(TEXT), fields=fields)
    work.commit()
    fire(work, persons["secretary"], reference, "open_comment")
    work.commit()
    return reference


def test_an_open_round_waits_on_a_members_desk_with_its_deadline(browse, work, persons):
    reference = open_round(work, persons)
    page = browse("member").get("/desk").text
    assert "Comment for your organisation" in page or "comment" in page.lower()
    assert "Protect civilians" in page and f"/documents/{reference}" in page
    assert "<time" in page


def test_an_empty_desk_says_what_will_come(browse):
    page = browse("outsider").get("/desk").text
    assert "Nothing waits for you" in page


def test_the_desk_needs_as_many_queries_for_many_documents_as_for_few(browse, work, persons, count_queries):
    open_round(work, persons)
    browser = browse("member")
    browser.get("/desk")
    del count_queries[:]
    browser.get("/desk")
    few = len(count_queries)
    for _more in range(8):
        open_round(work, persons)
    del count_queries[:]
    browser.get("/desk")
    assert len(count_queries) == few <= 25


def test_the_directory_narrows_by_region_sector_function_and_scope(browse, work, persons):
    values = {"functions": ["research"], "scope": "national", "sector": "academia"}
    people.save_organisation(work, THE_SYSTEM, {**values, "region": "africa"}, slug="alpha")
    work.commit()
    browser = browse("member")
    everything = browser.get("/directory").text
    assert "Alpha Network" in everything and "Beta Network" in everything
    for asked in ("region=africa", "function=research", "scope=national", "sector=academia", "q=alph"):
        page = browser.get(f"/directory?{asked}").text
        assert "Alpha Network" in page and "Beta Network" not in page, asked
    assert "No organisation fits" in browser.get("/directory?q=zzz").text


def test_the_directory_is_for_those_who_are_signed_in(browse):
    for path in ("/directory", "/directory/people", "/directory/groups", "/directory/organisations/alpha"):
        assert browse("").get(path).status_code == 403


@pytest.mark.parametrize("name", ["member", "steerer", "translator", "outsider"])
def test_only_the_secretariat_and_administrators_keep_the_directory(browse, name):
    browser = browse(name)
    for path in ("/directory/new-person", "/directory/new-organisation", "/directory/organisations/alpha/edit"):
        assert browser.get(path).status_code == 403
        assert browser.post(path, {"name": "X"}).status_code == 403
    assert "@example.org" not in browser.get("/directory/organisations/delta").text


def test_the_secretariat_adds_an_organisation_and_its_person(browse, work, persons):
    browser = browse("secretary")
    form = {"slug": "gamma", "name_en": "Gamma Forum", "name_ar": "منتدى غاما", "region": "europe", "language": "en"}
    saved = browser.post("/directory/new-organisation", {**form, "roles": ["member"], "functions": ["research"]})
    assert (saved.status_code, saved.location) == (303, "/directory/organisations/gamma")
    row = work.session.query(OrganisationRow).filter_by(slug="gamma").one()
    assert row.functions == ["research"] and [grant.role for grant in row.roles] == ["member"]
    person = {"name": "Noor", "email": "NOOR@gamma.example", "organisation": "gamma", "language": "ar"}
    browser.post("/directory/new-person", {**person, "timezone": "Asia/Amman"})
    found = work.session.query(PersonRow).filter_by(email="noor@gamma.example").one()
    assert found.organisation.slug == "gamma" and found.is_active
    assert "Noor" in browser.get("/directory/people?q=noor").text


def test_a_form_with_faults_keeps_what_was_typed_and_names_each_field(browse, persons):
    page = browse("secretary").post(
        "/directory/new-person", {"name": "Noor", "email": "not an address", "language": "ar", "timezone": "UTC"}
    )
    assert page.status_code == 422
    assert 'value="Noor"' in page.text and 'value="not an address"' in page.text
    assert 'href="#f-email"' in page.text and 'aria-describedby="f-email-fault"' in page.text


def test_a_secretary_makes_nobody_an_administrator_and_takes_it_from_nobody(browse, work, persons):
    browser = browse("secretary")
    assert 'value="manager"' not in browser.get("/directory/new-person").text
    manager = persons["manager"].person_id
    form = {"name": "M", "email": "manager@example.org", "language": "en", "timezone": "UTC", "is_active": "1"}
    assert browser.post(f"/directory/people/{manager}/edit", form).status_code == 303
    work.session.expire_all()
    assert [grant.role for grant in work.session.get(PersonRow, manager).roles] == ["manager"]
    added = browser.post("/directory/new-person", {**form, "email": "new@example.org", "roles": ["manager"]})
    assert added.status_code == 403


def test_a_person_chooses_language_and_time_zone(browse, work, persons):
    browser = browse("member")
    browser.get("/desk?hl=en")
    assert browser.post("/account", {"language": "ar", "timezone": "Asia/Amman"}).status_code == 302
    assert '<html lang="ar" dir="rtl"' in browser.get("/desk").text
    wrong = browser.post("/account", {"language": "ar", "timezone": "Mars/Olympus"})
    assert wrong.status_code == 422 and "Mars/Olympus" in wrong.text


def test_a_worklist_is_shown_to_those_whom_its_guard_lets_through_and_while_its_tests_hold(work, persons):
    reference = open_round(work, persons)
    comment = NewComment("substantive", "Say which States.", "en", "p1", "States must act early.")
    comment_id = submit_comment(work, persons["member"], reference, comment)
    fire(work, persons["secretary"], reference, "close_comment")
    work.commit()

    def lists_of(name: str) -> set[str]:
        desk = read_desk(work, persons[name])
        return {one.name for one in desk.waiting if one.kind == "worklist"}

    assert "to_answer" in lists_of("secretary") and "to_answer" not in lists_of("steerer")
    dispose(work, persons["secretary"], comment_id, "accepted", "Named now.")
    work.commit()
    assert "to_answer" not in lists_of("secretary")
    fire(work, persons["secretary"], reference, "submit")
    work.commit()
    assert "to_decide" in lists_of("steerer")
    assert "to_decide" not in lists_of("secretary") | lists_of("member") | lists_of("outsider")


def test_a_document_is_on_the_desk_once_however_many_lists_it_is_in(browse, work, persons):
    reference = open_round(work, persons)
    page = browse("member").get("/desk").text
    assert page.count(f'href="/documents/{reference}') == 1
