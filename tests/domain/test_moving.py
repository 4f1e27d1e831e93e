"""The step of a document from one definition to another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.moving import Step, check_mapping, plan_step
from r2pflow.domain.reading import read_outline

OLD = """
workflow: paper
version: 1
initial: drafting
states:
  drafting: {grants: {view: [author]}}
  review:
    grants: {view: [member], comment: [member]}
    comments: {round: member}
    timer: {after: P3D, fire: close, remind: [P1D]}
  vote: {grants: {view: [member]}, ballot: simple}
  done: {final: true, grants: {view: [anonymous]}}
transitions:
  open: {from: [drafting], to: review}
  close: {from: [review], to: vote, trigger: [user, timer]}
  finish: {from: [vote], to: done, guard: {require: [nobody_knows_this]}}
ballots:
  simple: {electorate: {role: member}, positions: [yes, no], rule: {quorum: 1/2}}
"""
NEW = OLD.replace("version: 1", "version: 2").replace("drafting", "writing").replace("P3D", "P5D")


def read(text):
    return read_outline(text, "test.yaml")


def plan(state, mapping=None, old=OLD, new=NEW, has_round=False, has_ballot=False):
    return plan_step(read(old), read(new), state, mapping or {}, has_round=has_round, has_ballot=has_ballot)


def codes(step):
    return [refusal.code for refusal in step.refusals]


def test_a_state_of_the_same_name_maps_to_itself():
    assert plan("done") == Step("done", "done")
    assert not plan("done").enters


def test_a_state_that_is_gone_and_not_mapped_is_refused_with_what_there_is():
    step = plan("drafting")
    assert codes(step) == ["state_not_mapped"]
    assert step.refusals[0].params == {"state": "drafting", "accepted": ("writing", "review", "vote", "done")}
    assert plan("drafting", {"drafting": "writing"}) == Step("drafting", "writing")


def test_a_mapping_may_send_a_state_elsewhere_although_it_is_still_there():
    assert plan("review", {"review": "vote"}).target == "vote"
    assert plan("review", {"review": "vote"}).enters


def test_a_deadline_is_kept_unless_the_new_state_has_another():
    assert plan("review", new=NEW.replace("P5D", "P3D")).deadline == "kept"
    assert plan("review").deadline == "begun"
    assert plan("review", {"review": "vote"}).deadline == "ended"
    assert plan("vote").deadline == "none"


def test_what_is_open_stays_where_the_state_keeps_its_name_and_a_place_for_it():
    assert plan("review", has_round=True).refusals == ()
    assert codes(plan("review", {"review": "vote"}, has_round=True)) == ["round_open"]
    assert codes(plan("review", has_round=True, new=NEW.replace("    comments: {round: member}\n", ""))) == [
        "round_open"
    ]
    assert plan("vote", has_ballot=True).refusals == ()
    assert codes(plan("vote", has_ballot=True, new=NEW.replace(", ballot: simple", ""))) == ["ballot_open"]
    assert codes(plan("vote", {"vote": "done"}, has_ballot=True)) == ["ballot_open"]


@pytest.mark.parametrize("mapping", [{"nowhere": "writing"}, {"drafting": "nowhere"}, {"writing": "drafting"}])
def test_a_mapping_of_states_that_are_not_there_is_refused(mapping):
    with pytest.raises(InvalidInput, match="unknown_state") as refused:
        check_mapping([read(OLD)], read(NEW), mapping)
    assert refused.value.params["accepted"]


STATES = ("drafting", "writing", "review", "vote", "done")


@given(
    st.sampled_from(("drafting", "review", "vote", "done")),
    st.dictionaries(st.sampled_from(STATES), st.sampled_from(STATES)),
    st.booleans(),
    st.booleans(),
)
def test_a_step_is_refused_or_leads_to_a_state_of_the_new_definition(state, mapping, has_round, has_ballot):
    step = plan(state, mapping, has_round=has_round, has_ballot=has_ballot)
    if not step.refusals:
        assert step.target in read(NEW).states
        assert step.target == mapping.get(state, state)
        assert not (has_round or has_ballot) or step.target == state
