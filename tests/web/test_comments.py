"""Comment on a text, and answer in the ledger."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from r2pflow.domain.people import Actor
from r2pflow.domain.text import canonical
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import comments
from r2pflow.services.comments import NewComment
from r2pflow.services.drafting import create_document, save_text
from r2pflow.services.transitions import fire

TEXT = '<h1>Act early</h1><p data-block="p1">Warnings come first.</p><p data-block="p2">Then come deeds.</p>'
FIELDS = {"scope": "normative", "crimes": ["genocide"]}
COMMENT = {"kind": "substantive", "body": "Say who warns.", "language": "en", "block": "p1", "exact": "Warnings"}


@pytest.fixture
def paper(work: UnitOfWork, persons: dict[str, Actor]) -> str:
    """A position paper in member comment."""
    reference = create_document(work, persons["secretary"], "position_paper", canonical(TEXT), fields=FIELDS)
    fire(work, persons["secretary"], reference, "open_comment")
    work.commit()
    return reference


@pytest.fixture
def comment(work: UnitOfWork, persons: dict[str, Actor], paper: str) -> Callable[..., int]:
    def write(block: str = "p1", exact: str = "Warnings", suggestion: str = "", language: str = "en") -> int:
        new = NewComment("substantive", "Say who warns.", language, block, exact, suggestion=suggestion)
        number = comments.submit_comment(work, persons["member"], paper, new)
        work.commit()
        return number

    return write


def read(response: Any) -> str:
    return " ".join(response.get_data(as_text=True).split())


def test_a_member_comments_on_words_and_finds_it_in_the_ledger(browse: Any, paper: str) -> None:
    member = browse("member")
    page = read(member.get(f"/documents/{paper}"))
    assert "data-comment-form" in page and f"/documents/{paper}/comments/new?block=p1" in page
    response = member.post(
        f"/documents/{paper}/comments/new", COMMENT | {"suggestion": "Signals"}, follow_redirects=True
    )
    page = read(response)
    assert "Your comment is recorded." in page and "Say who warns." in page and "<q>Warnings</q>" in page
    assert "<del>Warnings</del>" in page and "<ins>Signals</ins>" in page
    assert "Delta Network" in page


def test_without_script_a_paragraph_is_commented_on_a_page_of_its_own(browse: Any, paper: str) -> None:
    page = read(browse("member").get(f"/documents/{paper}/comments/new?block=p2"))
    assert "Then come deeds." in page and 'name="block" value="p2"' in page


def test_a_comment_from_beside_the_text_returns_to_its_paragraph(browse: Any, paper: str) -> None:
    response = browse("member").post(f"/documents/{paper}/comments/new", COMMENT | {"back": "text"})
    assert response.location.endswith(f"/documents/{paper}#b-p1")


def test_a_refused_comment_keeps_what_was_written(browse: Any, paper: str) -> None:
    member = browse("member")
    for wrong, told in (
        ({"body": "  "}, "Please write your comment"),
        ({"exact": "Nobody wrote this"}, "are not in this paragraph"),
        ({"block": "gone"}, "no longer in the text"),
        ({"kind": "praise"}, "does not take comments of that kind"),
    ):
        response = member.post(f"/documents/{paper}/comments/new", COMMENT | {"suggestion": "Signals"} | wrong)
        page = read(response)
        assert response.status_code == 422 and told in page and "Signals" in page, told


def test_after_the_round_a_comment_is_refused_but_not_lost(
    browse: Any, paper: str, work: UnitOfWork, persons: dict[str, Actor]
) -> None:
    fire(work, persons["secretary"], paper, "close_comment")
    work.commit()
    member = browse("member")
    response = member.post(f"/documents/{paper}/comments/new", COMMENT)
    page = read(response)
    assert response.status_code == 403
    assert "Your comment was not recorded" in page and "Say who warns." in page
    assert member.get(f"/documents/{paper}/comments/new").status_code == 403


def test_who_may_not_comment_is_offered_no_form(browse: Any, paper: str) -> None:
    assert "data-comment-form" not in read(browse("secretary").get(f"/documents/{paper}"))
    assert browse("secretary").get(f"/documents/{paper}/comments/new").status_code == 403


def test_comments_stand_beside_their_paragraph(browse: Any, paper: str, comment: Any) -> None:
    for _ in range(4):
        comment()
    page = read(browse("secretary").get(f"/documents/{paper}"))
    assert 'class="block has-comments is-paragraph" id="b-p1"' in page
    assert page.count('class="note"') == 3 and "1 more" in page


def test_the_ledger_tells_who_has_not_answered_yet(browse: Any, paper: str, comment: Any) -> None:
    comment()
    page = read(browse("secretary").get(f"/documents/{paper}/comments"))
    assert "2 organisations have not commented yet" in page
    silent = page[page.index('class="names"') :]
    silent = silent[: silent.index("</ul>")]
    assert "Alpha" in silent and "Beta" in silent and "Delta" not in silent


def test_the_secretariat_answers_and_the_commenter_acknowledges(browse: Any, paper: str, comment: Any) -> None:
    number = comment()
    secretary, member = browse("secretary"), browse("member")
    answer = {"outcome": "rejected", "reason": "The next paragraph says it.", "seen_outcome": ""}
    response = secretary.post(f"/documents/{paper}/comments/{number}/answer", answer, follow_redirects=True)
    page = read(response)
    assert "1 of 1 comment answered" in page and "The next paragraph says it." in page and "not accepted" in page
    page = read(member.get(f"/documents/{paper}/comments?show=mine"))
    assert "Does this answer satisfy you?" in page and "answer_form" not in page
    response = member.post(
        f"/documents/{paper}/comments/{number}/acknowledge", {"satisfied": "no"}, follow_redirects=True
    )
    assert "the commenter is not satisfied" in read(response)
    assert member.post(f"/documents/{paper}/comments/{number}/answer", answer).status_code == 403
    assert secretary.post(f"/documents/{paper}/comments/{number}/acknowledge", {"satisfied": "yes"}).status_code == 403


def test_an_answer_without_reason_is_refused_and_keeps_its_choice(browse: Any, paper: str, comment: Any) -> None:
    number = comment()
    response = browse("secretary").post(
        f"/documents/{paper}/comments/{number}/answer", {"outcome": "partly", "reason": ""}
    )
    page = read(response)
    assert response.status_code == 422 and "Please give a reason" in page
    assert re.search(r'name="outcome" value="partly" required checked', page)


def test_an_answer_given_meanwhile_is_not_overwritten(browse: Any, paper: str, comment: Any) -> None:
    number = comment()
    secretary = browse("secretary")
    first = {"outcome": "accepted", "reason": "Yes.", "seen_outcome": ""}
    secretary.post(f"/documents/{paper}/comments/{number}/answer", first)
    late = {"outcome": "rejected", "reason": "My long-considered reason.", "seen_outcome": ""}
    response = secretary.post(f"/documents/{paper}/comments/{number}/answer", late)
    assert response.status_code == 409 and "My long-considered reason." in read(response)


def test_comments_whose_words_are_gone_come_first(
    browse: Any, paper: str, comment: Any, work: UnitOfWork, persons: dict[str, Actor]
) -> None:
    comment("p2", "deeds")
    lost = comment("p1", "Warnings")
    fire(work, persons["secretary"], paper, "close_comment")
    save_text(
        work,
        persons["secretary"],
        paper,
        canonical('<h1>Act early</h1><p data-block="p2">Then come deeds.</p>'),
        based_on=1,
    )
    work.commit()
    page = read(browse("secretary").get(f"/documents/{paper}/comments"))
    assert "Their words are gone from the text" in page
    assert page.index(f'id="comment-{lost}"') < page.index('aria-label="Comments"')
    assert page.count(f'id="comment-{lost}"') == 1


def test_an_accepted_suggestion_leads_to_its_paragraph_in_the_editor(
    browse: Any, paper: str, comment: Any, work: UnitOfWork, persons: dict[str, Actor]
) -> None:
    number = comment(suggestion="Signals")
    comments.dispose(work, persons["secretary"], number, "accepted", "Better.")
    fire(work, persons["secretary"], paper, "close_comment")
    work.commit()
    assert f"/documents/{paper}/edit#p1" in read(browse("secretary").get(f"/documents/{paper}/comments"))


def test_a_comment_is_read_in_its_own_language_and_direction(browse: Any, paper: str, comment: Any) -> None:
    comment(language="ar")
    page = read(browse("secretary").get(f"/documents/{paper}/comments"))
    assert 'class="comment-body" lang="ar" dir="rtl"' in page


def test_a_comment_of_another_document_is_not_found_here(
    browse: Any, paper: str, comment: Any, work: UnitOfWork, persons: dict[str, Actor]
) -> None:
    number = comment()
    other = create_document(work, persons["secretary"], "position_paper", canonical(TEXT), fields=FIELDS)
    work.commit()
    answer = {"outcome": "rejected", "reason": "No."}
    assert browse("secretary").post(f"/documents/{other}/comments/{number}/answer", answer).status_code == 404


def test_the_ledger_is_paged_and_narrowed(
    browse: Any, paper: str, comment: Any, work: UnitOfWork, persons: Any
) -> None:
    numbers = [comment() for _ in range(27)]
    comments.dispose(work, persons["secretary"], numbers[0], "accepted", "Yes.")
    work.commit()
    secretary = browse("secretary")
    page = read(secretary.get(f"/documents/{paper}/comments"))
    assert page.count('class="comment') >= 25 and 'rel="next"' in page
    page = read(secretary.get(f"/documents/{paper}/comments?show=unanswered&page=2"))
    assert f'id="comment-{numbers[0]}"' not in page and f'id="comment-{numbers[26]}"' in page
    assert f'id="comment-{numbers[3]}"' not in read(browse("steerer").get(f"/documents/{paper}/comments?show=mine"))
