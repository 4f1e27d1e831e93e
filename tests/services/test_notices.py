"""Who is told of what: only those whom it concerns, who may see it, and once."""

import pytest
from sqlalchemy import event, func, select

from r2pflow.domain.errors import InvalidInput, NotFound
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.jobs.embedded import JobRow
from r2pflow.persistence.people import GroupRow
from r2pflow.services import ballots, comments, people, sharing, translating
from r2pflow.services.access import get_subject, list_viewers
from r2pflow.services.comments import NewComment
from r2pflow.services.notices import EVENTS, notify, prepare_mail
from r2pflow.services.timers import find_due, run_timer
from r2pflow.services.transitions import fire

FRENCH = {"title": "<h1>Protéger les civils</h1>", "p1": "<p>Agir tôt.</p>", "p2": "<p>Agir ensemble.</p>"}


def deliver(work):
    """Expand the queued notifications that are new; return the mails by event as {event: {address}}."""
    for job in work.session.scalars(select(JobRow).where(JobRow.kind == "notify", JobRow.done_at.is_(None))).all():
        notify(work, job.key, **job.payload)
        job.done_at = work.now()
    work.commit()
    told: dict[str, set[str]] = {}
    for job in work.session.scalars(select(JobRow).where(JobRow.kind == "mail", JobRow.done_at.is_(None))).all():
        mail = prepare_mail(work, job.key, job.payload)
        if mail is not None:
            told.setdefault(mail.event, set()).add(mail.email.split("@")[0])
        job.done_at = work.now()
    work.commit()
    return told


def comment(work, actor, reference):
    new = NewComment(kind="substantive", body="Say who acts.", language="en", block_id="p1")
    found = comments.submit_comment(work, actor, reference, new)
    work.commit()
    return found


@pytest.fixture
def in_comment(work, coalition, statement):
    fire(work, coalition["secretariat"], statement, "open_comment")
    work.commit()
    return statement


@pytest.fixture
def in_approval(work, coalition, statement):
    fire(work, coalition["secretariat"], statement, "submit")
    work.commit()
    return statement


def test_an_opened_round_is_told_to_every_person_of_the_members(work, coalition, in_comment):
    told = deliver(work)
    assert told == {"comment_round_opened": {"alpha", "beta", "gamma", "delta", "translator", "verifier"}}


def test_a_notification_done_again_tells_nobody_twice(work, coalition, in_comment):
    document_id = get_subject(work, THE_SYSTEM, in_comment).id
    for _ in range(2):
        assert notify(work, "notify:x", "comment_round_opened", document_id) == 6
    work.commit()
    assert work.session.scalar(select(func.count()).select_from(JobRow).where(JobRow.kind == "mail")) == 6


def test_a_mail_leads_to_the_document_in_the_language_of_its_reader(work, coalition, in_comment):
    document_id = get_subject(work, THE_SYSTEM, in_comment).id
    notify(work, "notify:x", "comment_round_opened", document_id)
    work.commit()
    job = work.session.scalars(
        select(JobRow).where(JobRow.key == f"mail:notify:x:{coalition['verifier'].person_id}")
    ).one()
    mail = prepare_mail(work, job.key, job.payload)
    assert (mail.language, mail.name, mail.key) == ("fr", "Verifier", job.key)
    assert mail.url == f"http://127.0.0.1:5000/documents/{in_comment}"
    assert mail.deadline is not None and mail.deadline > work.now()


def test_a_reminder_goes_to_organisations_that_have_not_commented(work, coalition, in_comment, clock):
    deliver(work)
    comment(work, coalition["alpha"], in_comment)
    comment(work, coalition["delta"], in_comment)  # speaks for the translator's and verifier's organisation too
    clock.forward(days=2, seconds=1)
    for timer_id in find_due(work, 10):
        run_timer(work, timer_id)
    work.commit()
    assert deliver(work)["round_reminder"] == {"beta", "gamma"}


def test_a_reminder_of_a_deadline_that_has_passed_tells_nobody(work, coalition, in_comment, clock):
    deliver(work)
    clock.forward(days=20)
    [reminder] = find_due(work, 1)
    run_timer(work, reminder)
    work.commit()
    assert "round_reminder" not in deliver(work)


def test_comments_that_come_together_are_one_mail_to_the_secretariat(work, coalition, in_comment):
    deliver(work)
    comment(work, coalition["alpha"], in_comment)
    comment(work, coalition["beta"], in_comment)
    assert deliver(work) == {"comment_submitted": {"secretariat"}}
    mails = work.session.scalars(select(JobRow).where(JobRow.key.like("mail:notify:comments:%"))).all()
    assert len(mails) == 1
    assert prepare_mail(work, mails[0].key, mails[0].payload).count == 2


def test_an_answer_goes_to_whoever_commented(work, coalition, in_comment):
    comment_id = comment(work, coalition["beta"], in_comment)
    deliver(work)
    fire(work, coalition["secretariat"], in_comment, "close_comment")
    comments.dispose(work, coalition["secretariat"], comment_id, "accepted", "It now says who.")
    work.commit()
    told = deliver(work)
    assert told == {"round_closed": {"secretariat"}, "comment_answered": {"beta"}}


def test_a_ballot_is_told_to_its_voters_and_its_close_to_the_secretariat_too(work, coalition, in_approval, clock):
    assert deliver(work) == {"ballot_opened": {"alpha", "beta", "gamma"}}
    clock.forward(days=5, seconds=1)
    for timer_id in find_due(work, 10):
        run_timer(work, timer_id)
        work.commit()
    assert deliver(work)["ballot_closed"] == {"alpha", "beta", "gamma", "secretariat"}


def test_a_reminder_of_a_ballot_goes_to_those_who_have_not_spoken(work, coalition, in_approval):
    subject = get_subject(work, THE_SYSTEM, in_approval)
    ballots.record_position(work, coalition["alpha"], in_approval, "yes", digest=subject.text_digest)
    assert notify(work, "notify:x", "reminder", subject.id) == 2
    work.commit()
    assert deliver(work)["ballot_reminder"] == {"beta", "gamma"}


def test_a_published_document_is_told_to_everybody_in_a_language_they_read(work, coalition, in_approval):
    digest = get_subject(work, THE_SYSTEM, in_approval).text_digest
    for voter in ("alpha", "beta", "gamma"):
        ballots.record_position(work, coalition[voter], in_approval, "yes", digest=digest)
        work.commit()
    document_id = get_subject(work, THE_SYSTEM, in_approval).id
    assert notify(work, "notify:t", "translation_wanted", document_id) == 2
    translating.save_translation(work, coalition["translator"], in_approval, "fr", FRENCH, digest=digest)
    translating.verify_translation(work, coalition["verifier"], in_approval, "fr", digest=digest)
    fire(work, coalition["secretariat"], in_approval, "publish")
    notify(work, "notify:p", "document_published", document_id)
    work.commit()
    told = deliver(work)
    assert len(told["document_published"]) == 7
    job = work.session.scalars(
        select(JobRow).where(JobRow.key == f"mail:notify:p:{coalition['verifier'].person_id}")
    ).one()
    mail = prepare_mail(work, job.key, job.payload)
    assert (mail.title, mail.title_language) == ("Protéger les civils", "fr")
    assert mail.url.endswith(f"/register/{mail.symbol}") and mail.symbol.startswith("TEST/")


def test_what_is_not_to_be_seen_is_not_told(work, coalition, statement):
    document_id = get_subject(work, THE_SYSTEM, statement).id
    assert notify(work, "notify:x", "state_entered", document_id, role="member", state="drafting") == 0


def test_who_left_before_the_mail_was_sent_gets_none(work, coalition, in_comment):
    document_id = get_subject(work, THE_SYSTEM, in_comment).id
    notify(work, "notify:x", "comment_round_opened", document_id)
    people.save_person(work, THE_SYSTEM, {"is_active": False}, person_id=coalition["alpha"].person_id)
    work.commit()
    assert "alpha" not in deliver(work)["comment_round_opened"]


def test_a_round_that_closed_before_its_mail_was_sent_is_not_told(work, coalition, in_comment):
    document_id = get_subject(work, THE_SYSTEM, in_comment).id
    notify(work, "notify:x", "comment_round_opened", document_id)
    fire(work, coalition["secretariat"], in_comment, "close_comment")
    work.commit()
    assert "comment_round_opened" not in deliver(work)


def test_an_event_that_nobody_knows_is_refused(work, coalition, statement):
    with pytest.raises(InvalidInput, match="unknown_event"):
        notify(work, "notify:x", "no_such_event", 1)
    assert "comment_round_opened" in EVENTS


def test_everybody_at_once_is_as_one_by_one(work, coalition, statement):
    """Roles of persons, organisations and groups, and shares for each, are found alike on both ways."""
    people.save_group(work, THE_SYSTEM, "bureau", {"en": "Bureau"}, ["beta"])
    subject = get_subject(work, THE_SYSTEM, statement)
    sharing.share(work, coalition["secretariat"], statement, "editor", person_id=coalition["translator"].person_id)
    sharing.share(
        work, coalition["secretariat"], statement, "editor", organisation_id=coalition["alpha"].organisation_id
    )
    group = work.session.scalars(select(GroupRow)).one()
    sharing.share(work, coalition["secretariat"], statement, "editor", group_id=group.id)
    work.commit()
    actors = people.load_actors(work)
    assert actors == [people.load_actor(work, actor.person_id) for actor in actors]
    assert {"bureau"} == next(actor for actor in actors if actor.name == "Beta").groups
    viewers = {subject.actor.name: subject for subject in list_viewers(work, actors, subject.id)}
    assert set(viewers) == {"Secretariat", "Translator", "Alpha", "Beta"}
    for actor in actors:
        if actor.name in viewers:
            assert get_subject(work, actor, subject.id) == viewers[actor.name]
        else:
            with pytest.raises(NotFound):
                get_subject(work, actor, subject.id)


def test_a_notification_asks_as_much_for_many_persons_as_for_few(work, coalition, in_comment):
    document_id = get_subject(work, THE_SYSTEM, in_comment).id
    seen: list[str] = []
    engine = work.session.get_bind()

    def note(_connection, _cursor, statement, *_rest):
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    counts = []
    for size in (0, 30):
        for number in range(size):
            values = {"name": f"P{number}", "email": f"p{number}@example.org", "organisation": "delta"}
            people.save_person(work, THE_SYSTEM, values)
        work.commit()
        del seen[:]
        notify(work, f"notify:{size}", "comment_round_opened", document_id)
        counts.append(len(seen))
    event.remove(engine, "before_cursor_execute", note)
    assert counts[0] == counts[1]
