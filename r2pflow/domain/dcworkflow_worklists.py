"""Worklists of DCWorkflow -> ours: documents in some states, for those whom a guard lets through."""

import re

from r2pflow.domain.dcworkflow_context import Reading
from r2pflow.domain.dcworkflow_guards import read_guard
from r2pflow.domain.dcworkflow_names import STATE_VARIABLE
from r2pflow.domain.dcworkflow_xml import Element
from r2pflow.domain.definition import WorklistDef
from r2pflow.domain.people import Titles

_COUNT = re.compile(r"\s*\(?%\(count\)[ds]\)?")


def read_worklists(reading: Reading, states: dict[str, Element]) -> dict[str, WorklistDef]:
    """Return the worklists; refuse those that match another variable than the state."""
    found: dict[str, WorklistDef] = {}
    for name, element in reading.read_ids("worklist", "worklist_id").items():
        matched: list[str] = []
        for match in element.all("match"):
            matched += _read_match(reading, match, name, states)
        reading.remark_button(element, name)
        if not element.all("match"):
            told = f"the worklist {name} matches no variable and shows nothing in Plone: not carried"
            reading.remarks.add(element.node(), told)
            continue
        found[name] = WorklistDef(
            name=name,
            title=_read_title(reading, element, name),
            states=tuple(dict.fromkeys(matched)),
            guard=read_guard(reading, element.find("guard"), f"worklist {name}"),
            line=element.line,
            column=element.column,
        )
    return found


def _read_match(reading: Reading, match: Element, name: str, states: dict[str, Element]) -> list[str]:
    node = match.node_of("name")
    variable = reading.root.get("state_variable", STATE_VARIABLE)
    if node.text != variable:
        told = f"found the variable {node}; accepted: {variable}, for a worklist here knows states only"
        reading.report.say("not_carried", node, f"worklist {name}", told, found=node.text)
        return []
    matched = [value.strip() for value in match.get("values").split(";")]
    for state in matched:
        if state not in states:
            value = match.node_of("values")
            value.text = state
            reading.report.add_name("unknown_state", value, f"worklist {name}", "state", states)
    return matched


def _read_title(reading: Reading, element: Element, name: str) -> Titles:
    """Return the first text that a person reads; the others become comments."""
    action = element.find("action")
    label = "" if action is None else _COUNT.sub("", action.text)
    labelled = Titles() if action is None else reading.prose(action.node(label), "action")
    chosen = Titles()
    for told, title in (
        ("title", reading.titles(element)),
        ("description", reading.description(element)),
        ("action", labelled),
    ):
        if title and not chosen:
            chosen = title
        elif title and title != chosen:
            reading.comment(f"{told} in Plone: {title.get('en')[:200]}", "worklists", name)
    return chosen
