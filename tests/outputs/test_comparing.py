"""What changed between two versions of a workflow, in sentences and in one picture, in every language."""

from pathlib import Path

import pytest
from lxml import etree

from r2pflow.domain.definition import Workflow
from r2pflow.domain.people import LANGUAGES
from r2pflow.domain.reading import read_file, read_workflow
from r2pflow.folders import get_folder
from r2pflow.outputs import comparing
from r2pflow.plugins.loading import load_plugins

SVG = "{http://www.w3.org/2000/svg}"
CHANGES = (
    ("version: 1", "version: 2"),
    ("decide: [steering]", "decide: [steering, member]"),
    ("view: [member, author, editor, translator]", "view: [author, editor, translator]"),
    ("after: P14D", "after: P21D"),
    ("at_least: 2/3", "at_least: 3/4"),
    ("  recall:", "  step_back:"),
    ("trigger: [user, automatic]", "trigger: [user]"),
    ("    to: translation\n    trigger: [automatic]", "    to: published\n    trigger: [automatic]"),
    ("en: Joint statement", "en: Common statement"),
)


def read(text: str = "") -> Workflow:
    registry = load_plugins()
    text = text or read_file(get_folder("workflows") / "joint_statement.yaml")
    return read_workflow(text, "x.yaml", conditions=registry.conditions, effects=registry.effects)


@pytest.fixture(scope="module")
def versions() -> tuple[Workflow, Workflow]:
    text = Path(get_folder("workflows") / "joint_statement.yaml").read_text(encoding="utf-8")
    for old, new in CHANGES:
        assert old in text
        text = text.replace(old, new, 1)
    return read(), read(text)


def test_every_change_is_a_sentence_under_the_thing_that_changed(versions: tuple[Workflow, Workflow]) -> None:
    told = comparing.tell_changes(*versions, "en", load_plugins())
    written = comparing.write_changes(told, "en")
    for line in (
        "Title: Common statement (before: Joint statement)",
        "Right gained by member: take part in the decision",
        "Right lost by member: read",
        "Deadline: after 21 days: Close comment; reminders before: 3 days and 1 day (before: after 14 days",
        "- Step “Take back from the vote”: removed",
        "+ Step “Take back from the vote”: new",
        "To: Published (before: Translation)",
        "How, no longer: by itself, as soon as it can",
        "How it is decided, new: In favour: at least 3/4 of those who take part and do not abstain",
    ):
        assert line in written, line
    assert [one.how for one in told if one.name in ("recall", "step_back")] == ["added", "removed"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_tells_all_of_it(versions: tuple[Workflow, Workflow], language: str) -> None:
    english = comparing.tell_changes(*versions, "en", load_plugins())
    told = comparing.tell_changes(*versions, language, load_plugins())
    count = sum(len(one.lines) for one in told)
    assert count + (language != "en") >= sum(len(one.lines) for one in english) and all(one.title for one in told)
    root = etree.fromstring(comparing.draw_changes(*versions, language, is_file=True).encode())
    assert root.get("lang") == language


def test_the_picture_marks_what_is_new_gone_and_changed(versions: tuple[Workflow, Workflow]) -> None:
    root = etree.fromstring(comparing.draw_changes(*versions, "en").encode())
    groups = {one.findtext(f"{SVG}title"): one.get("class") for one in root.iter(f"{SVG}g") if one.get("role") == "img"}

    def find(start: str, end: str) -> str:
        (found,) = [kind for title, kind in groups.items() if title.startswith(start) and title.endswith(end)]
        return found

    assert "is-changed" in find("Stage “Steering approval”", "; changed")
    assert "is-added" in find("“Adopt” from “Steering approval” to “Published”", "; new")
    assert "is-removed" in find("“Adopt” from “Steering approval” to “Translation”", "; removed")
    assert find("“Publish” from", "by: secretariat") == "arrow"
    assert find("Stage “Drafting”", "begins here") == "state"


def test_versions_that_say_the_same_have_no_list() -> None:
    told = comparing.tell_changes(read(), read(), "fr", load_plugins())
    assert told == [] and len(comparing.write_changes(told, "fr").splitlines()) == 1
    assert "is-changed" not in comparing.draw_changes(read(), read(), "fr")


def test_every_kind_of_change_finds_its_words() -> None:
    """Each aspect that the core can tell is one that the list can say."""
    old = """\
workflow: small
initial: draft
roles: [drafter]
states:
  draft: {text: open, grants: {edit: [author]}}
  talk: {text: open}
  done: {final: true}
transitions:
  go: {from: [draft], to: done, guard: {permission: [edit], group: [a]}, effects: [announce], comment: none}
  talk_it_over: {from: [draft], to: talk}
  stop: {from: [talk], to: done}
worklists:
  mine: {states: [draft], guard: {role: [author]}}
ballots:
  b: {electorate: members, positions: [yes, no], rule: {count: yes, more_than: 1/2}, open_for: P3D}
"""
    new = """\
workflow: small
title: Small
description: {fr: Petit}
initial: talk
roles: [helper, {id: Owner, is: author}]
means: {See: view}
bypass: [manager]
permissions: {view: [member]}
states:
  talk: {description: Talk, inherit: [view], comments: {round: member}, timer: {after: P1M, fire: stop, remind: [P1D]}}
  draft: {text: frozen, grants: {edit: [editor]}, ballot: b}
  done: {final: true}
transitions:
  talk_it_over: {from: [draft, talk], to: stay}
  go: {from: [draft], to: done, trigger: [automatic], guard: {role: [author]}, effects: [publish], comment: required}
  stop: {from: [talk], to: done, guard: {require: [{any: [has_text, {field: x, is: 1}]}]}}
worklists:
  mine: {title: Mine, states: [talk], guard: {group: [g]}, where: [has_text]}
ballots:
  b: {electorate: {group: g}, positions: [yes, no, abstain], rule: {count: yes, more_than: 2/3}, open_for: P4D,
      calendar: working, silence: yes, close_early: when_decided, secrecy: secret, reason_required: [no],
      fast_track: {electorate: {group: bureau}, open_for: P1D, report_to: {role: steering}}}
"""
    registry = load_plugins()
    for before, after in ((old, new), (new, old)):
        told = comparing.tell_changes(read(before), read(after), "en", registry)
        lines = " | ".join(line for one in told for _, line in one.lines)
        for word in ("Order of: the stages", "First stage", "Fast track", "Days that count", "Secrecy", "Guards ask"):
            assert word in lines
        assert "None" not in lines and "Titles(" not in lines and "Test(" not in lines
