"""What changed between two versions of a workflow is listed whole, and nothing else is."""

from dataclasses import replace
from typing import Any

import pytest

from r2pflow.domain.conditions import BUILT_IN_CONDITIONS
from r2pflow.domain.definition import Workflow
from r2pflow.domain.diffing import Change, compare, find_touched
from r2pflow.domain.reading import read_file, read_workflow
from r2pflow.folders import get_folder
from r2pflow.plugins.loading import load_plugins

SHIPPED = sorted(path for path in get_folder("workflows").glob("*.yaml") if path.name != "documents.yaml")
OLD = """\
workflow: small
initial: draft
roles: [drafter, helper]
bypass: [manager]
permissions: {view: [secretariat], publish: [secretariat]}
states:
  draft: {title: Draft, text: open, grants: {edit: [author]}, inherit: [view]}
  vote: {ballot: decision, grants: {decide: [steering]}, timer: {after: P3D, fire: expire}}
  talk: {comments: {round: member}}
  done: {final: true, grants: {view: [anonymous]}}
transitions:
  submit: {from: [draft], to: vote, guard: {permission: [edit], require: [has_text]}, effects: [notify_steering]}
  discuss: {from: [draft], to: talk}
  close: {from: [talk], to: draft}
  adopt: {from: [vote], to: done, trigger: [automatic], guard: {require: [{ballot: carried}]}}
  expire: {from: [vote], to: draft, trigger: [timer]}
worklists:
  mine: {states: [draft], guard: {role: [author]}, where: [has_text]}
ballots:
  decision: {electorate: members, positions: [yes, no], rule: {count: yes, more_than: 1/2}}
"""


def read(text: str) -> Workflow:
    registry = load_plugins()
    return read_workflow(text, "small.yaml", conditions=BUILT_IN_CONDITIONS, effects=registry.effects)


def changes(old: str, new: str) -> list[tuple[str, ...]]:
    assert old in OLD
    return [tell(one) for one in compare(read(OLD), read(OLD.replace(old, new)))]


def tell(one: Change) -> tuple[str, ...]:
    values = [f"{name}={value}" for name, value in (("old", one.old), ("new", one.new)) if value not in (None, "")]
    return (one.part, one.name, one.aspect, one.how, *([one.permission] if one.permission else []), *values)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("edit: [author]", "edit: [author, editor]", [("state", "draft", "grant", "added", "edit", "new=editor")]),
        ("decide: [steering]", "decide: []", [("state", "vote", "grant", "removed", "decide", "old=steering")]),
        ("text: open", "text: frozen", [("state", "draft", "text", "changed", "old=open", "new=frozen")]),
        ("title: Draft", "title: Drafting", [("state", "draft", "title", "changed")]),
        ("inherit: [view]", "inherit: [view, publish]", [("state", "draft", "inherit", "added", "new=publish")]),
        ("to: talk}", "to: done}", [("transition", "discuss", "target", "changed", "old=talk", "new=done")]),
        ("from: [talk]", "from: [talk, vote]", [("transition", "close", "source", "added", "new=vote")]),
        ("trigger: [timer]", "trigger: [timer, user]", [("transition", "expire", "trigger", "added", "new=user")]),
        ("require: [has_text]", "require: []", [("transition", "submit", "require", "removed", "old=has_text")]),
        (
            "{ballot: carried}",
            "{ballot: lost}",
            [
                ("transition", "adopt", "require", "removed", "old=ballot: carried"),
                ("transition", "adopt", "require", "added", "new=ballot: lost"),
            ],
        ),
        ("to: talk}", "to: talk, comment: required}", [("transition", "discuss", "comment", "changed")]),
        (", timer: {after: P3D, fire: expire}", "", [("state", "vote", "timer", "removed")]),
        ("after: P3D", "after: P4D", [("state", "vote", "timer", "changed")]),
        ("round: member", "round: steering", [("state", "talk", "comments", "changed")]),
        ("more_than: 1/2", "at_least: 2/3", [("ballot", "decision", "rule", "changed")]),
        ("electorate: members", "electorate: {role: steering}", [("ballot", "decision", "electorate", "changed")]),
        ("where: [has_text]", "where: []", [("worklist", "mine", "where", "removed", "old=has_text")]),
        ("roles: [drafter, helper]", "roles: [helper]", [("workflow", "small", "role", "removed", "old=drafter")]),
        ("bypass: [manager]", "bypass: []", [("workflow", "small", "bypass", "removed", "old=manager")]),
        ("  discuss: {from: [draft], to: talk}\n", "", [("transition", "discuss", "", "removed")]),
        ("  mine:", "  ours:", [("worklist", "ours", "", "added"), ("worklist", "mine", "", "removed")]),
    ],
)
def test_each_difference_is_one_change(old: str, new: str, told: list[tuple[str, ...]]) -> None:
    found = changes(old, new)
    assert [one[: len(want)] for one, want in zip(found, told, strict=True)] == told


def test_how_a_grant_is_written_makes_no_difference_to_who_holds_it() -> None:
    spelled = OLD.replace(
        "{final: true, grants: {view: [anonymous]}}",
        "{final: true, grants: {view: [anonymous], publish: [secretariat]}}",
    )
    assert compare(read(OLD), read(spelled)) == ()


def test_a_default_that_changes_shows_in_every_state_that_follows_it() -> None:
    found = changes("view: [secretariat]", "view: [secretariat, steering]")
    gained = [one for one in found if one[2] == "grant"]
    assert [one[1] for one in gained] == ["draft", "vote", "talk"]
    assert ("workflow", "small", "default", "added", "view", "new=steering") in found


def test_a_new_state_is_told_once_and_not_grant_by_grant() -> None:
    found = changes("  talk:", "  read: {grants: {view: [member]}, final: true}\n  talk:")
    assert found == [("state", "read", "", "added")]


def test_only_what_both_versions_have_counts_as_touched() -> None:
    found = compare(read(OLD), read(OLD.replace("edit: [author]", "edit: [editor]").replace("  mine:", "  ours:")))
    assert find_touched(found, "state") == {"draft"}
    assert find_touched(found, "worklist") == frozenset()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_workflow_does_not_differ_from_itself_with_other_comments(path: Any) -> None:
    registry = load_plugins()
    known: dict[str, Any] = {"conditions": registry.conditions, "effects": registry.effects}
    text = read_file(path)
    old, new = read_workflow(text, "a", **known), read_workflow("# said otherwise\n\n" + text, "b", **known)
    assert old.digest != new.digest and compare(old, new) == ()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_part_of_a_workflow_that_goes_is_missed(path: Any) -> None:
    registry = load_plugins()
    whole = read_workflow(read_file(path), "a", conditions=registry.conditions, effects=registry.effects)
    for part in ("states", "transitions", "ballots", "worklists"):
        for name in getattr(whole, part):
            less = replace(whole, **{part: {key: one for key, one in getattr(whole, part).items() if key != name}})
            assert [(one.name, one.how) for one in compare(whole, less)] == [(name, "removed")]
            assert [(one.name, one.how) for one in compare(less, whole)] == [(name, "added")]
