import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from r2pflow.domain.people import Actor
from r2pflow.domain.tally import tally_files
from r2pflow.domain.text import canonical
from r2pflow.persistence.base import Base
from r2pflow.persistence.deliberation import BallotRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import ballots, queries
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document, save_text
from r2pflow.services.transitions import fire

from .conftest import Browser, make_host

WORKFLOWS = Path(__file__).parents[1] / "services" / "workflows"
TEXT = "<h1>Protect civilians</h1><p data-block='p1'>States must act early.</p>"
Open = Callable[[str], Browser]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    app = make_host(tmp_path, R2PFLOW_WORKFLOW_FOLDERS=str(WORKFLOWS))
    with app.app_context():
        Base.metadata.create_all(app.extensions["sqlalchemy"].engine)
    yield app
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


@pytest.fixture
def statement(work: UnitOfWork, persons: dict[str, Actor]) -> str:
    """A statement on which the ballot of alpha and beta is open."""
    reference = create_document(work, persons["secretary"], "statement", canonical(TEXT))
    fire(work, persons["secretary"], reference, "submit")
    work.commit()
    return reference


def read(browser: Browser, reference: str, query: str = "") -> str:
    response = browser.get(f"/documents/{reference}/decision{query}")
    assert response.status_code == 200
    return response.get_data(as_text=True)


def find_digest(page: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found
    return found.group(1)


def vote(browser: Browser, reference: str, position: str, reason: str = "", digest: str = ""):
    digest = digest or find_digest(read(browser, reference))
    form = {"position": position, "reason": reason, "digest": digest}
    return browser.post(f"/documents/{reference}/decision/position", form)


def test_a_voter_records_a_position_and_reads_it_in_the_verdict(browse: Open, statement: str):
    browser = browse("steerer")
    page = read(browser, statement)
    assert "You speak for Alpha Network" in page and "Still open" in page
    assert vote(browser, statement, "abstain").status_code == 302
    page = read(browser, statement)
    assert "Recorded: abstention, by Steerer" in page
    assert "Not yet spoken" in page and "Beta Network" in page


def test_a_position_may_be_changed_until_the_close_and_the_earlier_one_is_shown(browse: Open, statement: str):
    browser = browse("steerer")
    vote(browser, statement, "abstain", "Paragraph 1 names no addressee.")
    vote(browser, statement, "yes")
    page = read(browser, statement)
    assert "Recorded: in favour" in page and "1 position was changed" in page
    assert "Paragraph 1 names no addressee." in page


def test_a_missing_reason_keeps_the_choice_and_stands_beside_its_field(browse: Open, statement: str):
    response = vote(browse("steerer"), statement, "block", "  ")
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert re.search(r'value="block" required checked', page)
    assert 'id="f-reason-fault"' in page


def test_a_position_on_another_text_is_refused_and_what_was_written_is_kept(browse: Open, statement: str):
    response = vote(browse("steerer"), statement, "no", "Because of a word.", digest="0" * 64)
    page = response.get_data(as_text=True)
    assert response.status_code == 409
    assert "no longer the one on which this ballot was held" in page and "Because of a word." in page


def test_only_voters_get_the_form_and_only_they_may_record(browse: Open, statement: str):
    digest = find_digest(read(browse("steerer"), statement))
    member = browse("member")
    assert 'name="position"' not in read(member, statement)
    assert vote(member, statement, "yes", digest=digest).status_code == 403


def test_outsiders_do_not_find_the_decision_and_nobody_sees_it_unasked(browse: Open, statement: str):
    assert browse("outsider").get(f"/documents/{statement}/decision").status_code == 404
    assert browse("").get(f"/documents/{statement}/decision").status_code == 403
    assert browse("").get(f"/documents/{statement}/decision.json").status_code == 403
    assert browse("outsider").post(f"/documents/{statement}/decision/close").status_code == 404


def test_reading_the_decision_writes_nothing(browse: Open, statement: str, count_queries: list[str]):
    browser = browse("steerer")
    del count_queries[:]
    read(browser, statement)
    assert len(count_queries) <= 25
    assert not [one for one in count_queries if one.split()[0] in ("INSERT", "UPDATE", "DELETE")]


def test_the_file_makes_ballot_tally_come_to_the_same_verdict(
    browse: Open, statement: str, tmp_path: Path, persons: dict[str, Actor]
):
    browser = browse("steerer")
    vote(browser, statement, "abstain")
    told = json.loads(browser.get(f"/documents/{statement}/decision.json").data)
    rule = tmp_path / "rule.yaml"
    rule.write_text(json.dumps(told["rule"]))
    table = io.StringIO()
    writer = csv.DictWriter(table, ["voter", "position", "region"], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(told["voters"])
    positions = tmp_path / "positions.csv"
    positions.write_text(table.getvalue())
    assert tally_files(rule, positions, False).as_dict() == told["verdict"]


def test_a_ballot_that_still_waits_is_not_closed_by_hand(browse: Open, statement: str):
    office = browse("secretary")
    assert "By hand it can be closed once every voter has spoken" in read(office, statement)
    refused = office.post(f"/documents/{statement}/decision/close")
    assert refused.status_code == 422 and "The ballot is still open" in refused.get_data(as_text=True)
    assert browse("member").post(f"/documents/{statement}/decision/close").status_code == 403


def test_the_secretariat_closes_a_ballot_that_waits_for_nobody(browse: Open, statement: str, work: UnitOfWork):
    ballot = work.session.query(BallotRow).one()
    ballot.terms = {**ballot.terms, "close_early": "never"}
    work.session.delete(next(voter for voter in ballot.voters if voter.attributes["organisation"] == "beta"))
    work.commit()
    vote(browse("steerer"), statement, "yes")
    office = browse("secretary")
    assert "Nobody is waited for any more" in read(office, statement)
    assert office.post(f"/documents/{statement}/decision/close").status_code == 302
    assert "The text is approved." in read(office, statement)


def test_a_secret_ballot_shows_totals_and_no_names(browse: Open, statement: str, work: UnitOfWork):
    browser = browse("steerer")
    vote(browser, statement, "abstain", "We are not sure.")
    ballot = work.session.query(BallotRow).one()
    ballot.terms = {**ballot.terms, "secrecy": "secret"}
    work.commit()
    page = read(browse("member"), statement)
    assert "only its totals are shown" in page
    assert "Alpha Network" not in page and "We are not sure." not in page
    assert browse("member").get(f"/documents/{statement}/decision.json").status_code == 403


def test_the_redline_is_against_what_the_person_saw_last(browse: Open, work: UnitOfWork, persons: dict[str, Actor]):
    office = persons["secretary"]
    reference = create_document(work, office, "statement", canonical(TEXT))
    fire(work, office, reference, "open_comment")
    queries.mark_seen(work, persons["steerer"], get_subject(work, persons["steerer"], reference))
    fire(work, office, reference, "close_comment")
    changed = canonical(TEXT.replace("early", "without delay"))
    save_text(work, office, reference, changed, based_on=1)
    fire(work, office, reference, "submit")
    work.commit()
    page = read(browse("steerer"), reference)
    assert "since you last looked (revision 1)" in page
    assert "<del>early</del>" in page and "<ins>without delay</ins>" in page
    assert "since the first text" in read(browse("member"), reference)


def test_an_earlier_ballot_can_be_read_and_takes_no_positions(
    browse: Open, statement: str, work: UnitOfWork, persons: dict[str, Actor]
):
    subject = get_subject(work, persons["steerer"], statement)
    ballots.record_position(
        work, persons["steerer"], statement, "block", "Not in our name.", digest=subject.text_digest
    )
    work.commit()
    fire(work, persons["secretary"], statement, "submit")
    work.commit()
    browser = browse("steerer")
    page = read(browser, statement)
    first = re.search(r"decision\?ballot=(\d+)", page)
    assert first and 'name="position"' in page
    earlier = read(browser, statement, f"?ballot={first.group(1)}")
    assert "This is an earlier ballot" in earlier and "Not in our name." in earlier
    assert 'name="position"' not in earlier
    assert browser.get(f"/documents/{statement}/decision?ballot=999").status_code == 404


def test_before_any_ballot_the_page_tells_the_rule(browse: Open, work: UnitOfWork, persons: dict[str, Actor]):
    reference = create_document(work, persons["secretary"], "position_paper", canonical(TEXT))
    work.commit()
    page = read(browse("secretary"), reference)
    assert "No ballot has been held yet" in page and "of all who may vote" in page
