"""A Plone site comes over with its dossiers, texts, past, translations, sharing and comments; and only once."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.plone_site import NEIGHBOURS, read_site
from r2pflow.jobs.embedded import JobRow
from r2pflow.persistence.base import Base
from r2pflow.persistence.deliberation import CommentRow, TranslationBlockRow, TranslationRow
from r2pflow.persistence.documents import DocumentRow, DossierRow, ImportedRow, LocalRoleRow
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.people import GroupMemberRow, GroupRow, PersonRow
from r2pflow.services import queries
from r2pflow.services.access import get_subject
from r2pflow.services.site_import import Choices, import_site
from r2pflow.services.texts import get_blocks

FOLDER = Path(__file__).parents[1] / "files" / "plone_site"
CHOICES = Choices({"*": "statement"}, {"private": "drafting"})


def read_files():
    content = json.loads((FOLDER / "site.json").read_text(encoding="utf-8"))
    beside = {key: json.loads((FOLDER / name).read_text(encoding="utf-8")) for key, name in NEIGHBOURS.items()}
    return content, beside


@pytest.fixture
def report(work):
    return import_site(work, read_site(*read_files()), CHOICES)


def get_document(work, title):
    row = work.session.scalars(select(DocumentRow).where(DocumentRow.title == title)).one()
    return get_subject(work, THE_SYSTEM, row.reference)


def count_everything(work):
    return {
        table.name: work.session.scalar(select(func.count()).select_from(table))
        for table in Base.metadata.sorted_tables
    }


def test_folders_become_dossiers_and_those_of_a_language_are_passed_over(work, report):
    rows = work.session.scalars(select(DossierRow).order_by(DossierRow.path)).all()
    assert [(row.slug, row.titles) for row in rows] == [
        ("campaign", {"en": "Campaign", "fr": "Campagne", "es": "Campaña"}),
        ("sub", {"en": "Sub-folder"}),
    ]
    assert rows[1].parent_id == rows[0].id
    assert (rows[1].blocks_sharing, rows[1].shared_path) == (True, f"/{rows[1].id}/")


def test_a_document_keeps_text_state_dates_and_author(work, report):
    subject = get_document(work, "Protect civilians now")
    texts = [block.plain for block in get_blocks(work, subject)]
    assert texts == ["Protect civilians now", "What we ask of every state.", "States must act early.", "Why"] + [
        "Every day counts."
    ]
    assert (subject.state_name, subject.state_entered_at.isoformat()) == ("published", "2024-04-01T10:00:00+00:00")
    assert subject.created_at.isoformat() == "2024-03-01T09:00:00+00:00"
    assert work.session.get_one(PersonRow, subject.author_id).email == "maria@example.org"


def test_its_past_is_readable_and_the_way_ends_where_it_stands(work, report):
    subject = get_document(work, "Protect civilians now")
    rows = work.session.scalars(
        select(HistoryEntryRow)
        .where(HistoryEntryRow.document_id == subject.id, HistoryEntryRow.kind == "transition")
        .where(HistoryEntryRow.actor_name != "Paul Martin")
        .order_by(HistoryEntryRow.id)
    ).all()
    assert [(one.transition, one.source, one.target, one.actor_name, one.comment) for one in rows] == [
        ("", "", "private", "Maria Silva", ""),
        ("submit", "private", "pending", "Maria Silva", "Ready."),
        ("publish", "pending", "published", "admin", "Agreed on Tuesday."),
    ]
    newest = queries.list_history(work, subject).rows[-1]
    assert newest.target == "private"
    assert queries.find_path(work, subject)[-1] == "published"


def test_a_translation_pairs_paragraph_by_paragraph(work, report):
    subject = get_document(work, "Protect civilians now")
    row = work.session.scalars(select(TranslationRow).where(TranslationRow.document_id == subject.id)).one()
    assert (row.language, row.status) == ("fr", "translated")
    blocks = work.session.scalars(select(TranslationBlockRow).where(TranslationBlockRow.translation_id == row.id)).all()
    by_id = {block.block_id: block.html for block in blocks}
    assert by_id["title"] == "<h1>Protégez les civils maintenant</h1>"
    assert len(by_id) == 5


def test_a_translation_that_does_not_pair_is_a_document_of_its_own(work, report):
    assert get_document(work, "Protejan a los civiles").language == "es"
    assert ("translation_apart", "es") in [(note.code, note.params.get("language")) for note in report.notes]


def test_a_volto_page_is_read_from_its_blocks(work, report):
    subject = get_document(work, "Minutes")
    assert [block.html for block in get_blocks(work, subject)][1] == "<p>We <strong>met</strong> &amp; agreed.</p>"
    assert subject.state_name == "drafting"
    assert [note.params["state"] for note in report.notes if note.code == "state_unknown"] == ["external", "pending"]


def test_local_roles_come_for_persons_and_groups_under_our_names(work, report):
    rows = work.session.execute(
        select(LocalRoleRow.role, PersonRow.email, GroupRow.name, LocalRoleRow.dossier_id.is_not(None))
        .outerjoin(PersonRow, PersonRow.id == LocalRoleRow.person_id)
        .outerjoin(GroupRow, GroupRow.id == LocalRoleRow.group_id)
    ).all()
    assert {tuple(row) for row in rows} >= {
        ("author", "maria@example.org", None, False),
        ("editor", None, "reviewers", False),
        ("Reader", None, "reviewers", False),
        ("editor", "paul@example.org", None, True),
    }
    members = work.session.scalars(
        select(PersonRow.email).join(GroupMemberRow, GroupMemberRow.person_id == PersonRow.id)
    )
    assert members.all() == ["paul@example.org"]
    assert ("holder_unknown", "AuthenticatedUsers") in [(one.code, one.params.get("holder")) for one in report.notes]


def test_nobody_can_sign_in_because_of_an_import(work, report):
    assert not work.session.scalars(select(PersonRow).where(PersonRow.is_active)).all()


def test_comments_come_in_their_order_and_wait_for_an_answer(work, report):
    rows = work.session.scalars(select(CommentRow).order_by(CommentRow.id)).all()
    assert [(row.body, row.author.name, row.outcome) for row in rows] == [
        ("Name the states.", "Paul Martin", None),
        ("I agree.", "Ngozi", None),
    ]


def test_what_cannot_come_is_named_and_keeps_nothing_else_back(work, report):
    assert {(fault.path.rsplit("/", 1)[-1], fault.code) for fault in report.faults} == {
        ("bad", "bad_instant"),
    }
    assert [note.params["holders"] for note in report.notes if note.code == "roles_of_site"] == [["admin"]]
    assert report.done["document"] == 4


def test_nobody_is_told_of_an_import(work, report):
    assert not work.session.scalars(select(JobRow)).all()


def test_a_second_run_changes_nothing(work, report):
    before = count_everything(work)
    again = import_site(work, read_site(*read_files()), CHOICES)
    assert count_everything(work) == before
    assert not again.done
    assert again.known == work.session.scalar(select(func.count()).where(ImportedRow.kind.not_in(("person", "group"))))


def test_what_one_file_holds_is_read_as_what_several_hold(work):
    content, beside = read_files()
    assert read_site({"content": content, **beside}) == read_site(content, beside)


def test_a_refused_object_leaves_nothing_half_done(work):
    content, beside = read_files()
    broken = copy.deepcopy(next(one for one in content if one["UID"] == "d-en"))
    broken["language"] = "de"  # the type does not take it
    report = import_site(work, read_site([broken], {}), CHOICES)
    assert [fault.code for fault in report.faults] == ["unknown_language"]
    assert not work.session.scalars(select(DocumentRow)).all()
    assert not work.session.scalars(select(ImportedRow)).all()


@pytest.mark.parametrize("content", [{}, "text", 3, None, {"content": {}}])
def test_something_else_than_an_export_is_refused(content):
    with pytest.raises(InvalidInput, match="not_an_export"):
        read_site(content)


@pytest.mark.parametrize("broken", [None, 3, [], {}, {"@type": "Document"}, {"@id": "x", "@type": 3}])
def test_an_entry_that_is_no_object_is_named(broken):
    site = read_site([broken])
    assert [fault.code for fault in site.faults] == ["not_an_object"]
    assert not site.entries


def test_folders_that_hold_each_other_come_to_an_end():
    ring = [
        {
            "@id": f"http://x/{one}",
            "@type": "Folder",
            "UID": one,
            "is_folderish": True,
            "created": "2024-01-01T00:00:00",
        }
        | {"parent": {"UID": other, "@id": f"http://x/{other}"}, "title": one}
        for one, other in (("a", "b"), ("b", "a"))
    ]
    assert len(read_site(ring).entries) == 2


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_whatever_an_export_holds_it_is_read_or_named(data):
    content, beside = read_files()
    told = {"content": content, **beside}
    for _ in range(data.draw(st.integers(1, 4))):
        place = told
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = data.draw(st.sampled_from(keys))
            inner = place[key]
            if not isinstance(inner, dict | list) or not inner or data.draw(st.integers(0, 3)) == 0:
                place[key] = data.draw(_JSON)
                break
            place = inner
    try:
        site = read_site(told)
    except InvalidInput:
        return
    assert all(isinstance(entry.title, str) and entry.created_at.tzinfo for entry in site.entries)
