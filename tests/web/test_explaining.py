"""Pages that explain: who may do what and why, and for one person each step, possible or all that is missing."""

from typing import Any

import pytest

from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.domain.text import canonical
from r2pflow.outputs.reasons import tell_could
from r2pflow.outputs.translations import translator
from r2pflow.persistence.documents import DocumentRow, LocalRoleRow
from r2pflow.persistence.people import GroupMemberRow, GroupRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import dossiers
from r2pflow.services import people as directory
from r2pflow.services.drafting import create_document
from r2pflow.services.explaining import explain, meet
from r2pflow.web.pages.explaining import LINES

TEXT = '<h1>Act early</h1><p data-block="p1">Warnings come first.</p>'


@pytest.fixture
def paper(work: UnitOfWork, persons: dict[str, Actor]) -> str:
    dossiers.save_dossier(work, THE_SYSTEM, "campaign", {"en": "Spring"}, "campaign")
    reference = create_document(work, persons["secretary"], "position_paper", canonical(TEXT), dossier="campaign")
    work.commit()
    return reference


def share(work: UnitOfWork, role: str, **place: Any) -> None:
    work.session.add(LocalRoleRow(role=role, created_at=work.now(), **place))
    work.commit()


def read(response: Any) -> str:
    return " ".join(response.get_data(as_text=True).split())


def sharing(browse: Any, paper: str, query: str = "", name: str = "secretary") -> str:
    response = browse(name).get(f"/documents/{paper}/sharing{query}")
    assert response.status_code == 200
    return read(response)


def test_the_table_says_who_may_do_what_and_from_where(browse: Any, work: UnitOfWork, persons: Any, paper: str) -> None:
    group = GroupRow(name="bureau", titles={"en": "The bureau"})
    work.session.add(group)
    work.session.flush()
    work.session.add(GroupMemberRow(group_id=group.id, organisation_id=persons["member"].organisation_id))
    share(work, "editor", dossier_id=1, group_id=group.id)
    share(work, "author", document_id=1, person_id=persons["outsider"].person_id)
    page = sharing(browse, paper)
    table = page[page.index("Who may do what, and why") :]
    assert "editor: given on the dossier “Spring”" in table, "the group itself"
    assert "editor: given to the group The bureau on the dossier “Spring”" in table, "an organisation in it"
    assert "author: given on this document" in table and "secretariat: own role" in table


def test_blocked_sharing_is_told(browse: Any, work: UnitOfWork, persons: Any, paper: str) -> None:
    share(work, "editor", dossier_id=1, person_id=persons["outsider"].person_id)
    assert "Outsider" in sharing(browse, paper)
    work.session.get_one(DocumentRow, 1).blocks_sharing = True
    work.commit()
    page = sharing(browse, paper)
    assert "What is shared on the dossiers above is blocked on this document." in page
    assert "editor: given on the dossier" not in page


def test_the_table_is_cut_into_pages(browse: Any, work: UnitOfWork, paper: str) -> None:
    for number in range(LINES + 3):
        values = {"name": f"Writer {number:02}", "email": f"writer{number}@example.org", "roles": []}
        share(work, "editor", document_id=1, person_id=directory.save_person(work, THE_SYSTEM, values))
    first, second = sharing(browse, paper), sharing(browse, paper, "?page=2")
    last = f"Writer {LINES + 2:02}"
    assert f'<th scope="row"><bdi>{last}</bdi>' in second.split("Who may do what, and why")[1]
    assert f'<th scope="row"><bdi>{last}</bdi>' not in first.split("Who may do what, and why")[1]
    assert last in sharing(browse, paper, "?page=99").split("Who may do what, and why")[1]


def test_for_a_person_each_step_is_explained_in_the_words_of_the_service(
    browse: Any, work: UnitOfWork, persons: Any, paper: str
) -> None:
    page = sharing(browse, paper, "?who=member@example.org")
    assert "What Member may do here" in page
    assert "You may not read at this stage" in page and "This is for: secretariat." in page
    assert "This step leads from: Translation. The document is in “Drafting”." in page
    subject = meet(work, THE_SYSTEM, paper, str(persons["member"].person_id))
    for one in explain(work, subject):
        assert tell_could(one, translator("en")) in page, one.transition.name


def test_among_several_of_that_name_one_is_chosen(browse: Any, persons: Any, paper: str) -> None:
    page = sharing(browse, paper, "?who=er")
    assert "What " not in page[page.index("Explain for a person") : page.index("What the workflow gives")]
    chosen = persons["steerer"].person_id
    assert f"as={chosen}" in page
    assert "What Steerer may do here" in sharing(browse, paper, f"?who=er&as={chosen}")
    assert "Nobody found" in sharing(browse, paper, "?who=zebra")
    assert "may do here" not in sharing(browse, paper, "?as=99999")


def test_everybody_sees_what_is_missing_for_themselves(browse: Any, paper: str) -> None:
    secretary = browse("secretary")
    page = read(secretary.get(f"/documents/{paper}/steps"))
    assert "What you may do here" in page and "possible now" in page and "author: given on this document" in page
    assert f"/documents/{paper}/steps" in read(secretary.get(f"/documents/{paper}"))
    secretary.post(f"/documents/{paper}/fire/open_comment")
    page = read(browse("member").get(f"/documents/{paper}/steps"))
    assert "This is for: secretariat." in page and "Who could: Secretary." in page


def test_the_number_of_queries_does_not_grow_with_those_who_hold_something(
    browse: Any, work: UnitOfWork, paper: str, count_queries: list[str]
) -> None:
    secretary = browse("secretary")

    def count() -> int:
        secretary.get(f"/documents/{paper}/sharing?who=member@example.org")
        del count_queries[:]
        secretary.get(f"/documents/{paper}/sharing?who=member@example.org")
        return len(count_queries)

    before = count()
    for number in range(20):
        values = {"name": f"Writer {number}", "email": f"writer{number}@example.org", "roles": ["member"]}
        share(work, "editor", document_id=1, person_id=directory.save_person(work, THE_SYSTEM, values))
    assert count() == before <= 40
