"""Where a document stands on its way: pure functions over the shipped workflows."""

import pytest

from r2pflow.domain.definition import Workflow
from r2pflow.folders import get_folder
from r2pflow.plugins.catalogue import load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services.standing import find_main_transition, find_movers, lay_way


@pytest.fixture(scope="module")
def paper() -> Workflow:
    return load_catalogue(load_plugins(), [get_folder("workflows")]).workflows["position_paper"]


def test_the_way_of_a_new_document_leads_to_publication(paper: Workflow) -> None:
    assert lay_way(paper, ["drafting"]) == [
        ("drafting", "here"),
        ("member_comment", "ahead"),
        ("revision", "ahead"),
        ("steering_approval", "ahead"),
        ("translation", "ahead"),
        ("published", "ahead"),
    ]


def test_a_loop_is_cut_out_of_the_way(paper: Workflow) -> None:
    path = ["drafting", "member_comment", "revision", "steering_approval", "revision"]
    assert [state for state, _ in lay_way(paper, path)][:3] == ["drafting", "member_comment", "revision"]
    assert dict(lay_way(paper, path))["steering_approval"] == "ahead"


def test_a_step_that_was_skipped_does_not_come_back_ahead(paper: Workflow) -> None:
    assert [state for state, _ in lay_way(paper, ["drafting", "steering_approval", "translation"])] == [
        "drafting",
        "steering_approval",
        "translation",
        "published",
    ]


def test_a_withdrawn_document_has_nothing_ahead(paper: Workflow) -> None:
    way = lay_way(paper, ["drafting", "published", "withdrawn"])
    assert way[-1] == ("withdrawn", "here")
    assert find_main_transition(paper, way) is None


@pytest.mark.parametrize(
    ("state", "roles"),
    [
        ("drafting", {"secretariat"}),
        ("member_comment", {"member"}),
        ("steering_approval", {"steering"}),
        ("translation", {"translator", "secretariat"}),
        ("published", set()),
    ],
)
def test_each_state_waits_for_those_who_can_move_it(paper: Workflow, state: str, roles: set[str]) -> None:
    following = find_main_transition(paper, lay_way(paper, [state]))
    assert find_movers(paper, state, following) == roles
