"""Whatever a YAML file holds, commands say where it is wrong and end with 1: no traceback, and within two seconds."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from r2pflow.cli import cli
from r2pflow.folders import get_folder

SECONDS = 2.0  # of the processor: others may be at work on the machine
SHIPPED = sorted(get_folder("workflows").glob("*.yaml"))
WHOLE = (get_folder("workflows") / "joint_statement.yaml").read_text(encoding="utf-8")
HEAD = "workflow: w\ninitial: s0\npermissions: {view: [member]}\n"
ONE = "states: {s0: {final: true}}\n"


def states(number: int, what: str = "{}") -> str:
    return "states:\n" + "".join(f"  s{n}: {what}\n" for n in range(number))


def transitions(number: int, make: Callable[[int], str]) -> str:
    return "transitions:\n" + "".join(f"  t{n}: {{{make(n)}}}\n" for n in range(number))


def require(tests: str) -> str:
    return f"{HEAD}{ONE}transitions: {{t: {{from: s0, to: s0, guard: {{require: [{tests}]}}}}}}\n"


BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
)
MANY_NAMES = ",\n ".join(f"role{n}" for n in range(20_000))
ROUND = "{any: [{not: {field: f%d, is: 1}}, {not: {field: f%d, is: 1}}, {field: f%d, is: 1}]}"

REFUSED: dict[str, str | bytes] = {
    "empty": "",
    "blank": "   \n",
    "only a comment": "# nothing\n",
    "a text": "hello",
    "a list": "- a\n- b\n",
    "nothing": "~",
    "a line of ten million characters": "x: " + "y" * 10_000_000,
    "a flow of ten million characters": "x: [" + "[]," * 3_300_000 + "]",
    "two million lines": "x: y\n" * 2_000_000,
    "an entity bomb": BOMB,
    "aliases that are many": f"{HEAD}states:\n  s0: {{grants: &g {{view: [member]}}}}\n"
    + "".join(f"  s{n}: {{grants: *g}}\n" for n in range(1, 2_400)),
    "an alias in itself": "workflow: &a [*a]",
    "a long alias": f"a: &{'x' * 9000} b\nc: *{'x' * 9000}\n",
    "thousands of anchors": "".join(f"k{n}: &a{n} x\n" for n in range(15_000)),
    "a merge key": f"{HEAD}states:\n  s0: &a {{final: true}}\n  s1: {{<<: *a}}\n",
    "a tag": "workflow: !!python/object/apply:os.system ['x']\n",
    "a binary": "workflow: !!binary aGVsbG8=\n",
    "two documents": f"{WHOLE}\n---\n{WHOLE}",
    "thousands of documents": "---\n" * 60_000,
    "a NUL": "workflow: a\0b\n",
    "a NUL by an escape": f'{HEAD}states: {{s0: {{final: true, title: "a\\0b"}}}}\n',
    "a control character by an escape": f'{HEAD}states: {{s0: {{final: true, title: "a\\e[1m"}}}}\n',
    "half a pair by an escape": f'{HEAD}states: {{s0: {{final: true, title: "\\ud800"}}}}\n',
    "a broken escape": 'workflow: "\\x"',
    "no such character": 'workflow: "\\U0011FFFF"',
    "tabs": WHOLE.replace("  ", "\t"),
    "bytes that are no UTF-8": b"workflow: \xff\xfe\n",
    "half a pair in bytes": b"workflow: \xed\xa0\x80\n",
    "UTF-16": WHOLE.encode("utf-16"),
    "lists in lists": "[" * 100_000,
    "mappings in mappings": "{a: " * 50_000,
    "dashes": "- " * 4_900,
    "question marks": "? " * 4_900,
    "deep indentation": "\n".join(" " * n + "a:" for n in range(600)),
    "commas": "{" + "," * 9_990,
    "ampersands": "&" * 9_999,
    "stars": "*" * 9_999,
    "exclamation marks": "!" * 9_999,
    "a directive": "%YAML 9.9\n---\nworkflow: w\n",
    "a directive of tags": "%TAG ! tag:x,2000:\n---\n!a b\n",
    "percent signs": "%" * 100,
    "an open quotation": 'a: "' + "\n" * 200_000,
    "a key that is no text": "{a: b}: c\n",
    "a key that is nothing": "? \n: x\n",
    "a key twice, many times": f"{HEAD}states:\n" + "  s0: {}\n" * 20_000,
    "unknown keys": f"{HEAD}{ONE}" + "".join(f"key{n}: 1\n" for n in range(20_000)),
    "unknown roles": f"{HEAD}states:\n  s0: {{grants: {{view: [{MANY_NAMES}]}}}}\n",
    "unknown states": HEAD + states(1_000) + transitions(2_000, lambda n: f"from: q{n}, to: r{n}"),
    "too many states": HEAD + states(15_000),
    "too many transitions": HEAD + states(2) + transitions(5_000, lambda n: "from: s0, to: s1"),
    "too many roles": HEAD + "roles:\n" + "".join(f"  - role{n}\n" for n in range(16_000)) + ONE,
    "too many names of permissions": HEAD + "means:\n" + "".join(f"  p{n}: view\n" for n in range(6_000)) + ONE,
    "a huge number": f"{HEAD}version: {'9' * 400}\n{ONE}",
    "a huge duration": f"{HEAD}states:\n  s0: {{timer: {{after: P{'9' * 9000}D, fire: t}}}}\n",
    "a name that is none": HEAD.replace("w\n", "'=*'\n", 1) + ONE,
    "a wrong kind everywhere": "workflow: []\ninitial: {}\nstates: 3\ntransitions: x\nballots: [~]\nroles: {a: b}\n",
    "a circle of a thousand": HEAD
    + states(1_000)
    + transitions(1_000, lambda n: f"from: s{n}, to: s{(n + 1) % 1000}, trigger: automatic"),
    "a thousand circles": HEAD
    + states(1_000)
    + transitions(1_000, lambda n: f"from: s{n}, to: stay, trigger: automatic"),
}
ACCEPTED: dict[str, str | bytes] = {
    "a byte order mark": b"\xef\xbb\xbf" + WHOLE.encode(),
    "line ends of Windows": WHOLE.replace("\n", "\r\n"),
    "conditions in conditions": require("{not: " * 213 + "has_text" + "}" * 213),
    "choices in choices": require("{any: [has_text, " * 105 + "has_text" + "]}" * 105),
    "very many conditions": require(",\n ".join(ROUND % (n % 4, n // 4 % 4, n // 16 % 4) for n in range(2_500))),
    "the same trigger thirty thousand times": HEAD
    + states(2, "{final: true}")
    + "transitions:\n  t: {from: s0, to: s1, trigger: ["
    + ",\n".join(["user"] * 30_000)
    + "]}\n",
    "as many ways as there may be": HEAD
    + states(1_000, "{final: true}")
    + transitions(1_000, lambda n: f"from: [s{n}, s0], to: s{(n + 1) % 1000}")
    + "".join(f"  u{n}: {{from: s{n}, to: s{(n * 7 + 1) % 1000}}}\n" for n in range(1_000)),
    "a chain of a thousand": HEAD
    + states(1_000, "{final: true}")
    + transitions(999, lambda n: f"from: s{n}, to: s{n + 1}, trigger: automatic"),
}
COMMANDS = {
    "check": ["workflow", "check", "{file}"],
    "table": ["workflow", "table", "{file}", "--json"],
    "prove": ["workflow", "prove", "{file}", "--json", "--possible", "reach s0", "--always", "reach any state"],
    "tally": ["ballot", "tally", "{file}", "{positions}", "--json"],
}


def write(folder: Path, text: str | bytes) -> Path:
    file = folder / "hostile.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    (folder / "positions.csv").write_text("voter,position\na,yes\n", encoding="utf-8")
    return file


def run(file: Path, command: str) -> int:
    """Run a command on the file and return its exit code; what it says must name the file and a line in it."""
    words = [word.format(file=file, positions=file.parent / "positions.csv") for word in COMMANDS[command]]
    begun = time.process_time()
    result = CliRunner().invoke(cli, words)
    taken = time.process_time() - begun
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert taken < SECONDS
    if result.exit_code == 1:
        lines = result.stderr.splitlines()
        assert lines and len(result.stderr) < 1_000_000
        place = re.escape(str(file)) + (r":\d+: ." if command == "tally" else r":\d+(:\d+)?: .")
        assert all(re.match(place, line) for line in lines), lines[:3]
    return result.exit_code


@pytest.mark.parametrize("command", ["check", "table", "prove", "tally"])
@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_is_refused_with_its_place(name: str, command: str, tmp_path: Path):
    code = run(write(tmp_path, REFUSED[name]), command)
    makes_no_sense = "circle" in name  # which `check` says, and an application that starts
    assert code == (0 if makes_no_sense and command in ("table", "prove") else 1)


@pytest.mark.parametrize("command", ["check", "table", "prove"])
@pytest.mark.parametrize("name", ACCEPTED)
def test_an_odd_but_sound_file_is_read_in_time(name: str, command: str, tmp_path: Path):
    code = run(write(tmp_path, ACCEPTED[name]), command)
    assert code == (2 if command == "prove" and "s0" not in str(ACCEPTED[name]) else 0)  # where there is no s0


TROUBLE = (
    *(
        "\t",
        "[",
        "{",
        "}",
        "]",
        ": ",
        "- ",
        "*a",
        "&a ",
        "!x ",
        "!!int ",
        "\n",
        "'",
        '"',
        "\x00",
        "\x1b",
        "é",
        "%",
        "?",
    ),
    *("|", ">", "<<: *a\n", "<<: ", "null", "~", "[[[[", "a: &b [*b]", "9" * 400, "#", "- " * 70, "yes", "1e999"),
    *(
        ".inf",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "\ud800",
        "\\ud800",
        "\u2028",
        "\x85",
        "\ufeff",
        "\r",
        "stay",
        "{}",
        "[]",
    ),
    *(
        "0x1F",
        "1/0",
        "-1",
        "P9D",
        "true",
        "{not: has_text}",
        "{any: []}",
        "{ballot: [carried]}",
        "automatic",
        "x" * 300,
    ),
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Draw a shipped file with a few pieces or lines cut, doubled, moved, indented or replaced by trouble."""
    text = draw(st.sampled_from(SHIPPED)).read_text(encoding="utf-8")
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            at = draw(st.integers(0, len(text)))
            to = min(len(text), at + draw(st.integers(0, 60)))
            text = text[:at] + draw(st.sampled_from([*TROUBLE, text[at:to] * 3, ""])) + text[to:]
        else:
            lines = text.split("\n")
            at, to = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
            line = lines[at]
            if draw(st.booleans()):
                del lines[at]
            lines.insert(to, draw(st.sampled_from([line, "  " + line, line[2:], "\t" + line, line.rstrip("]}")])))
            text = "\n".join(lines)
    return text


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_a_shipped_file_that_was_mangled_is_read_or_refused_with_its_place(tmp_path_factory, text: str):
    file = write(tmp_path_factory.getbasetemp(), text)
    code = run(file, "check")
    assert code in (0, 1)
    assert run(file, "table") <= code  # what can be checked without an error has a table
    assert run(file, "prove") in (0, 1, 2)
    assert run(file, "tally") == 1


RULE = """\
title: {en: Vote}
positions: [yes, no, abstain, {id: discuss, counts: against}]
reason_required: [no]
open_for: P5D
silence: yes
fast_track: {electorate: {group: bureau}, open_for: P1D, report_to: {role: steering}}
rule:
  all:
    - quorum: 1/2
    - {count: yes, at_least: 2/3, of: present_and_voting}
    - {any: [{none: no}, {not: {count: [no, discuss], more_than: 55%}}]}
"""


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_rule_that_was_mangled_is_tallied_or_refused_with_its_line(tmp_path_factory, data: st.DataObject):
    text = RULE
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        to = min(len(text), at + data.draw(st.integers(0, 30)))
        text = text[:at] + data.draw(st.sampled_from([*TROUBLE, text[at:to] * 3, ""])) + text[to:]
    file = write(tmp_path_factory.getbasetemp(), text)
    result = CliRunner().invoke(cli, ["ballot", "tally", str(file), str(file.parent / "positions.csv"), "--json"])
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code in (0, 1)
    if result.exit_code:
        assert all(re.match(r".*/(hostile\.yaml|positions\.csv):\d+: .", one) for one in result.stderr.splitlines())
