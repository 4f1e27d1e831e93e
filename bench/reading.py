"""Reading a hundred workflow files of thirty states, against ruamel.yaml alone on the same files."""

from pathlib import Path

from ruamel.yaml import YAML

from bench.figures import Figure, Measured, in_ms, median_ratio, time_interleaved
from r2pflow.domain.checking import check
from r2pflow.domain.definition import Workflow
from r2pflow.domain.reading import read_file, read_workflow
from r2pflow.plugins.loading import load_plugins

TARGET = 3.0
"""Times what ruamel.yaml takes to load the same files as plain lists and dicts, by its parser in C."""
STATES = 30
WORDS = {"ar": "حالة", "en": "State", "es": "Estado", "fr": "État", "ru": "Состояние", "zh": "状态"}


def measure(folder: Path, quick: bool = False) -> Measured:
    """Read all files; read and check them; load them by ruamel.yaml: quick (C) and as it comes (round trip)."""
    files, rounds = (2, 2) if quick else (100, 5)
    paths = write_files(folder, files)
    registry = load_plugins()

    def read_all() -> list[Workflow]:
        conditions, effects = registry.conditions, registry.effects
        return [read_workflow(read_file(p), str(p), conditions=conditions, effects=effects) for p in paths]

    def check_all() -> None:
        for workflow in read_all():
            assert not check(workflow)

    def load_plain() -> None:
        for path in paths:
            YAML(typ="safe").load(path.read_text(encoding="utf-8"))

    def load_round_trip() -> None:
        for path in paths[: max(1, files // 10)]:  # it is slow: a tenth of them
            YAML().load(path.read_text(encoding="utf-8"))

    for run in (check_all, load_plain):
        run()  # modules loaded
    read, checked, plain, tenth = time_interleaved(rounds, read_all, check_all, load_plain, load_round_trip)
    share = max(1, files // 10) / files
    round_trip = [one / share for one in tenth]
    found = Measured(
        [
            Figure("reading: of ruamel.yaml alone, typ=safe, in C", median_ratio(read, plain), TARGET),
            Figure("reading and checking: the same", median_ratio(checked, plain), TARGET),
            Figure("reading: of ruamel.yaml as it comes, typ=rt", median_ratio(read, round_trip), TARGET),
        ]
    )
    for name, seconds in (("read", read), ("read and check", checked), ("ruamel.yaml, safe", plain)):
        found.note(f"{name}, {files} files", in_ms(seconds))
    found.note(f"ruamel.yaml, round trip, {files} files", in_ms(round_trip))
    found.note("one file", f"{paths[0].stat().st_size / 1024:.1f} KB")
    return found


def write_files(folder: Path, files: int) -> list[Path]:
    """Write that many workflows, alike but for their names and numbers, each as full as those that are shipped."""
    paths = []
    for number in range(files):
        path = folder / f"flow_{number}.yaml"
        path.write_text(make_workflow(number), encoding="utf-8")
        paths.append(path)
    return paths


def make_workflow(number: int) -> str:
    """Return a workflow that goes through its states one after the other, and back; every fifth has a comment round."""
    states, transitions = [], []
    last = STATES - 1
    for place in range(STATES):
        titles = _titles(f"{number}.{place}")
        state = f"  s{place}:\n    title: {titles}\n    description: {titles}\n"
        if place == last:
            states.append(f"{state}    final: true\n    grants: {{view: [anonymous]}}\n")
            continue
        if place % 5 == 1:
            state += "    grants: {view: [member, author], comment: [member]}\n"
            state += "    comments: {round: member, kinds: [editorial, objection]}\n"
            state += f"    timer: {{after: P{7 + place}D, calendar: working, fire: go{place}, remind: [P3D, P1D]}}\n"
            trigger = "[user, timer]"
        else:
            state += "    grants: {view: [author, editor], edit: [author, editor]}\n"
            state += "    inherit: [view]\n    text: open\n"
            trigger = "user"
        states.append(state)
        transitions.append(
            f"  go{place}:\n    title: {titles}\n    from: [s{place}]\n    to: s{place + 1}\n    trigger: {trigger}\n"
            "    guard:\n      role: [secretariat]\n      require:\n        - has_text\n"
            "        - {any: [{field: scope, is_not: country}, {field: countries, filled: true}]}\n"
            "    effects: [notify_members]\n"
        )
        if place:
            way = f"from: [s{place}], to: s{place - 1}, comment: required"
            guard = "{permission: [edit, manage], role: [secretariat, manager]}"
            transitions.append(f"  back{place}: {{title: {titles}, {way}, guard: {guard}}}\n")
    head = f"workflow: flow_{number}\nversion: {number + 1}\ntitle: {_titles(str(number))}\ninitial: s0\n"
    permissions = "permissions: {view: [secretariat, steering], edit: [], manage: [secretariat, manager]}\n"
    return f"{head}{permissions}states:\n{''.join(states)}transitions:\n{''.join(transitions)}"


def _titles(number: str) -> str:
    return "{" + ", ".join(f"{language}: {told} {number}" for language, told in WORDS.items()) + "}"
