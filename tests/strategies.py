"""Random workflow definitions, actors and facts for property tests: plain mappings first, so that tests may add."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from r2pflow.domain.conditions import BUILT_IN_CONDITIONS
from r2pflow.domain.definition import Workflow
from r2pflow.domain.facts import BallotFacts, CommentFacts, Facts
from r2pflow.domain.people import Actor
from r2pflow.domain.reading import read_workflow

NOW = datetime(2027, 5, 11, 9, 30, tzinfo=UTC)
STATES = ("one", "two", "three", "four", "five")
ROLES = ("member", "secretariat", "author", "Owner")  # Owner is the author, where a definition declares it
PERMISSIONS = ("view", "edit", "publish", "Change it")  # `Change it` means edit
GROUPS = ("media", "bureau")
TRIGGERS = ("user", "timer", "automatic")
BALLOT = {"electorate": {"role": "steering"}, "positions": ["yes", "no"], "rule": {"count": "yes", "more_than": "1/2"}}

Definition = dict[str, Any]


def some(names: Any, most: int = 2, least: int = 0) -> st.SearchStrategy[list[str]]:
    """Return lists of different names."""
    return st.lists(st.sampled_from(names), min_size=least, max_size=most, unique=True)


ATOMS = st.sampled_from(["has_text", "comments_closed", {"field": "scope", "filled": True}])
BALLOT_TESTS = st.sampled_from(["carried", "lost", "open", "closed"]).map(lambda outcome: {"ballot": outcome})


def tests(atoms: st.SearchStrategy[Any] = ATOMS) -> st.SearchStrategy[Any]:
    """Return entries of `require`, nested a little."""
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            inner.map(lambda one: {"not": one}),
            st.lists(inner, min_size=1, max_size=2).map(lambda all_of: {"all": all_of}),
            st.lists(inner, min_size=1, max_size=2).map(lambda any_of: {"any": any_of}),
        ),
        max_leaves=3,
    )


def guards(atoms: st.SearchStrategy[Any] = ATOMS) -> st.SearchStrategy[Definition]:
    parts = st.fixed_dictionaries(
        {},
        optional={
            "permission": some(PERMISSIONS, least=1),
            "role": some(ROLES, least=1),
            "group": some(GROUPS, least=1),
            "require": st.lists(tests(atoms), min_size=1, max_size=2),
        },
    )
    return st.one_of(st.just({}), parts)


GRANTS = st.dictionaries(st.sampled_from(PERMISSIONS), some(ROLES), max_size=3)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Draw a definition that can be read; whether it makes sense as a whole is left open."""
    names = STATES[: draw(st.integers(2, len(STATES)))]
    has_ballot = draw(st.booleans())
    atoms = st.one_of(ATOMS, BALLOT_TESTS) if has_ballot else ATOMS
    transitions: Definition = {}
    for number in range(draw(st.integers(1, 7))):
        transitions[f"t{number}"] = {
            "from": draw(some(names, most=3, least=1)),
            "to": draw(st.sampled_from([*names, "stay"])),
            "trigger": draw(some(TRIGGERS, most=3, least=1)),
            "guard": draw(guards(atoms)),
            "comment": draw(st.sampled_from(["optional", "required", "none"])),
        }
    states: Definition = {}
    for name in names:
        states[name] = state = {"grants": draw(GRANTS), "inherit": draw(some(PERMISSIONS, most=1))}
        state["final"] = draw(st.booleans())
        if draw(st.integers(0, 2)) == 0:
            state["timer"] = {"after": "P3D", "fire": draw(st.sampled_from(sorted(transitions)))}
        if has_ballot and draw(st.booleans()):
            state["ballot"] = "vote"
    found: Definition = {
        "workflow": "random",
        "initial": draw(st.sampled_from(names)),
        "roles": [{"id": "Owner", "is": "author"}],
        "means": {"Change it": "edit"},
        "bypass": draw(st.sampled_from([[], [], [], ["manager"], ["Owner"]])),
        "permissions": {"view": draw(some(ROLES)), **draw(GRANTS)},
        "states": states,
        "transitions": transitions,
    }
    if has_ballot:
        found["ballots"] = {"vote": BALLOT}
    return found


@st.composite
def sound_definitions(draw: st.DrawFn) -> Definition:
    """Draw a definition that passes `workflow check`: the secretariat leads through its states one after the other."""
    found = draw(definitions())
    names = list(found["states"])
    found["initial"] = names[0]
    found["permissions"]["view"] = ["anonymous"]
    for name, state in found["states"].items():
        state["final"] = True
        state["grants"].pop("view", None)
        timer = state.get("timer")
        if timer and (
            "timer" not in found["transitions"][timer["fire"]]["trigger"]
            or name not in found["transitions"][timer["fire"]]["from"]
        ):
            del state["timer"]
    for transition in found["transitions"].values():
        places = [names.index(source) for source in transition["from"]]
        if transition["to"] == "stay" or names.index(transition["to"]) <= max(places):
            # Only forward by itself: so there is no circle.
            transition["trigger"] = [one for one in transition["trigger"] if one != "automatic"] or ["user"]
    for first, second in zip(names, names[1:], strict=False):
        way = {"from": [first], "to": second, "guard": {"role": ["secretariat"]}}
        found["transitions"][f"from_{first}"] = way
    return found


@st.composite
def further_definitions(draw: st.DrawFn) -> Definition:
    """Draw a sound definition that stands behind another in a chain: it says nothing of who may view."""
    found = draw(sound_definitions())
    found["workflow"] = "further"
    del found["permissions"]["view"]
    found.pop("ballots", None)
    for state in found["states"].values():
        state.pop("ballot", None)
        state["inherit"] = [name for name in state["inherit"] if name != "view"]
    found["transitions"] = {f"further_{name}": transition for name, transition in found["transitions"].items()}
    for state in found["states"].values():
        if "timer" in state:
            state["timer"]["fire"] = f"further_{state['timer']['fire']}"
    return found


def as_yaml(definition: Definition) -> str:
    """Return the definition as JSON, which is YAML."""
    return json.dumps(definition, ensure_ascii=False, indent=1)


def as_workflow(definition: Definition) -> Workflow:
    """Return the definition as it is read."""
    return read_workflow(as_yaml(definition), "random.yaml", conditions=BUILT_IN_CONDITIONS, effects={})


def workflows() -> st.SearchStrategy[Workflow]:
    return definitions().map(as_workflow)


def sets_of_roles(names: tuple[str, ...] = (*ROLES, "manager")) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(names))


def actors() -> st.SearchStrategy[Actor]:
    """Return persons with some roles and groups."""
    return st.builds(
        lambda roles, groups: Actor(1, roles=roles | {"anonymous", "authenticated"}, groups=groups),
        sets_of_roles(),
        st.frozensets(st.sampled_from(GROUPS)),
    )


def make_facts(state: str, *, text: bool, is_open: bool, scope: str | None, ballot: str = "") -> Facts:
    """Return the facts that the tests of these definitions read; `ballot` is its standing, empty for none."""
    standing = BallotFacts(1, "vote", ballot, ballot != "open") if ballot else BallotFacts()
    return Facts(
        "paper",
        state,
        NOW,
        fields={"scope": scope},
        text_blocks=3 if text else 0,
        comments=CommentFacts(round_open=is_open),
        ballot=standing,
    )


@st.composite
def facts_in(draw: st.DrawFn, workflow: Workflow, state: str) -> Facts:
    """Draw facts of a document in that state; a ballot stands only where the state opens one."""
    standings = ["", "open", "carried", "lost", "cancelled"] if workflow.states[state].ballot else [""]
    return make_facts(
        state,
        text=draw(st.booleans()),
        is_open=draw(st.booleans()),
        scope=draw(st.sampled_from([None, "global"])),
        ballot=draw(st.sampled_from(standings)),
    )
