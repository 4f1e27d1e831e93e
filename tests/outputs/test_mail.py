"""A mail is one sentence and one button in the reader's language, and goes out once."""

import email
import socketserver
import threading
from datetime import UTC, datetime, timedelta
from email import policy
from typing import Any

import pytest
from icalendar import Calendar
from lxml import html

from r2pflow.domain.errors import InvalidInput, Refusal, SetupError
from r2pflow.outputs import mail
from r2pflow.services.notices import EVENTS, MailNotice
from r2pflow.settings import Settings

NOW = datetime(2027, 3, 8, 9, 0, tzinfo=UTC)


def make_notice(**changed: Any) -> MailNotice:
    values: dict[str, Any] = {
        "key": "mail:notify:round:7:3",
        "event": "comment_round_opened",
        "name": "Awa Diop",
        "email": "awa@example.org",
        "language": "en",
        "timezone": "Africa/Dakar",
        "coalition": "The Coalition",
        "url": "https://r2p.example/documents/JS-1",
        "account_url": "https://r2p.example/account",
        "sent_at": NOW,
        "reference": "JS-1",
        "title": "Protect <all> civilians & more",
        "state_title": "Member comment",
        "deadline": NOW + timedelta(days=3),
        "count": 2,
        "outcome": "carried",
        "symbol": "R2PCS/2027/JS/1",
        "languages": ("fr", "ru"),
        "refusals": (Refusal("no_role", {"roles": ["secretariat"]}),),
    }
    return MailNotice(**{**values, **changed})


@pytest.fixture
def settings(tmp_path):
    return Settings(instance=tmp_path, mail_sender="The Coalition <no-reply@r2p.example>")


def part(message, subtype):
    [found] = [p for p in message.walk() if p.get_content_type() == f"text/{subtype}"]
    return found.get_content()


def reread(message):
    return email.message_from_bytes(message.as_bytes(), policy=policy.SMTP)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("language", ["ar", "en", "es", "fr", "ru", "zh"])
def test_every_event_has_a_subject_a_sentence_and_one_button(event, language, settings):
    message = reread(mail.compose(make_notice(event=event, language=language), settings))
    text = part(message, "plain")
    assert "%(" not in text and "%(" not in message["Subject"]
    assert "Protect <all> civilians & more" in text and text.count("https://r2p.example/documents/JS-1") == 1
    page = html.fromstring(part(message, "html"))
    assert len(page.xpath("//a[@href='https://r2p.example/documents/JS-1']")) == 1
    assert page.get("lang") == language
    assert page.get("dir") == ("rtl" if language == "ar" else "ltr")


def test_what_people_wrote_stays_text_in_the_html(settings):
    message = mail.compose(make_notice(name="<b>Awa</b>"), settings)
    assert "&lt;all&gt; civilians &amp; more" in part(message, "html")
    assert "<b>Awa" not in part(message, "html")


def test_a_title_of_the_other_direction_is_isolated(settings):
    told = part(mail.compose(make_notice(language="ar"), settings), "plain")
    assert "\u2068Protect <all> civilians & more\u2069" in told
    assert "\u2068" not in part(mail.compose(make_notice(), settings), "plain")


def test_a_deadline_is_told_in_the_zone_of_its_reader_and_goes_into_their_calendar(settings):
    message = reread(mail.compose(make_notice(timezone="Asia/Tokyo"), settings))
    assert "18:00 (UTC+9)" in part(message, "plain")
    calendar = Calendar.from_ical(part(message, "calendar"))
    [event] = calendar.walk("VEVENT")
    assert event.decoded("dtstart") == NOW + timedelta(days=3)
    assert "Protect" in event["summary"]


def test_a_deadline_of_another_zone_is_told_in_both(settings):
    notice = make_notice(timezone="Asia/Tokyo", deadline_timezone="Europe/Paris")
    message = reread(mail.compose(notice, settings))
    told = "11 March 2027, 18:00 (UTC+9) · 11 March 2027, 10:00 (UTC+1) Europe/Paris"
    assert told in part(message, "plain") and told in part(message, "html")
    [event] = Calendar.from_ical(part(message, "calendar")).walk("VEVENT")
    assert event["description"].startswith(told)


def test_a_deadline_is_told_once_where_the_clocks_agree(settings):
    notice = make_notice(timezone="Europe/Berlin", deadline_timezone="Europe/Paris")
    told = part(reread(mail.compose(notice, settings)), "plain")
    assert "11 March 2027, 10:00 (UTC+1)" in told and "Europe/Paris" not in told


def test_a_reminder_replaces_the_calendar_entry_of_the_opening(settings):
    def uid(event):
        calendar = Calendar.from_ical(part(reread(mail.compose(make_notice(event=event), settings)), "calendar"))
        return str(calendar.walk("VEVENT")[0]["uid"])

    assert uid("comment_round_opened") == uid("round_reminder") != uid("ballot_opened")


def test_no_calendar_file_without_a_deadline_ahead(settings):
    for changed in ({"deadline": None}, {"event": "timer_refused"}, {"deadline": NOW - timedelta(days=1)}):
        message = mail.compose(make_notice(**changed), settings)
        assert [p for p in message.walk() if p.get_content_type() == "text/calendar"] == []


def test_the_same_notice_has_the_same_message_id_and_another_another(settings):
    first, again = mail.compose(make_notice(), settings), mail.compose(make_notice(), settings)
    assert first["Message-ID"] == again["Message-ID"]
    assert first["Message-ID"].endswith("@r2p.example>")
    assert first["Message-ID"] != mail.compose(make_notice(key="mail:other"), settings)["Message-ID"]


def test_the_headers_say_who_when_and_how_to_leave(settings):
    message = reread(mail.compose(make_notice(name="Дмитрий Иванов"), settings))
    assert message["To"].addresses[0].display_name == "Дмитрий Иванов"
    assert message["List-Unsubscribe"] == "<https://r2p.example/account>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == NOW


def test_a_line_break_in_a_title_or_name_makes_no_header(settings):
    message = reread(mail.compose(make_notice(title="A\r\nBcc: x@example.org", name="A\nB"), settings))
    assert message["Bcc"] is None
    assert message["Subject"] == "Please comment: A Bcc: x@example.org"


@pytest.mark.parametrize("address", ["no at sign", "a b@example.org", "@example.org", "a@"])
def test_an_address_that_is_none_is_refused(address, settings):
    with pytest.raises(InvalidInput, match="bad_email"):
        mail.compose(make_notice(email=address), settings)


def test_a_refused_timer_says_why(settings):
    told = part(mail.compose(make_notice(event="timer_refused"), settings), "plain")
    assert "This is for: secretariat." in told


def test_without_a_server_the_mail_is_one_file_in_the_outbox_however_often_it_is_sent(settings):
    for _ in range(3):
        mail.send(mail.compose(make_notice(), settings), settings)
    mail.send(mail.compose(make_notice(key="mail:notify:round:7:4"), settings), settings)
    files = sorted(settings.outbox_folder.iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    with files[0].open("rb") as file:
        assert email.message_from_binary_file(file, policy=policy.SMTP)["Subject"].startswith("Please comment")


def test_a_letter_whose_words_are_given_is_kept_once_too(settings):
    letter = mail.compose_letter(
        settings, key="mail:1", to="awa@example.org", subject="Sign\nin", text="Here.", html="", sent_at=NOW
    )
    mail.send(letter, settings)
    mail.send(letter, settings)
    [file] = settings.outbox_folder.iterdir()
    assert b"Subject: Sign in" in file.read_bytes()


class Answering(socketserver.StreamRequestHandler):
    """Speak enough SMTP to take a mail; refuse everybody at example.net."""

    def handle(self):
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            word = line.upper()
            if word.startswith("RCPT") and "EXAMPLE.NET" in word:
                self.say("550 no such person")
            elif word == "DATA":
                self.say("354 go on")
                lines = []
                while (data := self.rfile.readline()) != b".\r\n":
                    lines.append(data)
                self.server.taken.append(b"".join(lines))
                self.say("250 taken")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


@pytest.fixture
def server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        server.taken = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_mail_goes_to_the_server_of_the_settings(server, tmp_path):
    settings = Settings(instance=tmp_path, mail_server=f"127.0.0.1:{server.server_address[1]}", mail_use_tls=False)
    mail.check_server(settings)
    mail.send(mail.compose(make_notice(), settings), settings)
    [taken] = server.taken
    assert b"Please comment" in taken
    assert not settings.outbox_folder.exists()


def test_a_mail_that_the_server_refuses_is_an_error_that_says_so(server, tmp_path):
    settings = Settings(instance=tmp_path, mail_server=f"127.0.0.1:{server.server_address[1]}", mail_use_tls=False)
    with pytest.raises(SetupError, match="mail_refused.*no such person"):
        mail.send(mail.compose(make_notice(email="awa@example.net"), settings), settings)


def test_a_server_that_is_not_there_is_an_error_that_names_it(tmp_path):
    settings = Settings(instance=tmp_path, mail_server="127.0.0.1:9", mail_use_tls=False)
    with pytest.raises(SetupError, match="mail_unreachable.*127.0.0.1:9"):
        mail.send(mail.compose(make_notice(), settings), settings)
