"""On random definitions and random walks, all that say what may be fired say the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from r2pflow.domain import engine
from r2pflow.domain.conditions import BUILT_IN_CONDITIONS, evaluate
from r2pflow.domain.definition import AUTOMATIC, USER, Workflow
from r2pflow.domain.engine import Who
from r2pflow.domain.errors import Refused
from r2pflow.domain.machine import CompiledMachine
from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.domain.tables import plain_test, table
from r2pflow.domain.ways import Ways, everybody
from tests.strategies import TRIGGERS, actors, as_workflow, definitions, facts_in, sound_definitions, workflows

OF_ATTEMPT = {"wrong_state", "not_this_trigger", "comment_required", "comment_not_allowed"}
OF_PERSON = {"no_permission", "no_role", "no_group"}


def is_among(who: Who, workflow: Workflow, actor: Actor) -> bool:
    """Tell whether the actor is one of those who could fire, by what `who_could` says alone."""
    roles = engine.roles_of(workflow, actor)
    if roles & who.bypass:
        return True
    return (
        (not who.permissions or bool(roles & who.permission_roles))
        and (not who.roles or bool(roles & who.roles))
        and (not who.groups or bool(actor.groups & who.groups))
    )


@given(workflows(), st.data())
def test_engine_table_offers_explanation_and_machine_agree_on_every_walk(workflow: Workflow, data: st.DataObject):
    printed = table(workflow)["states"]
    machine = CompiledMachine(workflow)
    state = workflow.initial
    for _ in range(6):
        actor = data.draw(actors())
        facts = data.draw(facts_in(workflow, state))
        trigger, comment = data.draw(st.sampled_from(TRIGGERS)), data.draw(st.sampled_from([None, "because"]))
        offers = engine.available(workflow, state=state, actor=actor, facts=facts, conditions=BUILT_IN_CONDITIONS)
        rows = printed[state]["transitions"]
        assert [offer.transition.name for offer in offers] == [n for n, row in rows.items() if "user" in row["trigger"]]
        by_name = {offer.transition.name: offer for offer in offers}
        fired: list[str] = []
        for name, transition in workflow.transitions.items():
            given = {"state": state, "actor": actor, "facts": facts, "conditions": BUILT_IN_CONDITIONS}
            refusals = engine.explain(workflow, name, **given, comment=comment, trigger=trigger)
            codes = {refusal.code for refusal in refusals}
            row = rows.get(name)
            # the table and the machine know the same ways
            assert (row is None) == ("wrong_state" in codes) == (machine.fire(name, state, lambda: True) is None)
            if row is None:
                continue
            target = state if row["to"] == "stay" else row["to"]
            assert machine.fire(name, state, lambda: True) == target
            assert (trigger not in row["trigger"]) == ("not_this_trigger" in codes)
            assert row["require"] == [plain_test(test) for test in transition.guard.require]
            # the offer says what the explanation says, but for what is given with the attempt itself
            if name in by_name:
                asked = engine.explain(workflow, name, **given, comment=comment)
                assert by_name[name].to == target
                assert by_name[name].refusals == tuple(one for one in asked if one.code not in OF_ATTEMPT)
                who = engine.who_could(workflow, state, name)
                assert is_among(who, workflow, actor) == (not {one.code for one in asked} & OF_PERSON)
            # and the engine fires just what nothing refuses
            try:
                outcome = engine.fire(workflow, name, **given, comment=comment, trigger=trigger)
            except Refused as refused:
                assert refused.refusals == refusals != ()
            else:
                assert refusals == () and (outcome.source, outcome.target) == (state, target)
                fired.append(target)
        if fired:
            state = data.draw(st.sampled_from(fired))


@given(workflows(), st.data())
def test_whatever_is_fired_was_left_open_by_the_definition(workflow: Workflow, data: st.DataObject):
    ways, people = Ways(workflow), everybody(workflow)
    for state in workflow.states:
        actor, facts = data.draw(actors()), data.draw(facts_in(workflow, state))
        for name, transition in workflow.transitions.items():
            triggers = {hand.trigger for hand in ways.find_hands(state, transition, people)}
            for trigger, who in ((USER, actor), (AUTOMATIC, THE_SYSTEM)):
                refusals = engine.explain(
                    workflow,
                    name,
                    state=state,
                    actor=who,
                    facts=facts,
                    conditions=BUILT_IN_CONDITIONS,
                    comment={"required": "because"}.get(transition.comment),
                    trigger=trigger,
                )
                assert refusals or trigger in triggers


@given(workflows(), st.data())
def test_the_next_automatic_transition_is_the_first_that_the_system_may_fire(workflow: Workflow, data: st.DataObject):
    for state in workflow.states:
        facts = data.draw(facts_in(workflow, state))
        found = engine.next_automatic(workflow, state=state, facts=facts, conditions=BUILT_IN_CONDITIONS)
        first = next(
            (
                name
                for name, row in table(workflow)["states"][state]["transitions"].items()
                if "automatic" in row["trigger"]
                and not evaluate(workflow.transitions[name].guard.require, facts, THE_SYSTEM, BUILT_IN_CONDITIONS)
            ),
            None,
        )
        assert (found and found.name) == first


@settings(max_examples=50)
@given(definitions(), sound_definitions())
def test_the_definitions_of_these_tests_can_be_read(one: dict, other: dict):
    assert list(as_workflow(one).states) == list(one["states"])
    assert list(as_workflow(other).transitions) == list(other["transitions"])
