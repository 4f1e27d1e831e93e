"""What a person chooses for itself: language and time zone."""

from typing import Any
from zoneinfo import available_timezones

from flask import redirect

from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.people import LANGUAGES
from r2pflow.services import people
from r2pflow.web.auth import current_work, require_signed_in
from r2pflow.web.flashing import tell
from r2pflow.web.forms import read_form
from r2pflow.web.i18n import COOKIE, NATIVE_NAMES, gettext
from r2pflow.web.rendering import url
from r2pflow.web.routing import FORM, Route


def show_account() -> Any:
    actor, work = require_signed_in(), current_work()
    assert actor.person_id is not None
    person = people.get_person(work, actor.person_id)
    form = read_form(language=person.language, timezone=person.timezone)
    if form.is_posted:
        try:
            people.save_preferences(work, actor, language=form.text("language"), timezone=form.text("timezone"))
            work.commit()
            tell(gettext("Saved."))
            response = redirect(url("account"))
            response.delete_cookie(COOKIE)
            return response
        except InvalidInput as error:
            form.refuse(error)
    return form.render(
        "account.html",
        person=person,
        language_choices=[(code, NATIVE_NAMES[code]) for code in LANGUAGES],
        zones=sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"),
    )


ROUTES = (Route("/account", "account", show_account, FORM),)
