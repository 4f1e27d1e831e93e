"""Why somebody holds a permission: which role, where the role comes from, and what lets the role have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from r2pflow.domain.definition import Workflow
from r2pflow.domain.people import Titles


@dataclass(frozen=True)
class Source:
    """Where somebody has a role from.

    kind: `everybody` and `signed_in` have it by what they are; `own`: it is theirs; `organisation`, `group`: of the one
    that is `called` so. `place` is empty for a role that is held everywhere; sharing gives it on the `document`, or on
    the `dossier` with the titles `where`.
    """

    kind: str
    called: Titles = Titles()
    place: str = ""
    where: Titles = Titles()


Held = Mapping[str, Sequence[Source]]
"""The roles of somebody, each with where it comes from."""


@dataclass(frozen=True)
class Reason:
    """One way in which somebody holds a permission; `origin` is a key of `Workflow.origins`."""

    role: str
    source: Source
    origin: str


def why(workflow: Workflow, state: str, permission: str, held: Held) -> tuple[Reason, ...]:
    """Return every reason why the holder of these roles holds the permission in the state; none when it does not.

    It agrees with `engine.holds` where `anonymous` is among the roles, for everybody has that one.
    """
    found: list[Reason] = []
    for origin, roles in workflow.origins(state, permission).items():
        holders = workflow.counting_roles(roles)
        for role, sources in held.items():
            if not holders.isdisjoint(workflow.counting_roles((role,))):
                found += [Reason(role, source, origin) for source in sources]
    return tuple(found)
