"""The whole life of a document over HTTP, as the people who carry it, by what the pages offer them."""

import hashlib
import io
from datetime import datetime

import pymupdf
import pypandoc
from icalendar import Calendar

MARKDOWN = """# Act before it is too late

States must act *early*, and they must act together.[^1]

## What we ask

1. Name a focal point.
2. Publish the warnings.

[^1]: General Assembly resolution 60/1, paragraphs 138 and 139.
"""
FRENCH_LIST = "<ol><li>Désigner un point focal.</li><li>Publier les alertes.</li></ol>"
PLAN = {
    "ar": ("مؤتمر الإطلاق", "تعالوا."),
    "es": ("Conferencia de lanzamiento", "Vengan."),
    "fr": ("Conférence de lancement", "Venez."),
    "ru": ("Учредительная конференция", "Приходите."),
    "zh": ("成立大会", "欢迎参加。"),
}
STEERING = ("alpha", "beta", "gamma")


def make_word_file(folder):
    path = folder / "paper.docx"
    pypandoc.convert_text(MARKDOWN, "docx", format="markdown", outputfile=str(path))
    return path.read_bytes()


def decide(people, reference):
    for name in STEERING:
        voter = people(name)
        voter.open(f"/documents/{reference}/decision")
        if not voter.page.xpath("//form[contains(@action, '/decision/position')]"):
            break
        voter.submit("/decision/position", position="yes")


def test_a_paper_from_a_word_file_to_a_checked_pdf(site, people, tmp_path):
    secretary = people("secretary")
    secretary.open("/documents/new")
    file = (io.BytesIO(make_word_file(tmp_path)), "paper.docx")
    told = secretary.submit("/documents/new", type="consultation_report", file=file)
    assert "Act before it is too late" in told
    secretary.open("/documents/CR-1/edit")
    (area,) = secretary.page.xpath("//textarea[@name='html']")
    secretary.submit(
        "/edit", html=area.text.replace("Publish the warnings", "Publish every warning"), summary="Clearer"
    )
    secretary.open("/documents/CR-1")
    secretary.submit("/fire/open_comment")

    member = people("delta")
    assert "Act before it is too late" in member.open("/desk")
    member.follow("Act before it is too late")
    member.follow("Comment on the document")
    member.submit("/comments/new", kind="substantive", body="Who is to publish them?", suggestion="")

    stranger = site.visitor()
    stranger.open("/documents/CR-1", status=404)

    secretary.open("/documents/CR-1")
    secretary.submit("/fire/close_comment")
    assert "comment" in secretary.open("/documents/CR-1").lower()
    assert not secretary.page.xpath("//form[contains(@action, '/fire/submit')]"), "a comment is unanswered"
    secretary.open("/documents/CR-1/comments")
    secretary.submit("/answer", outcome="rejected", reason="The text leaves it to each State.")
    member.open("/documents/CR-1/comments")
    assert "The text leaves it to each State." in " ".join(member.page.text_content().split())

    secretary.open("/documents/CR-1")
    secretary.submit("/fire/submit")
    decide(people, "CR-1")
    told = secretary.open("/documents/CR-1")
    assert "Translation" in told

    translator = people("translator")
    translator.open("/documents/CR-1/languages/fr")
    areas = [area.get("name") for area in translator.page.xpath("//textarea[starts-with(@name, 'block-')]")]
    assert len(areas) == 5
    french = ["Agir avant qu’il ne soit trop tard", None, "Ce que nous demandons", FRENCH_LIST, None]
    note = translator.page.xpath("//*[@data-note]/@data-note")[0]
    french[1] = f'Les États doivent agir <em>tôt</em>, et ensemble<sup data-note="{note}"></sup>.'
    french[4] = "Résolution 60/1 de l’Assemblée générale, paragraphes 138 et 139."
    translator.submit("/languages/fr", save="all", **dict(zip(areas, french, strict=True)))
    verifier = people("verifier")
    verifier.open("/documents/CR-1/languages/fr")
    verifier.submit("/verify")

    secretary.open("/documents/CR-1")
    secretary.submit("/fire/publish")
    site.work_off()

    public = site.visitor()
    told = public.open("/register")
    assert "Act before it is too late" in told
    symbol = f"R2PCS/{datetime.now().year}/CR/1"
    public.open(f"/register/{symbol}?hl=fr")
    assert "Agir avant" in public.page.text_content()
    files = {}
    for language, words in (("en", "Publish every warning"), ("fr", "Publier les alertes")):
        public.open(f"/register/{symbol}/{language}.pdf")
        files[language] = public.answer.data
        text = " ".join(page.get_text() for page in pymupdf.open(stream=files[language], filetype="pdf"))
        assert words in " ".join(text.split())
    digest = hashlib.sha256(files["fr"]).hexdigest()
    assert symbol in public.open(f"/check/{digest}")
    assert symbol not in public.open("/check/" + "f" * 64, status=404)
    public.open("/feeds/fr.atom")
    assert "Agir avant" in public.answer.get_data(as_text=True)


def test_a_launch_plan_from_its_form_to_programme_and_calendar(site, people):
    secretary = people("secretary")
    secretary.open("/documents/new")
    secretary.submit("/documents/new", type="conference_launch", title="Launch Conference")
    secretary.submit("/edit", html="<h1 data-block='title'>Launch Conference</h1><p data-block='p1'>Come.</p>")
    secretary.open("/documents/CL-1/fields?edit=1")
    place = {"venue": "Town Hall", "city": "Nairobi", "country": "KE", "timezone": "Africa/Nairobi"}
    days = {"starts_on": "2027-05-11", "ends_on": "2027-05-12"}
    told = secretary.submit("/fields", row="sessions:add", **place, **days)
    assert secretary.page.xpath("//input[@name='venue']/@value") == ["Town Hall"], "a new row keeps the rest"
    secretary.submit("/fields", row="milestones:add")
    session = {"title-en": "Opening", "starts_at": "2027-05-11T09:30", "ends_at": "2027-05-11T10:30", "room": "Hall A"}
    milestone = {"title-en": "Invitations sent", "due_on": "2027-02-01", "owner": "office"}
    told = secretary.submit(
        "/fields",
        row="",
        **{f"sessions-0-{name}": value for name, value in session.items()},
        **{f"milestones-0-{name}": value for name, value in milestone.items()},
    )
    assert "Opening" in told and "Invitations sent" in told

    secretary.open("/documents/CL-1")
    secretary.submit("/fire/open_comment")
    secretary.submit("/fire/close_comment")
    secretary.submit("/fire/submit")
    decide(people, "CL-1")
    for language in ("ar", "es", "fr", "ru", "zh"):
        translator, verifier = people("translator"), people("verifier")
        translator.open(f"/documents/CL-1/languages/{language}")
        names = translator.page.xpath("//textarea[starts-with(@name, 'block-')]/@name")
        translator.submit(f"/languages/{language}", save="all", **dict(zip(names, PLAN[language], strict=True)))
        verifier.open(f"/documents/CL-1/languages/{language}")
        verifier.submit("/verify")
    secretary.open("/documents/CL-1")
    secretary.submit("/fire/publish")
    site.work_off()

    public = site.visitor()
    symbol = f"R2PCS/{datetime.now().year}/CL/1"
    public.open(f"/register/{symbol}/en.pdf")
    text = " ".join(page.get_text() for page in pymupdf.open(stream=public.answer.data, filetype="pdf"))
    assert "Opening" in text and "09:30" in text and "Hall A" in text
    assert "Invitations sent" not in text, "milestones are the organisers' own"
    secretary.open("/documents/CL-1/plan.ics")
    events = list(Calendar.from_ical(secretary.answer.data).walk("VEVENT"))
    (opening,) = [event for event in events if "Opening" in str(event["SUMMARY"])]
    assert opening["DTSTART"].dt.isoformat() == "2027-05-11T09:30:00+03:00"
