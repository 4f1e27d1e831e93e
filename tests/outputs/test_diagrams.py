"""Pictures of workflows: all is said in words, nothing overlaps, nothing is cut, and the same comes out again."""

import re
import stat
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from r2pflow.domain.definition import Workflow
from r2pflow.domain.errors import SetupError
from r2pflow.domain.people import LANGUAGES
from r2pflow.domain.reading import read_file, read_workflow
from r2pflow.folders import get_folder
from r2pflow.outputs import diagrams, drawing, layout
from r2pflow.outputs.lettering import measure, wrap
from r2pflow.plugins.loading import load_plugins

NAMES = ("position_paper", "joint_statement", "consultation_report", "conference_launch")
SVG = "{http://www.w3.org/2000/svg}"


def read(name: str) -> Workflow:
    registry = load_plugins()
    path = get_folder("workflows") / f"{name}.yaml"
    return read_workflow(read_file(path), str(path), conditions=registry.conditions, effects=registry.effects)


def parse(text: str) -> Any:
    return etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False))


def find_boxes(root: Any) -> list[tuple[float, float, float, float]]:
    return [
        (x := float(one.get("x")), y := float(one.get("y")), x + float(one.get("width")), y + float(one.get("height")))
        for one in root.iter(f"{SVG}rect")
        if one.get("class") == "box"
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_state_and_transition_is_named_in_the_language(name: str, language: str) -> None:
    workflow = read(name)
    root = parse(diagrams.draw_workflow(workflow, language, is_file=True))
    titles = [one.text for one in root.iter(f"{SVG}title")]
    told = root.find(f"{SVG}desc").text
    assert root.get("role") == "img" and root.get("lang") == language
    for one in (*workflow.states.values(), *workflow.transitions.values()):
        title = one.title.get(language)
        assert any(title in text for text in titles) and title in told
        shown = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
        assert any(title.replace(" ", "") == text.replace(" ", "") for text in shown), "a label is cut"
    arrows = sum(len(one.sources) for one in workflow.transitions.values())
    assert len(titles) == 1 + len(workflow.states) + arrows


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_no_label_lies_on_a_state_or_on_another_label(name: str, language: str) -> None:
    picture = diagrams.make_picture(read(name), language)
    root = parse(drawing.draw(picture))
    taken = find_boxes(root)
    for group in root.iter(f"{SVG}g"):
        if (
            group.get("role") == "img"
            and group.get("class").startswith("arrow")
            and "is-loop" not in group.get("class")
        ):
            spans = list(group.iter(f"{SVG}tspan"))
            sizes = [12 if one.getparent().get("class") == "note" else 14 for one in spans]
            widths = [measure(one.text, size) for one, size in zip(spans, sizes, strict=True)]
            middle, tops = float(spans[0].get("x")), [float(one.get("y")) for one in spans]
            taken.append((middle - max(widths) / 2, tops[0] - 11, middle + max(widths) / 2, tops[-1] + 3))
    for (left, top, right, bottom), (left2, top2, right2, bottom2) in combinations(taken, 2):
        assert right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top


def test_arabic_is_the_mirror_image_and_reads_from_right_to_left() -> None:
    workflow = read("joint_statement")
    arabic, english = (parse(diagrams.draw_workflow(workflow, code)) for code in ("ar", "en"))
    assert arabic.get("direction") == "rtl" and english.get("direction") == "ltr"
    width = float(arabic.get("width"))
    first = find_boxes(arabic)[0]
    assert first[0] > width / 2 and find_boxes(english)[0][2] < float(english.get("width")) / 2


def test_a_text_breaks_between_words_only_and_han_anywhere_but_before_a_stop() -> None:
    assert wrap("Submit to the steering group", 14, 130) == ("Submit to the", "steering group")
    assert wrap("Donaudampfschifffahrtsgesellschaft", 14, 60) == ("Donaudampfschifffahrtsgesellschaft",)
    lines = wrap("在历史记录中添加说明。", 14, 70)
    assert "".join(lines) == "在历史记录中添加说明。" and len(lines) > 1
    assert not any(line.startswith("。") for line in lines)


def test_the_first_and_last_states_are_told_by_shape_and_the_lines_by_style() -> None:
    root = parse(diagrams.draw_workflow(read("joint_statement"), "en"))
    assert len([one for one in root.iter(f"{SVG}circle") if one.get("class") == "begin"]) == 2  # one in the legend
    assert len([one for one in root.iter(f"{SVG}rect") if one.get("class") == "inner"]) == 2
    classes = {one.get("class") for one in root.iter(f"{SVG}g")}
    assert {"arrow", "arrow is-automatic", "arrow is-several"} <= classes


def test_the_same_workflow_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    once = diagrams.draw_workflow(read("conference_launch"), "fr", is_file=True)
    monkeypatch.setattr(layout, "_CACHE", layout._Cache(8))
    assert diagrams.draw_workflow(read("conference_launch"), "fr", is_file=True) == once


def test_a_file_brings_its_colours_and_a_page_brings_none() -> None:
    workflow = read("position_paper")
    file, part = (diagrams.draw_workflow(workflow, "en", is_file=one) for one in (True, False))
    assert "prefers-color-scheme: dark" in file and "@media print" in file and "var(--" not in file
    assert "url(" not in file and "<script" not in file and "@import" not in file
    assert "<style" not in part and "style=" not in part and "<?xml" not in part
    used = set(re.findall(r"var\(--([\w-]+)\)", drawing._read_rules()))
    assert used - {"sans"} <= set(drawing._LIGHT) and set(drawing._LIGHT) == set(drawing._DARK)


def test_marks_of_a_document_are_said_and_drawn() -> None:
    marks = diagrams.Marks(
        here="revision",
        passed=frozenset({"drafting", "member_comment"}),
        taken={("open_comment", "drafting"): (1, 3), ("close_comment", "member_comment"): (2, 4)},
        offered=frozenset({("submit", "revision")}),
        counts={"drafting": 3},
        state_links={"drafting": '/x?a=1&b="2"'},
        arrow_links={("submit", "revision"): "#step-submit"},
    )
    root = parse(diagrams.draw_workflow(read("joint_statement"), "en", marks, prefix="track1"))
    titles = " | ".join(one.text for one in root.iter(f"{SVG}title"))
    assert "Stage “Revision”; is here now" in titles and "has been here; 3 documents here" in titles
    assert "taken as step 1 and 3" in titles and "you can do this now" in titles
    links = {one.get("href"): one.get("aria-label") for one in root.iter(f"{SVG}a")}
    assert set(links) == {'/x?a=1&b="2"', "#step-submit"} and all(links.values())
    assert root.get("role") == "group"
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids)) and all(one.startswith("track1-") for one in ids)


def test_without_graphviz_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(layout, "_CACHE", layout._Cache(8))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError) as found:
        diagrams.draw_workflow(read("position_paper"), "en")
    assert found.value.code == "graphviz_missing" and found.value.params["remedy"] == "apt-get install graphviz"
    assert not layout.has_graphviz()


@pytest.mark.parametrize("script", ["exec sleep 30", "exit 3", "echo '{}'", "echo nonsense"])
def test_a_graphviz_that_fails_is_a_clear_error_and_is_not_asked_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    program = tmp_path / "dot"
    program.write_text(f"#!/bin/sh\necho x >> {tmp_path}/asked\ncat >/dev/null\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(layout, "_CACHE", layout._Cache(8))
    monkeypatch.setattr(layout, "SECONDS", 0.5)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for _ in range(2):
        with pytest.raises(SetupError) as found:
            diagrams.draw_workflow(read("position_paper"), "en")
        assert found.value.code == "layout_failed"
    assert (tmp_path / "asked").read_text() == "x\n"


def test_words_of_a_definition_cannot_leave_the_picture() -> None:
    registry = load_plugins()
    text = """\
workflow: odd
title: "<script>alert(1)</script>"
initial: one
states:
  one: {title: "]]> & \\" <b>"}
  two: {title: "\\u0085x", final: true}
transitions:
  go: {title: "</title><a href='x'>", from: [one], to: two}
  stay: {from: [one], to: stay}
"""
    workflow = read_workflow(text, "odd.yaml", conditions=registry.conditions, effects=registry.effects)
    root = parse(diagrams.draw_workflow(workflow, "en", is_file=True))
    assert {etree.QName(one).localname for one in root.iter()} <= {
        "svg", "title", "desc", "style", "rect", "text", "tspan", "g", "path", "polygon", "circle"
    }  # fmt: skip
