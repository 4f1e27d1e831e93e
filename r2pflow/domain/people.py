"""Who acts: persons, their organisations, and the roles that both bring."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

ANONYMOUS = "anonymous"
AUTHENTICATED = "authenticated"
SYSTEM = "system"

BUILT_IN_ROLES = (
    ANONYMOUS,
    AUTHENTICATED,
    "member",
    "steering",
    "secretariat",
    "translator",
    "author",
    "editor",
    "manager",
)
GLOBAL_ROLES = ("member", "steering", "secretariat", "translator", "manager")
"""Roles that a person or an organisation can hold everywhere; the others come from sharing or from a workflow."""

BUILT_IN_PERMISSIONS = ("view", "edit", "comment", "decide", "translate", "sign", "publish", "share", "manage")

REGIONS = ("africa", "asia_pacific", "europe", "latin_america", "middle_east", "north_america")
SECTORS = ("faith", "human_rights", "humanitarian", "prevention", "peacebuilding", "women", "youth", "academia")
FUNCTIONS = ("advocacy", "messaging", "research", "monitoring", "education")
SCOPES = ("international", "regional", "national")
LANGUAGES = ("ar", "en", "es", "fr", "ru", "zh")
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


@dataclass(frozen=True)
class Organisation:
    """A member organisation with the attributes that rules may count by."""

    id: int
    slug: str
    name: str
    region: str = ""
    sector: str = ""
    scope: str = ""
    functions: tuple[str, ...] = ()

    def attributes(self) -> Mapping[str, str]:
        """Return what a decision rule can read: region, sector, scope, and `function` joined by spaces."""
        return {
            "organisation": self.slug,
            "region": self.region,
            "sector": self.sector,
            "scope": self.scope,
            "function": " ".join(self.functions),
        }


@dataclass(frozen=True)
class Actor:
    """Who asks: a signed-in person, nobody in particular, or the system (timers and automatic transitions).

    `roles` are the global ones, from the person and its organisation, `anonymous` and `authenticated` included;
    local roles depend on the document and are added by `services/access`.
    """

    person_id: int | None = None
    organisation_id: int | None = None
    name: str = ""
    roles: frozenset[str] = frozenset({ANONYMOUS})
    groups: frozenset[str] = frozenset()
    language: str = "en"
    timezone: str = "UTC"
    is_system: bool = False

    @property
    def is_anonymous(self) -> bool:
        return self.person_id is None and not self.is_system

    def with_roles(self, roles: Iterable[str]) -> "Actor":
        """Return the same actor with further roles, as held on one document."""
        return Actor(
            person_id=self.person_id,
            organisation_id=self.organisation_id,
            name=self.name,
            roles=self.roles | frozenset(roles),
            groups=self.groups,
            language=self.language,
            timezone=self.timezone,
            is_system=self.is_system,
        )


NOBODY = Actor()
THE_SYSTEM = Actor(name=SYSTEM, is_system=True)


@dataclass(frozen=True)
class Electorate:
    """Whose organisations may vote: those with a role, in a group, named one by one, or all members."""

    role: str = ""
    group: str = ""
    organisations: tuple[str, ...] = ()
    members: bool = False


@dataclass(frozen=True)
class Titles:
    """A text for people in several languages; falls back to English, then to whatever there is."""

    by_language: Mapping[str, str] = field(default_factory=dict)

    def get(self, language: str) -> str:
        """Return the text in the language, or the nearest there is; empty only when there is none at all."""
        found = self.by_language.get(language) or self.by_language.get(language.split("-")[0].split("_")[0])
        return found or self.by_language.get("en") or next(iter(self.by_language.values()), "")

    def __bool__(self) -> bool:
        return any(self.by_language.values())
