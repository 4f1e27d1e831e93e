"""What would follow from a move, a block or a grant, as sentences in the language of this page."""

from collections.abc import Sequence
from dataclasses import dataclass

from r2pflow.services.foreseeing import Following
from r2pflow.services.queries import Share
from r2pflow.web.i18n import gettext, ngettext, title_of
from r2pflow.web.sentences import join
from r2pflow.web.words import word

MOST = 12
"""So many names are told; of the others, how many they are."""


@dataclass(frozen=True)
class Told:
    """One thing that would follow, with what belongs to it; `tone` is that of a badge."""

    title: str
    lines: tuple[str, ...] = ()
    tone: str = ""


def tell_following(found: Following) -> list[Told]:
    """Return what would follow, what is lost first; one sentence that says so where nothing would."""
    told = []
    if found.losing:
        title = ngettext("%(num)s person loses access.", "%(num)s people lose access.", len(found.losing))
        told.append(Told(title, _shorten(found.losing), "bad"))
    if found.winning:
        title = ngettext("%(num)s person gains access.", "%(num)s people gain access.", len(found.winning))
        told.append(Told(title, _shorten(found.winning), "good"))
    if found.gone:
        told.append(Told(gettext("These roles no longer hold:"), _shorten([_tell_share(one) for one in found.gone])))
    if found.come:
        told.append(Told(gettext("These roles newly hold:"), _shorten([_tell_share(one) for one in found.come])))
    if found.permissions:
        lines = tuple(
            gettext(
                "%(permission)s: now %(before)s; then %(after)s.",
                permission=word(name),
                before=_tell_roles(before),
                after=_tell_roles(after),
            )
            for name, (before, after) in found.permissions.items()
        )
        told.append(Told(gettext("The dossiers grant something else:"), lines))
    return told or [Told(gettext("Nobody gains or loses access, and no role changes."))]


def _tell_share(share: Share) -> str:
    role, who = word(share.row.role), title_of(dict(share.names))
    if share.place:
        place = title_of(dict(share.place))
        return gettext("%(who)s: %(role)s, from the dossier “%(place)s”", who=who, role=role, place=place)
    return gettext("%(who)s: %(role)s, given here", who=who, role=role)


def _tell_roles(roles: frozenset[str]) -> str:
    return join(sorted(map(word, roles))) or gettext("nobody")


def _shorten(names: Sequence[str]) -> tuple[str, ...]:
    others = len(names) - MOST
    if others <= 0:
        return tuple(names)
    return (*names[:MOST], ngettext("and %(num)s more", "and %(num)s more", others))
