"""A notice as a mail: one sentence, one button, in the reader's language; and the ways out, outbox or SMTP."""

import hashlib
import re
import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from r2pflow.domain.errors import InvalidInput, SetupError
from r2pflow.domain.people import RIGHT_TO_LEFT
from r2pflow.folders import get_folder
from r2pflow.outputs.calendar_note import make_deadline
from r2pflow.outputs.sentences import sentence
from r2pflow.outputs.translations import Translator, translator
from r2pflow.outputs.words import N_, SUBJECTS, WORDS
from r2pflow.services.notices import MailNotice
from r2pflow.services.publishing import write_whole
from r2pflow.settings import Settings

KEY_HEADER = "X-R2PFlow-Key"
PATIENCE = 20  # seconds for each answer of a mail server

SENTENCES: Mapping[str, str] = {
    "comment_round_opened": N_("“%(title)s” is open for comment; your organisation is asked for its view."),
    "round_reminder": N_("Your organisation has not yet commented on “%(title)s”."),
    "comment_answered": N_("Your comment on “%(title)s” has been answered: %(outcome)s."),
    "ballot_opened": N_("“%(title)s” is up for decision; your organisation is asked for its position."),
    "ballot_reminder": N_("Your organisation has not yet recorded its position on “%(title)s”."),
    "ballot_closed": N_("The ballot on “%(title)s” is closed: %(outcome)s."),
    "step_reminder": N_("“%(title)s” soon leaves the stage “%(state)s” by itself."),
    "translation_wanted": N_("“%(title)s” is ready to be translated into: %(languages)s."),
    "state_entered": N_("“%(title)s” is now at the stage “%(state)s”."),
    "document_published": N_("“%(title)s” is published under the symbol %(symbol)s."),
    "timer_refused": N_("“%(title)s” could not move on when its time came. %(reasons)s"),
}

BUTTONS: Mapping[str, str] = {
    "comment_round_opened": N_("Read and comment"),
    "round_reminder": N_("Read and comment"),
    "round_closed": N_("Look at the comments"),
    "comment_submitted": N_("Answer the comments"),
    "comment_answered": N_("Read the answer"),
    "ballot_opened": N_("Record your position"),
    "ballot_reminder": N_("Record your position"),
    "ballot_closed": N_("See the verdict"),
    "step_reminder": N_("Open the document"),
    "translation_wanted": N_("Translate"),
    "state_entered": N_("Open the document"),
    "document_published": N_("Read it"),
    "timer_refused": N_("Open the document"),
}

WITH_CALENDAR = frozenset(
    ("comment_round_opened", "round_reminder", "ballot_opened", "ballot_reminder", "step_reminder")
)
"""Events whose deadline the reader may want in a calendar."""

_FONTS = "-apple-system,'Segoe UI',Roboto,'Noto Sans','Noto Naskh Arabic','Noto Sans SC',Arial,sans-serif"


def compose(notice: MailNotice, settings: Settings) -> EmailMessage:
    """Return the mail with its plain text, its HTML, and for a deadline ahead a calendar file.

    The same notice gives the same Message-ID, so that a mail that is sent again is shown once. Raises InvalidInput for
    an address that no mail can be sent to.
    """
    speak = translator(notice.language, notice.timezone)
    title = _isolate(_one_line(notice.title or notice.reference), notice)
    subject = speak.gettext(SUBJECTS[notice.event], title=_one_line(notice.title or notice.reference))
    deadline = notice.deadline if notice.event in WITH_CALENDAR else None
    due = speak.due(deadline, notice.deadline_timezone or notice.timezone) if deadline else None
    told = {
        "language": notice.language,
        "direction": "rtl" if _is_rtl(notice.language) else "ltr",
        "start": "right" if _is_rtl(notice.language) else "left",
        "fonts": _FONTS,
        "subject": subject,
        "greeting": speak.gettext("Dear %(name)s,", name=_one_line(notice.name)),
        "sentence": _tell(notice, title, speak),
        "deadline": str(due) if due else "",
        "button": speak.gettext(BUTTONS[notice.event]),
        "url": notice.url,
        "account_url": notice.account_url,
        "coalition": notice.coalition,
        "_": speak.gettext,
    }
    message = _begin(settings, notice.key, subject, notice.sent_at)
    message["To"] = _address(notice.name, notice.email)
    message["Content-Language"] = notice.language
    message["List-Unsubscribe"] = f"<{notice.account_url}>"
    message.set_content(_templates().get_template("notice.txt").render(told))
    message.add_alternative(_templates().get_template("notice.html").render(told), subtype="html")
    if deadline is not None and deadline > notice.sent_at:
        calendar = make_deadline(notice, deadline, subject, _domain(settings), str(due))
        message.add_attachment(
            calendar,
            maintype="text",
            subtype="calendar",
            filename="deadline.ics",
            params={"method": "PUBLISH", "charset": "utf-8"},
        )
    return message


def compose_letter(
    settings: Settings, *, key: str, to: str, subject: str, text: str, html: str, sent_at: datetime
) -> EmailMessage:
    """Return a mail whose words somebody else wrote, such as a sign-in link."""
    message = _begin(settings, key, _one_line(subject), sent_at)
    message["To"] = _address("", to)
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def send(message: EmailMessage, settings: Settings) -> None:
    """Hand a mail to the server of the settings, or put it into the outbox folder where there is none.

    The file in the outbox is called after the mail's key: sending again writes the same file. Raises SetupError when
    the server cannot be reached or does not take the mail.
    """
    if settings.mail_server:
        _send_by_smtp(message, settings)
    else:
        write_whole(find_outbox_path(message, settings), message.as_bytes())


def find_outbox_path(message: EmailMessage, settings: Settings) -> Path:
    """Return where the outbox keeps this mail."""
    key = str(message[KEY_HEADER] or message["Message-ID"] or "")
    stem = re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-")[:80]
    return settings.outbox_folder / f"{stem}-{_digest(key)[:8]}.eml"


def check_server(settings: Settings) -> None:
    """Say good day to the mail server of the settings; raises SetupError as `send` does."""
    with suppress(smtplib.SMTPServerDisconnected), _connect(settings):
        pass


def _send_by_smtp(message: EmailMessage, settings: Settings) -> None:
    with _connect(settings) as server:
        try:
            server.send_message(message)
        except (smtplib.SMTPException, OSError) as error:
            raise SetupError("mail_refused", server=settings.mail_server, found=_what(error)) from error


def _connect(settings: Settings) -> smtplib.SMTP:
    host, _, port = settings.mail_server.partition(":")
    number = int(port) if port.isdigit() else (587 if settings.mail_use_tls else 25)
    context = ssl.create_default_context()
    try:
        if settings.mail_use_tls and number == 465:
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, number, timeout=PATIENCE, context=context)
        else:
            server = smtplib.SMTP(host, number, timeout=PATIENCE)
            if settings.mail_use_tls:
                server.starttls(context=context)
        if settings.mail_username:
            server.login(settings.mail_username, settings.mail_password)
    except smtplib.SMTPAuthenticationError as error:
        raise SetupError("mail_refused", server=settings.mail_server, found=_what(error)) from error
    except (smtplib.SMTPException, OSError) as error:
        raise SetupError("mail_unreachable", server=settings.mail_server, found=_what(error)) from error
    return server


def _what(error: Exception) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:300]


def _tell(notice: MailNotice, title: str, speak: Translator) -> str:
    if notice.event == "comment_submitted":
        return speak.ngettext(
            "%(num)s comment on “%(title)s” waits for an answer.",
            "%(num)s comments on “%(title)s” wait for an answer.",
            notice.count,
            title=title,
        )
    if notice.event == "round_closed":
        return speak.ngettext(
            "The comment round on “%(title)s” is over; %(num)s comment waits for an answer.",
            "The comment round on “%(title)s” is over; %(num)s comments wait for an answer.",
            notice.count,
            title=title,
        )
    outcome = notice.outcome
    return speak.gettext(
        SENTENCES[notice.event],
        title=title,
        outcome=speak.gettext(WORDS[outcome]) if outcome in WORDS else outcome,
        state=notice.state_title,
        symbol=notice.symbol,
        languages=speak.enumeration(speak.language_name(code) for code in notice.languages),
        reasons=" ".join(sentence(refusal, speak) for refusal in notice.refusals),
    ).strip()


def _is_rtl(language: str) -> bool:
    return language.split("-")[0] in RIGHT_TO_LEFT


def _isolate(title: str, notice: MailNotice) -> str:
    """Keep a title of the other direction from turning the sentence around (Unicode isolates, UAX #9)."""
    is_same = _is_rtl(notice.language) == _is_rtl(notice.title_language)
    return title if is_same else f"\u2068{title}\u2069"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _begin(settings: Settings, key: str, subject: str, sent_at: datetime) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.mail_sender
    message["Subject"] = subject
    message["Date"] = format_datetime(sent_at)
    message["Message-ID"] = f"<{_digest(key)}@{_domain(settings)}>"
    message["Auto-Submitted"] = "auto-generated"
    message[KEY_HEADER] = _one_line(key)
    return message


def _domain(settings: Settings) -> str:
    return parseaddr(settings.mail_sender)[1].rpartition("@")[2] or "localhost"


def _address(name: str, email: str) -> Address:
    local, _, domain = email.rpartition("@")
    try:
        return Address(_one_line(name), addr_spec=f"{local}@{domain.encode('idna').decode()}")
    except (HeaderParseError, ValueError, IndexError) as error:
        raise InvalidInput("bad_email", field="email", value=email) from error


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(get_folder("templates") / "mail"),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
