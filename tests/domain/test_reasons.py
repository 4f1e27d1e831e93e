"""Why somebody holds a permission says the same as whether they hold it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from r2pflow.domain import engine
from r2pflow.domain.definition import State, Workflow
from r2pflow.domain.people import ANONYMOUS
from r2pflow.domain.reasons import Reason, Source, why

ROLES = ("anonymous", "member", "author", "editor", "Owner")
ROLE_SETS = st.lists(st.sampled_from(ROLES), unique=True).map(tuple)
PERMISSIONS = ("view", "edit", "View")
GRANTS = st.dictionaries(st.sampled_from(PERMISSIONS), ROLE_SETS)

WORKFLOWS = st.builds(
    lambda grants, inherit, permissions, above, ruled: Workflow(
        name="paper",
        version=1,
        initial="here",
        states={"here": State("here", grants=grants, inherit=tuple(inherit))},
        transitions={},
        permissions=permissions,
        roles=("Owner",),
        aliases={"Owner": "author"},
        means={"View": "view"},
        above=above,
        ruled={name: frozenset(roles) for name, roles in ruled.items()},
    ),
    GRANTS,
    st.lists(st.sampled_from(PERMISSIONS), unique=True),
    GRANTS,
    st.dictionaries(st.sampled_from(("view", "edit")), ROLE_SETS),
    st.dictionaries(st.just("edit"), ROLE_SETS),
)


@given(WORKFLOWS, ROLE_SETS, st.sampled_from(PERMISSIONS))
def test_there_is_a_reason_exactly_where_the_permission_is_held(workflow, roles, permission):
    held = {role: [Source("own")] for role in {ANONYMOUS, *roles}}
    assert bool(why(workflow, "here", permission, held)) == engine.holds(workflow, "here", permission, roles)


def test_each_role_and_each_place_that_it_comes_from_is_a_reason_of_its_own():
    states = {"here": State("here", grants={"edit": ("author",)}, inherit=("edit",))}
    workflow = Workflow("paper", 1, "here", states, {}, above={"edit": ("editor",)})
    own, shared = Source("own"), Source("group", place="document")
    held = {"author": [own, shared], "editor": [shared], "member": [own]}
    assert why(workflow, "here", "edit", held) == (
        Reason("author", own, "state"),
        Reason("author", shared, "state"),
        Reason("editor", shared, "above"),
    )


def test_what_the_workflow_itself_says_of_a_permission_is_told_from_what_another_of_the_chain_rules():
    workflow = Workflow("paper", 1, "here", {"here": State("here")}, {}, permissions={"edit": ("author",)})
    held = {"author": [Source("own")]}
    assert [reason.origin for reason in why(workflow, "here", "edit", held)] == ["workflow"]
    ruled = replace(workflow, ruled={"edit": frozenset({"author"})})
    assert [reason.origin for reason in why(ruled, "here", "edit", held)] == ["chain"]
