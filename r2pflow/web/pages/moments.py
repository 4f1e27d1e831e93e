"""The fields of a form that ask for a day and time and its zone."""

from zoneinfo import available_timezones

from r2pflow.domain.moments import Moment, read_moment
from r2pflow.web.auth import current_actor, current_work
from r2pflow.web.forms import Form
from r2pflow.web.i18n import gettext, tell_due


def read_fields(form: Form) -> Moment:
    """Return the moment of the fields `at` and `timezone`; InvalidInput names the field that does not fit."""
    work = current_work()
    return read_moment(form.text("at"), form.text("timezone") or work.settings.timezone, work.now())


def list_zones() -> list[str]:
    """Return the zones that a form suggests."""
    return sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")


def list_near_zones() -> list[str]:
    """Return the zones that are near at hand: the coalition's, the reader's, and UTC."""
    return list(dict.fromkeys((current_work().settings.timezone, current_actor().timezone, "UTC")))


def tell_moment(moment: Moment) -> str:
    """Tell when it is, in the reader's zone and in the one that it was written in."""
    return str(tell_due(moment.instant, moment.timezone))


def tell_moved(moment: Moment) -> str:
    """Tell that the clock skips the time that was written; empty where it does not."""
    if not moment.is_moved:
        return ""
    return gettext(
        "The clock goes forward on that day and skips the time that you chose; it will be %(when)s.",
        when=tell_moment(moment),
    )
