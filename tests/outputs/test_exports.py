"""Page, Word, JSON, calendar and feed of an edition."""

import dataclasses
import io
import json
import zipfile
from datetime import UTC, date, datetime, time

import icalendar
import pytest
from lxml import etree

from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.printable import Plan, PlannedMilestone, PlannedSession, PrintedField
from r2pflow.outputs import exporters
from r2pflow.outputs.calendar import plan_calendar
from r2pflow.outputs.feeds import FeedEntry, atom_feed
from r2pflow.outputs.translations import translator

PLAN = Plan(
    venue="Uwanda",
    city="Nairobi",
    timezone="Africa/Nairobi",
    sessions=(
        PlannedSession(date(2027, 5, 11), time(9, 30), time(10, 30), "Opening", key="opening", speakers=("A", "B")),
        PlannedSession(date(2027, 5, 11), time(23), time(0, 30), "Vigil", key="vigil"),
    ),
    milestones=(PlannedMilestone(date(2027, 1, 15), "Invitations sent", "Secretariat", key="invite"),),
)
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@pytest.mark.parametrize("language", ["ar", "en", "es", "fr", "ru", "zh"])
def test_the_page_stands_alone_and_links_its_notes_both_ways(language, edition):
    printable = edition("position_paper", language)
    page = exporters.export_html(printable).decode()
    root = etree.fromstring(page.encode(), etree.HTMLParser(encoding="utf-8"))
    assert root.get("lang") == language and root.get("dir") == printable.direction
    ids = {element.get("id") for element in root.iter() if element.get("id")}
    links = [a.get("href") for a in root.iter("a") if a.get("href", "").startswith("#")]
    assert links and all(link[1:] in ids for link in links)
    sources = [e.get("src") or e.get("href") for e in root.iter("img", "link", "script") if e.get("rel") != "canonical"]
    assert all(source.startswith("data:") for source in sources)
    assert not list(root.iter("script"))


def test_json_holds_every_block_with_its_digest(edition):
    printable = edition("position_paper", "zh")
    told = json.loads(exporters.export_json(printable))
    assert [block["id"] for block in told["blocks"]] == [block.id for block in printable.blocks]
    assert told["blocks"][0]["digest"] == printable.blocks[0].digest
    assert told["digest"] == printable.digest and told["published_at"] == "2027-03-10T09:00:00+00:00"
    assert told["decision"]["counts"][0]["voters"]


def test_json_of_the_public_edition_holds_no_invitees(edition):
    field = PrintedField("invitees", "Invitees", "rows", columns=(("Name", "text"),), rows=(("A. Guest",),))
    printable = edition("conference_launch", "en", fields=(field,))
    assert b"A. Guest" not in exporters.export_json(printable)
    assert b"A. Guest" in exporters.export_json(dataclasses.replace(printable, is_internal=True))


def test_json_of_a_secret_ballot_names_nobody(edition):
    printable = edition("joint_statement", "en")
    secret = dataclasses.replace(printable.decision, is_named=False)
    told = exporters.export_json(dataclasses.replace(printable, decision=secret))
    assert b"Organisation 1" not in told


@pytest.mark.parametrize(("language", "is_right_to_left"), [("ar", True), ("fr", False)])
def test_word_has_real_footnotes_and_the_direction(language, is_right_to_left, edition):
    printable = edition("joint_statement", language)
    archive = zipfile.ZipFile(io.BytesIO(exporters.export_docx(printable)))
    document = etree.fromstring(archive.read("word/document.xml"))
    notes = {note for block in printable.blocks for note in block.notes}
    assert len(list(document.iter(f"{WORD}footnoteReference"))) == len(notes)
    assert bool(list(document.iter(f"{WORD}bidi"))) is is_right_to_left
    text = "".join(document.itertext())
    assert all(block.plain in text for block in printable.blocks if block.kind == "paragraph")
    assert printable.title in text


def test_sessions_are_events_in_the_time_of_the_venue(edition):
    printable = edition("conference_launch", "en", plan=PLAN)
    calendar = icalendar.Calendar.from_ical(plan_calendar(printable))
    opening, vigil = calendar.walk("VEVENT")
    assert opening["dtstart"].params["tzid"] == "Africa/Nairobi"
    assert opening.decoded("dtstart").astimezone(UTC) == datetime(2027, 5, 11, 6, 30, tzinfo=UTC)
    assert vigil.decoded("dtend").astimezone(UTC) == datetime(2027, 5, 11, 21, 30, tzinfo=UTC)
    assert opening.decoded("dtstamp") == printable.published_at
    assert [zone["tzid"] for zone in calendar.walk("VTIMEZONE")] == ["Africa/Nairobi"]
    assert "Speakers: A; B" in opening["description"]


def test_an_event_keeps_its_uid_in_every_edition_and_language(edition):
    uids = [
        [event["uid"] for event in icalendar.Calendar.from_ical(plan_calendar(one)).walk("VEVENT")]
        for one in (
            edition("conference_launch", "en", plan=PLAN),
            edition("conference_launch", "ar", plan=PLAN, edition=2),
        )
    ]
    assert uids[0] == uids[1] and len(set(uids[0])) == 2


def test_milestones_are_whole_days_of_the_internal_calendar_only(edition):
    printable = edition("conference_launch", "en", plan=PLAN)
    assert b"Invitations sent" not in exporters.export_ics(printable)
    internal = dataclasses.replace(printable, is_internal=True)
    *_, milestone = icalendar.Calendar.from_ical(exporters.export_ics(internal)).walk("VEVENT")
    assert milestone.decoded("dtstart") == date(2027, 1, 15)


def test_a_document_without_plan_has_no_calendar(edition):
    with pytest.raises(InvalidInput):
        exporters.export_ics(edition("joint_statement", "en"))


def test_the_feed_dates_from_its_newest_entry_and_keeps_its_ids():
    entries = [
        FeedEntry(
            id=f"urn:sha256:{n:064x}",
            title=f"Déclaration {n} & <suite>",
            url=f"https://r2p.example.org/{n}",
            updated_at=datetime(2027, 3, n, tzinfo=UTC),
            pdf_url=f"https://r2p.example.org/{n}.pdf",
            category="Déclaration commune",
        )
        for n in (2, 1)
    ]
    content = atom_feed("Registre", "https://r2p.example.org/feed/fr", "fr", entries)
    assert content == atom_feed("Registre", "https://r2p.example.org/feed/fr", "fr", entries)
    atom = "{http://www.w3.org/2005/Atom}"
    root = etree.fromstring(content)
    assert root.findtext(f"{atom}updated") == "2027-03-02T00:00:00+00:00"
    assert [e.findtext(f"{atom}id") for e in root.iter(f"{atom}entry")] == [entry.id for entry in entries]
    assert root.find(f"{atom}entry").findtext(f"{atom}title") == "Déclaration 2 & <suite>"


def test_an_empty_feed_is_valid():
    assert b"<updated>1970-01-01" in atom_feed("Register", "https://r2p.example.org/feed", "en", [])


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("ar", "9 آذار/مارس 2027، 18:00 (UTC+1)"),
        ("en", "9 March 2027, 18:00 (UTC+1)"),
        ("es", "9 de marzo de 2027, 18:00 (UTC+1)"),
        ("fr", "9 mars 2027, 18:00 (UTC+1)"),
        ("ru", "9 марта 2027\u202fг., 18:00 (UTC+1)"),
        ("zh", "2027年3月9日 18:00 (UTC+1)"),
    ],
)
def test_instants_are_told_with_their_offset(language, told):
    assert translator(language).datetime(datetime(2027, 3, 9, 17, tzinfo=UTC), "Europe/Brussels") == told


def test_offsets_of_half_hours_and_west_of_greenwich():
    say = translator("en")
    instant = datetime(2027, 3, 9, 17, tzinfo=UTC)
    assert say.datetime(instant, "Asia/Kolkata").endswith("22:30 (UTC+5:30)")
    assert say.datetime(instant, "America/New_York").endswith("13:00 (UTC−4)") or say.datetime(
        instant, "America/New_York"
    ).endswith("12:00 (UTC−5)")


def test_a_percent_sign_without_params_stays():
    assert translator("en").gettext("55% of them") == "55% of them"


def test_the_page_of_a_conference_shows_its_days(edition):
    page = exporters.export_html(edition("conference_launch", "fr", plan=PLAN)).decode()
    assert "mardi 11 mai 2027" in page and "Opening" in page and "Invitations sent" not in page


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "11–12 May 2027"), ("fr", "11–12 mai 2027"), ("ar", "11–12 أيار/مايو 2027"), ("zh", "2027年5月11日至12日")],
)
def test_a_span_of_days_names_its_month_once(language, told):
    written = translator(language).date_range(date(2027, 5, 11), date(2027, 5, 12))
    assert "".join(written.split()) == "".join(told.split())
