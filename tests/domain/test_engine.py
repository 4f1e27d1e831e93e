"""What may be fired, by whom, why not, and what comes of it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2pflow.domain import engine
from r2pflow.domain.conditions import BUILT_IN_CONDITIONS
from r2pflow.domain.definition import EffectCall, Guard, State, Transition, Workflow
from r2pflow.domain.definition import Test as Clause
from r2pflow.domain.errors import NotFound, Refused
from r2pflow.domain.facts import BallotFacts, CommentFacts, Facts
from r2pflow.domain.people import NOBODY, THE_SYSTEM, Actor
from r2pflow.domain.tables import table

NOW = datetime(2027, 5, 11, 9, 30, tzinfo=UTC)


def flow(**changes: Any) -> Workflow:
    transitions = (
        Transition(
            "open_comment",
            ("drafting",),
            "comment",
            guard=Guard(("edit",), ("secretariat",), ("media",), (Clause("named", "has_text"),)),
            effects=(EffectCall("notify_members"),),
        ),
        Transition("close_comment", ("comment",), "drafting", ("user", "timer"), Guard(roles=("secretariat",))),
        Transition(
            "adopt", ("comment",), "published", ("automatic",), Guard(require=(Clause("named", "ballot", "carried"),))
        ),
        Transition("drop", ("comment",), "drafting", ("automatic",)),
        Transition("withdraw", ("published", "comment"), "withdrawn", comment="required"),
        Transition("note", ("published",), "stay", comment="none"),
    )
    known: dict[str, Any] = {
        "states": {
            "drafting": State("drafting", grants={"view": ("author",), "edit": ("author",)}, inherit=("view",)),
            "comment": State("comment", grants={"comment": ()}),
            "published": State("published", grants={"view": ("anonymous",)}, final=True),
            "withdrawn": State("withdrawn", final=True),
        },
        "transitions": {transition.name: transition for transition in transitions},
        "permissions": {"view": ("secretariat",), "comment": ("member",)},
        "digest": f"engine-test-{sorted(changes)}",
    }
    return Workflow("flow", 1, "drafting", **{**known, **changes})


FLOW = flow()
SECRETARY = Actor(1, roles=frozenset({"authenticated", "secretariat", "author"}), groups=frozenset({"media"}))


def facts(state: str = "drafting", **known: Any) -> Facts:
    return Facts("paper", state, NOW, **{"text_blocks": 5, **known})


def ask(name: str, state: str, actor: Actor, workflow: Workflow = FLOW, **given: Any) -> tuple[str, ...]:
    known = given.pop("facts", facts(state))
    refusals = engine.explain(
        workflow, name, state=state, actor=actor, facts=known, conditions=BUILT_IN_CONDITIONS, **given
    )
    return tuple(refusal.code for refusal in refusals)


def fire(name: str, state: str, actor: Actor, workflow: Workflow = FLOW, **given: Any) -> engine.Outcome:
    known = given.pop("facts", facts(state))
    return engine.fire(workflow, name, state=state, actor=actor, facts=known, conditions=BUILT_IN_CONDITIONS, **given)


def test_who_meets_the_guard_fires() -> None:
    outcome = fire("open_comment", "drafting", SECRETARY, comment="  at last ")
    assert (outcome.source, outcome.target, outcome.trigger) == ("drafting", "comment", "user")
    assert outcome.effects == (EffectCall("notify_members"),)
    assert outcome.entered and not outcome.bypassed and outcome.comment == "at last"


def test_every_reason_is_told_at_once() -> None:
    with pytest.raises(Refused) as caught:
        fire("open_comment", "drafting", NOBODY, facts=facts(text_blocks=0))
    assert [refusal.code for refusal in caught.value.refusals] == ["no_permission", "no_role", "no_group", "condition"]
    params = [dict(refusal.params) for refusal in caught.value.refusals]
    assert params[0] == {"permissions": ["edit"], "holders": ["author"]}
    assert params[1] == {"roles": ["secretariat"]}
    assert params[2] == {"groups": ["media"]}
    assert params[3] == {"name": "has_text", "argument": None, "detail": {}}


def test_the_wrong_state_is_another_error_than_the_wrong_role() -> None:
    assert ask("close_comment", "drafting", SECRETARY) == ("wrong_state",)
    assert ask("close_comment", "comment", NOBODY) == ("no_role",)
    with pytest.raises(Refused) as caught:
        fire("close_comment", "published", SECRETARY)
    (refusal,) = caught.value.refusals
    assert refusal.params == {"state": "published", "accepted": ["comment"]}


def test_an_unknown_transition_is_not_found() -> None:
    with pytest.raises(NotFound):
        fire("fly", "drafting", SECRETARY)


def test_a_comment_is_asked_for_or_refused() -> None:
    assert ask("withdraw", "published", NOBODY) == ("comment_required",)
    assert ask("withdraw", "published", NOBODY, comment="  ") == ("comment_required",)
    assert ask("withdraw", "published", NOBODY, comment="superseded") == ()
    assert ask("note", "published", NOBODY, comment="why") == ("comment_not_allowed",)
    assert ask("note", "published", NOBODY, comment=" ") == ()


def test_staying_enters_nothing() -> None:
    outcome = fire("note", "published", NOBODY)
    assert outcome.target == "published" and not outcome.entered


def test_a_timer_and_an_automatic_transition_ask_only_for_their_conditions() -> None:
    assert fire("close_comment", "comment", THE_SYSTEM, trigger="timer").target == "drafting"
    assert ask("close_comment", "comment", NOBODY, trigger="timer") == ()
    lost = facts("comment", ballot=BallotFacts(1, outcome="lost", is_closed=True))
    assert ask("adopt", "comment", THE_SYSTEM, trigger="automatic", facts=lost) == ("condition",)


def test_a_transition_fires_only_by_its_triggers() -> None:
    assert ask("adopt", "comment", THE_SYSTEM, facts=facts("comment", ballot=BallotFacts())) == (
        "not_this_trigger",
        "condition",
    )
    assert ask("note", "published", THE_SYSTEM, trigger="timer") == ("not_this_trigger",)


def test_offers_name_what_is_refused_too_but_not_what_fires_by_itself() -> None:
    offers = engine.available(
        FLOW, state="comment", actor=NOBODY, facts=facts("comment"), conditions=BUILT_IN_CONDITIONS
    )
    assert [(offer.transition.name, offer.to, offer.is_fireable) for offer in offers] == [
        ("close_comment", "drafting", False),
        ("withdraw", "withdrawn", True),
    ]


def test_the_first_automatic_transition_whose_conditions_hold_is_next() -> None:
    def next_with(ballot: BallotFacts) -> str | None:
        found = engine.next_automatic(
            FLOW, state="comment", facts=facts("comment", ballot=ballot), conditions=BUILT_IN_CONDITIONS
        )
        return found.name if found else None

    assert next_with(BallotFacts(1, outcome="carried", is_closed=True)) == "adopt"
    assert next_with(BallotFacts()) == "drop"
    assert engine.next_automatic(FLOW, state="drafting", facts=facts(), conditions=BUILT_IN_CONDITIONS) is None


def test_a_bypass_skips_the_guard_but_neither_state_nor_comment_and_is_told() -> None:
    workflow = flow(bypass=("manager",))
    manager = Actor(1, roles=frozenset({"manager"}))
    outcome = fire("open_comment", "drafting", manager, workflow, facts=facts(text_blocks=0))
    assert outcome.bypassed
    assert ask("open_comment", "comment", manager, workflow) == ("wrong_state",)
    assert ask("withdraw", "published", manager, workflow) == ("comment_required",)
    assert not fire("withdraw", "published", manager, workflow, comment="x").bypassed
    assert not fire("close_comment", "comment", THE_SYSTEM, workflow, trigger="timer").bypassed


def test_without_bypass_a_manager_is_asked_like_anybody() -> None:
    manager = Actor(1, roles=frozenset({"manager"}))
    assert ask("close_comment", "comment", manager) == ("no_role",)


def test_a_state_that_says_nothing_leaves_a_permission_to_the_workflow() -> None:
    assert engine.holds(FLOW, "comment", "view", {"secretariat"})
    assert not engine.holds(FLOW, "comment", "view", {"author"})


def test_an_empty_grant_is_nobody() -> None:
    assert not engine.holds(FLOW, "comment", "comment", {"member", "manager"})


def test_inherit_adds_the_holders_of_the_container() -> None:
    assert engine.holds(FLOW, "drafting", "view", {"author"})
    assert engine.holds(FLOW, "drafting", "view", {"secretariat"})
    assert not engine.holds(FLOW, "drafting", "edit", {"secretariat"})


def test_what_anonymous_holds_everybody_holds() -> None:
    assert engine.holds(FLOW, "published", "view", {"member"})
    assert engine.holds(FLOW, "published", "view", ())


def test_authenticated_is_everybody_who_is_signed_in() -> None:
    guard = Guard(roles=("authenticated",))
    workflow = flow(transitions={"go": Transition("go", ("drafting",), "comment", guard=guard)})
    assert ask("go", "drafting", NOBODY, workflow) == ("no_role",)
    assert ask("go", "drafting", Actor(7, roles=frozenset({"member"})), workflow) == ()


def test_another_name_of_a_role_counts_as_it_in_both_directions() -> None:
    states = {"drafting": State("drafting", grants={"view": ("Owner",), "edit": ("author",)})}
    workflow = flow(states=states, transitions={}, roles=("Owner",), aliases={"Owner": "author"})
    for role in ("Owner", "author"):
        assert engine.holds(workflow, "drafting", "view", {role})
        assert engine.holds(workflow, "drafting", "edit", {role})


def test_own_names_of_a_permission_count_for_the_built_in_one() -> None:
    states = {
        "a": State("a", grants={"Modify content": ("editor",), "Change events": ()}),
        "b": State("b", grants={"edit": ("author",)}),
        "c": State("c", grants={"Modify content": ()}),
    }
    means = {"Modify content": "edit", "Change events": "edit"}
    workflow = flow(states=states, transitions={}, means=means, permissions={"edit": ("manager",)})
    assert workflow.holders("a", "edit") == {"editor"}
    assert workflow.holders("a", "Change events") == frozenset()
    assert workflow.holders("b", "Modify content") == {"author"}
    assert workflow.holders("c", "edit") == frozenset()


def test_who_could_fire_is_told_by_permission_role_and_group() -> None:
    who = engine.who_could(FLOW, "drafting", "open_comment")
    assert who.permissions == ("edit",) and who.permission_roles == {"author"}
    assert who.roles == {"secretariat"} and who.groups == {"media"} and who.bypass == frozenset()
    assert engine.who_could(FLOW, "comment", "close_comment").triggers == ("user", "timer")


def test_needs_are_those_of_the_named_transitions() -> None:
    assert engine.needs(FLOW, ["open_comment"], BUILT_IN_CONDITIONS) == {"text"}
    assert engine.needs(FLOW, ["open_comment", "adopt"], BUILT_IN_CONDITIONS) == {"text", "ballot"}


NAMES = ("a", "b", "c", "d")
ROLES = ("member", "steering", "secretariat", "author")


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    some_roles = st.lists(st.sampled_from(ROLES), max_size=2, unique=True).map(tuple)
    states = {
        name: State(name, grants=draw(st.dictionaries(st.sampled_from(["view", "edit"]), some_roles))) for name in NAMES
    }
    transitions = {}
    for number in range(draw(st.integers(1, 6))):
        name = f"t{number}"
        require = draw(st.sampled_from([(), (Clause("named", "has_text"),), (Clause("named", "comments_closed"),)]))
        transitions[name] = Transition(
            name,
            tuple(draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))),
            draw(st.sampled_from([*NAMES, "stay"])),
            tuple(draw(st.lists(st.sampled_from(["user", "timer", "automatic"]), min_size=1, unique=True))),
            Guard(draw(st.sampled_from([(), ("edit",), ("view", "edit")])), draw(some_roles), (), require),
            draw(st.sampled_from(["optional", "required", "none"])),
        )
    return Workflow("w", 1, "a", states, transitions, permissions={"view": draw(some_roles)})


@given(workflows(), st.data())
def test_engine_table_and_explanation_agree_on_every_walk(workflow: Workflow, data: st.DataObject) -> None:
    printed = table(workflow)["states"]
    state = workflow.initial
    for _ in range(8):
        name = data.draw(st.sampled_from(sorted(workflow.transitions)))
        actor = Actor(1, roles=frozenset(data.draw(st.sets(st.sampled_from(ROLES)))))
        known = facts(
            state,
            text_blocks=data.draw(st.sampled_from([0, 3])),
            comments=CommentFacts(round_open=data.draw(st.booleans())),
        )
        trigger = data.draw(st.sampled_from(["user", "timer", "automatic"]))
        comment = data.draw(st.sampled_from([None, "because"]))
        given = {"facts": known, "trigger": trigger, "comment": comment}
        codes = ask(name, state, actor, workflow, **given)
        row = printed[state]["transitions"].get(name)
        assert (row is None) == ("wrong_state" in codes)
        if row is not None:
            assert (trigger not in row["trigger"]) == ("not_this_trigger" in codes)
        try:
            outcome = fire(name, state, actor, workflow, **given)
        except Refused as refused:
            assert tuple(refusal.code for refusal in refused.refusals) == codes != ()
            continue
        assert codes == () and row is not None
        assert outcome.source == state
        assert outcome.target == (state if row["to"] == "stay" else row["to"])
        state = outcome.target
