"""What `workflow prove` answers: on definitions made for it, and against plain trial of everybody with all facts."""

from dataclasses import replace
from itertools import chain, combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r2pflow.domain import engine
from r2pflow.domain.conditions import BUILT_IN_CONDITIONS
from r2pflow.domain.definition import Workflow
from r2pflow.domain.errors import BadQuestion
from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.domain.proving import ALWAYS, NEVER, POSSIBLE, Answer, prove
from r2pflow.domain.reading import read_workflow
from tests.strategies import GROUPS, ROLES, make_facts, workflows

FLOW = """\
workflow: paper
initial: draft
roles: [{id: Reviewer Two, is: editor}]
means: {Change the text: edit}
permissions: {view: [secretariat], edit: []}
states:
  draft: {grants: {edit: [author]}, timer: {after: P30D, fire: expire}}
  vote: {ballot: decision, grants: {decide: [steering]}}
  checked: {grants: {Change the text: [Reviewer Two]}, inherit: [publish]}
  published: {final: true, grants: {view: [anonymous]}}
  dropped: {final: true}
transitions:
  submit: {from: [draft], to: vote, guard: {permission: [edit]}}
  adopt: {from: [vote], to: checked, trigger: [automatic], guard: {require: [{ballot: carried}]}}
  refer: {from: [vote], to: draft, comment: required, guard: {role: [secretariat]}}
  publish: {from: [checked], to: published, guard: {role: [secretariat], group: [media]}}
  hurry: {from: [draft], to: published, guard: {role: [manager], require: [has_text, {not: has_text}]}}
  expire: {from: [draft], to: dropped, trigger: [timer]}
  drop: {from: [draft, vote], to: dropped, comment: required, guard: {role: [secretariat]}}
  note: {from: [published], to: stay, guard: {role: [secretariat]}}
ballots:
  decision: {electorate: {role: steering}, positions: [yes, no], rule: {count: yes, more_than: 1/2}}
"""


def read(text: str = FLOW) -> Workflow:
    return read_workflow(text, "paper.yaml", conditions=BUILT_IN_CONDITIONS, effects={})


def ask(kind: str, question: str, text: str = FLOW) -> Answer:
    return prove(read(text), kind, question)


def names(answer: Answer) -> list[str] | None:
    return None if answer.way is None else [step.transition for step in answer.way]


@pytest.mark.parametrize(
    "question",
    [
        "reach published without adopt",
        "reach published without submit or refer",
        "reach published without role secretariat",
        "reach published by member, author or steering",
        "reach published without group media",
        "reach published without ballot decision",
        "reach published without trigger automatic",
        "reach published without vote",
        "reach draft from dropped",
        "reach draft or vote from checked",
        "reach dropped without trigger timer without a comment",
        "reach dropped from vote without a comment without draft without transition adopt",
        "fire hurry",
        "fire adopt in draft",
        "fire publish by secretariat without group media",
        "fire expire without trigger timer",
        "fire submit by steering",
        "reach any state from published where member may edit",
        "reach vote where anyone may edit",
        "reach published where nobody may view",
        "reach published where anonymous may not view",
        'reach checked where editor may not "Change the text"',
        "reach dropped from published",
    ],
)
def test_what_cannot_happen_is_proved(question: str):
    answer = ask(NEVER, question)
    assert answer.holds and answer.way is None
    assert not ask(POSSIBLE, question).holds


@pytest.mark.parametrize(
    ("question", "way"),
    [
        ("reach published", ["submit", "adopt", "publish"]),
        ("reach published without role steering", ["submit", "adopt", "publish"]),
        ("reach published by secretariat or author", ["submit", "adopt", "publish"]),
        ("reach draft", []),
        ("reach dropped", ["expire"]),
        ("reach dropped without trigger timer", ["drop"]),
        ("reach dropped without draft from vote", ["drop"]),
        ("reach dropped from vote without a comment", None),
        ("fire note", ["submit", "adopt", "publish", "note"]),
        ("fire note from published by secretariat", ["note"]),
        ("fire drop in vote", ["submit", "drop"]),
        ("fire drop or refer in vote by secretariat from vote", ["refer"]),
        ("reach any state where editor may edit", ["submit", "adopt"]),
        ('reach any state where "Reviewer Two" may "Change the text"', ["submit", "adopt"]),
        ("reach any state where nobody may edit", ["submit"]),
        ("reach any state where anyone may edit where member may not edit", []),
        ("reach checked where member may publish", ["submit", "adopt"]),  # a dossier may grant it
    ],
)
def test_the_shortest_way_is_found(question: str, way: list[str] | None):
    answer = ask(NEVER, question)
    assert names(answer) == way
    assert answer.holds == (way is None)
    assert ask(POSSIBLE, question).holds == (way is not None)


def test_each_step_says_by_whose_hand_it_may_be_fired():
    first, second, third = ask(NEVER, "reach published").as_dict()["path"]
    nothing = {"groups": [], "bypass": False, "from_dossier": False}
    assert first == {
        "transition": "submit",
        "from": "draft",
        "to": "vote",
        "by": [{"trigger": "user", "roles": [["author"]], **nothing}],
    }
    assert second["by"] == [{"trigger": "automatic", "roles": [], **nothing}]
    assert third["by"] == [{"trigger": "user", "roles": [["secretariat"]], **nothing, "groups": ["media"]}]


def test_a_bypass_passes_every_guard_but_says_so():
    text = FLOW.replace("initial:", "bypass: [manager]\ninitial:")
    answer = ask(NEVER, "reach published without adopt", text)
    assert names(answer) == ["hurry"] and answer.way and answer.way[0].hands[0].past_guard
    assert ask(NEVER, "reach published without adopt without role manager", text).holds


def test_what_would_hold_without_any_exception_is_told_apart():
    assert not ask(NEVER, "reach published without adopt").holds_anyway
    assert ask(NEVER, "reach draft from published without note").holds_anyway


def test_always_finds_the_way_into_a_trap():
    assert ask(ALWAYS, "reach published or dropped").holds
    answer = ask(ALWAYS, "reach published")
    assert not answer.holds and names(answer) == ["expire"]
    assert names(ask(ALWAYS, "fire submit")) == ["expire"]
    assert names(ask(ALWAYS, "reach published from checked")) is None


@pytest.mark.parametrize(
    ("question", "code", "accepted"),
    [
        ("", "question_ends_early", "reach"),
        ("arrive published", "question_unclear", "fire"),
        ("reach", "question_ends_early", "any state"),
        ("reach publishd", "question_mistyped_name", "published"),
        ("reach any", "question_unknown_name", "any state"),
        ("reach published with adopt", "question_unclear", "without"),
        ("reach published without", "question_ends_early", "a comment"),
        ("reach published without comment", "question_mistyped_name", "a comment"),
        ("reach published without role", "question_ends_early", "steering"),
        ("reach published without role stering", "question_mistyped_name", "steering"),
        ("reach published without group bureau", "question_unknown_name", "media"),
        ("reach published without trigger clock", "question_unknown_name", "timer"),
        ("reach published from draft from vote", "question_unclear", "without"),
        ("reach published by member by author", "question_unclear", "without"),
        ("reach published where member edits", "question_unclear", "may"),
        ("reach published where member may delete", "question_unknown_name", "Change the text"),
        ("reach published or", "question_ends_early", "published"),
        ("reach 'published", "question_open_quote", None),
        ("reach published without published", "question_contradicts_itself", None),
        ("fire adopt without adopt", "question_contradicts_itself", None),
        ("reach published without draft", "question_contradicts_itself", None),
        ("reach " + "x" * 3000, "question_too_long", None),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_what_is_accepted(
    question: str, code: str, accepted: str | None
):
    with pytest.raises(BadQuestion) as refused:
        ask(NEVER, question)
    assert refused.value.code == code
    assert accepted is None or accepted in refused.value.params["accepted"]


def test_a_name_that_is_both_state_and_transition_must_be_told_apart():
    text = FLOW.replace("dropped", "drop")
    with pytest.raises(BadQuestion) as refused:
        ask(NEVER, "reach published without drop", text)
    assert refused.value.params["accepted"] == ["state drop", "transition drop"]
    assert names(ask(NEVER, "reach drop without transition drop", text)) == ["expire"]
    assert names(ask(NEVER, "reach published without state drop", text)) == ["submit", "adopt", "publish"]


def test_a_keyword_in_quotes_is_a_name():
    text = FLOW.replace("dropped", "state")
    assert names(ask(NEVER, 'reach published without "state"', text)) == ["submit", "adopt", "publish"]
    assert names(ask(NEVER, "reach state", text)) == ["expire"]


# Against plain trial

Edge = tuple[str, str, str, str]  # source, transition, trigger, target
SCOPES = (None, "global")


def subsets(roles: Any) -> list[frozenset[str]]:
    held = sorted(roles)
    return [frozenset(one) for one in chain.from_iterable(combinations(held, n) for n in range(len(held) + 1))]


def try_everything(workflow: Workflow, people: list[Actor]) -> set[Edge]:
    """Return what the engine lets be fired, whoever of the people does, whatever the facts and the dossier above."""
    everything = {name: (*ROLES, "manager", "anonymous") for name in ("view", "edit", "publish")}
    places = [workflow, replace(workflow, above=everything), replace(workflow, above=dict.fromkeys(everything, ()))]
    has_ballots = any(state.ballot for state in workflow.states.values())
    edges: set[Edge] = set()
    for state, transition in product(workflow.states, workflow.transitions.values()):
        if state not in transition.sources:
            continue
        timer = workflow.states[state].timer
        standings = ["", "open", "carried", "lost", "cancelled"] if workflow.states[state].ballot else [""]
        if not has_ballots:
            standings = ["", "open", "carried", "lost", "cancelled"]  # those of the workflow before it in a chain
        attempts = [("user", actor) for actor in people] + [("automatic", THE_SYSTEM)]
        if timer is not None and timer.fire == transition.name:
            attempts.append(("timer", THE_SYSTEM))
        for trigger, actor in attempts:
            if trigger not in transition.triggers:
                continue
            trials = product(places, (True, False), (True, False), SCOPES, standings)
            if any(
                not engine.explain(
                    place,
                    transition.name,
                    state=state,
                    actor=actor,
                    facts=make_facts(state, text=text, is_open=is_open, scope=scope, ballot=ballot),
                    conditions=BUILT_IN_CONDITIONS,
                    comment={"required": "because"}.get(transition.comment),
                    trigger=trigger,
                )
                for place, text, is_open, scope, ballot in trials
            ):
                edges.add((state, transition.name, trigger, transition.target(state)))
    return edges


def count_steps(edges: set[Edge], start: str) -> dict[str, int]:
    """Return the number of steps to each state that is reached."""
    steps = {start: 0}
    for number in range(1, 10):
        near = {target for source, _, _, target in edges if steps.get(source) == number - 1}
        steps.update({state: number for state in near if state not in steps})
    return steps


@settings(max_examples=60, deadline=None)
@given(workflows(), st.data())
def test_reach_and_fire_answer_as_plain_trial_does(workflow: Workflow, data: st.DataObject):
    states, transitions = list(workflow.states), list(workflow.transitions)
    target, fired = data.draw(st.sampled_from(states)), data.draw(st.sampled_from(transitions))
    start = data.draw(st.sampled_from(states))
    without_states = data.draw(st.sets(st.sampled_from(states), max_size=1)) - {start, target}
    without_transitions = data.draw(st.sets(st.sampled_from(transitions), max_size=2)) - {fired}
    without_triggers = data.draw(st.sets(st.sampled_from(["user", "timer", "automatic"]), max_size=1))
    silent = data.draw(st.booleans())
    by = data.draw(st.sets(st.sampled_from([*ROLES, "manager"]), max_size=2))
    without_role = data.draw(st.sets(st.sampled_from(["member", "author", "manager"]), max_size=1))
    groups_asked = {name for one in workflow.transitions.values() for name in one.guard.groups}
    without_groups = data.draw(st.sets(st.sampled_from(sorted(groups_asked)), max_size=1)) if groups_asked else set()
    clauses = [f"from {start}"]
    clauses += [f"without state {name}" for name in without_states]
    clauses += [f"without transition {' or transition '.join(without_transitions)}"] if without_transitions else []
    clauses += [f"without trigger {name}" for name in without_triggers]
    clauses += [f"without group {name}" for name in without_groups] + ["without a comment"] * silent
    clauses += [f"by {', '.join(by)}"] * bool(by) + [f"without role {name}" for name in without_role]
    question = " ".join(data.draw(st.permutations(clauses)))

    own = by or {*ROLES, "manager"}
    people = [
        Actor(1, roles=roles | {"anonymous", "authenticated"}, groups=frozenset(GROUPS) - without_groups)
        for roles in subsets(own)
        if not workflow.counting_roles(roles) & workflow.counting_roles(without_role)
    ]
    edges = {
        edge
        for edge in try_everything(workflow, people)
        if edge[1] not in without_transitions
        and edge[2] not in without_triggers
        and not (silent and edge[2] == "user" and workflow.transitions[edge[1]].comment == "required")
    }
    walked = {edge for edge in edges if edge[3] not in without_states}
    steps = count_steps(walked, start)

    reached = prove(workflow, NEVER, f"reach {target} {question}")
    assert (None if reached.way is None else len(reached.way)) == steps.get(target)
    last = [steps[source] for source, name, _, _ in edges if name == fired and source in steps]
    done = prove(workflow, NEVER, f"fire {fired} {question}")
    assert (None if done.way is None else len(done.way)) == (min(last) + 1 if last else None)
    for answer in (reached, done):
        place = start
        for step in answer.way or ():
            assert step.source == place
            place = step.target
            triggers = {
                trigger
                for source, name, trigger, to in edges
                if (source, name, to) == (step.source, step.transition, place)
            }
            assert {hand.trigger for hand in step.hands} == triggers


@settings(max_examples=40, deadline=None)
@given(workflows(), st.data())
def test_always_answers_as_plain_trial_does(workflow: Workflow, data: st.DataObject):
    target = data.draw(st.sampled_from(list(workflow.states)))
    everybody = Actor(1, roles=frozenset({*ROLES, "manager"}), groups=frozenset(GROUPS))
    edges = try_everything(workflow, [everybody])
    good = {state for state in workflow.states if target in count_steps(edges, state)}
    lost = {state: n for state, n in count_steps(edges, workflow.initial).items() if state not in good}
    answer = prove(workflow, ALWAYS, f"reach {target}")
    assert answer.holds == (not lost)
    assert (None if answer.way is None else len(answer.way)) == (min(lost.values()) if lost else None)


@settings(max_examples=100)
@given(workflows(), st.data())
def test_who_may_do_what_is_answered_as_the_engine_does(workflow: Workflow, data: st.DataObject):
    state = data.draw(st.sampled_from(list(workflow.states)))
    role = data.draw(st.sampled_from([*ROLES, "anonymous"]))
    permission = data.draw(st.sampled_from(["view", "edit", "publish", '"Change it"']))
    everything = {name: (*ROLES, "anonymous") for name in ("view", "edit", "publish")}
    places = [workflow, replace(workflow, above=everything), replace(workflow, above=dict.fromkeys(everything, ()))]
    answers = {engine.holds(place, state, permission.strip('"'), [role]) for place in places}
    asked = f"reach {state} from {state} where {role} may"
    assert prove(workflow, POSSIBLE, f"{asked} {permission}").holds == (True in answers)
    assert prove(workflow, POSSIBLE, f"{asked} not {permission}").holds == (False in answers)
