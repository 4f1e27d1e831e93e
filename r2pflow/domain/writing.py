"""A workflow -> its YAML text: the same text for the same workflow, and `read_workflow` reads it back the same."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from r2pflow.domain.definition import USER, EffectCall, Guard, State, Transition, Workflow, WorklistDef
from r2pflow.domain.people import Titles
from r2pflow.domain.tables import plain_test

MAX_WIDTH = 110

Place = tuple[str, ...]
Comments = Mapping[Place, Sequence[str]]
"""Lines of comment before an entry, by its keys from the top: `("transitions", "publish")`; `()` is the whole file."""

_SECTIONS = ("roles", "states", "transitions", "worklists", "ballots")
_PLAIN = re.compile(r"[^\W\d_](?:[\w./-]|[ ](?=[^\s#]))*")
_SPECIAL = re.compile("(?i:true|false|null|yes|no|on|off|y|n)")
_ESCAPED = re.compile("[\x7f-\x9f\xad\u2028\u2029\ufeff\ufffe\uffff]")


def write_workflow(workflow: Workflow, comments: Comments | None = None) -> str:
    """Return the YAML text, in the order in which the format is documented."""
    plain = plain_workflow(workflow)
    lines = [*_comment_lines((), "", comments or {}), *_mapping(plain, 0, (), comments or {})]
    return "\n".join(lines) + "\n"


def plain_workflow(workflow: Workflow) -> dict[str, Any]:
    """Return the workflow as the plain values of its YAML file, without what is the default."""
    found: dict[str, Any] = {"workflow": workflow.name}
    if workflow.version != 1:
        found["version"] = workflow.version
    found |= _titles(title=workflow.title, description=workflow.description)
    found["initial"] = workflow.initial
    if workflow.roles:
        same = workflow.aliases
        found["roles"] = [{"id": role, "is": same[role]} if role in same else role for role in workflow.roles]
    found |= _filled(
        means=dict(workflow.means),
        bypass=list(workflow.bypass),
        permissions={permission: list(roles) for permission, roles in workflow.permissions.items()},
    )
    found["states"] = {name: _state(state) for name, state in workflow.states.items()}
    return found | _filled(
        transitions={name: _transition(transition) for name, transition in workflow.transitions.items()},
        worklists={name: _worklist(worklist) for name, worklist in workflow.worklists.items()},
        ballots={name: ballot.source for name, ballot in workflow.ballots.items()},
    )


def _filled(**entries: Any) -> dict[str, Any]:
    return {name: value for name, value in entries.items() if value not in ({}, [], "", None)}


def _titles(**titles: Titles) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, title in titles.items():
        texts = dict(title.by_language)
        if texts:
            found[name] = texts["en"] if list(texts) == ["en"] else texts
    return found


def _state(state: State) -> dict[str, Any]:
    found = _titles(title=state.title, description=state.description)
    found |= _filled(
        grants={permission: list(roles) for permission, roles in state.grants.items()}, inherit=list(state.inherit)
    )
    if state.text != "frozen":
        found["text"] = state.text
    if state.comments is not None:
        found["comments"] = {"round": state.comments.audience, "kinds": list(state.comments.kinds)}
    if state.timer is not None:
        timer = state.timer
        calendar = "" if timer.calendar == "all" else timer.calendar
        found["timer"] = _filled(after=timer.after, calendar=calendar, fire=timer.fire, remind=list(timer.remind))
    found |= _filled(ballot=state.ballot)
    return {**found, "final": True} if state.final else found


def _transition(transition: Transition) -> dict[str, Any]:
    found = _titles(title=transition.title, description=transition.description)
    found |= {"from": list(transition.sources), "to": transition.to}
    if transition.triggers != (USER,):
        found["trigger"] = list(transition.triggers)
    found |= _filled(guard=_guard(transition.guard))
    if transition.comment != "optional":
        found["comment"] = transition.comment
    return found | _filled(effects=[_effect(effect) for effect in transition.effects])


def _effect(effect: EffectCall) -> Any:
    return effect.name if effect.argument is None else {effect.name: effect.argument}


def _guard(guard: Guard) -> dict[str, Any]:
    return _filled(
        permission=list(guard.permissions),
        role=list(guard.roles),
        group=list(guard.groups),
        require=[plain_test(test) for test in guard.require],
    )


def _worklist(worklist: WorklistDef) -> dict[str, Any]:
    found = {**_titles(title=worklist.title), "states": list(worklist.states)}
    return found | _filled(guard=_guard(worklist.guard), where=[plain_test(test) for test in worklist.where])


# Plain values -> lines


def _mapping(value: Mapping[str, Any], indent: int, place: Place, comments: Comments) -> Iterator[str]:
    margin = " " * indent
    for number, (key, entry) in enumerate(value.items()):
        inner = (*place, key)
        if number and not place and key in _SECTIONS:
            yield ""
        yield from _comment_lines(inner, margin, comments)
        head = f"{margin}{_scalar(key)}:"
        short = _flow(entry)
        if short is not None and len(head) + 1 + len(short) <= MAX_WIDTH:
            yield f"{head} {short}"
        elif isinstance(entry, dict) and entry:
            yield head
            yield from _mapping(entry, indent + 2, inner, comments)
        elif isinstance(entry, list | tuple) and entry:
            yield head
            yield from _listing(entry, indent + 2)
        else:
            yield f"{head} {_flow(entry, is_deep=True)}"


def _listing(value: Iterable[Any], indent: int) -> Iterator[str]:
    margin = " " * indent
    for entry in value:
        short = _flow(entry, is_deep=True)
        if len(margin) + 2 + len(short or "") <= MAX_WIDTH or not isinstance(entry, dict | list | tuple) or not entry:
            yield f"{margin}- {short}"
            continue
        inner = _mapping(entry, indent + 2, ("",), {}) if isinstance(entry, dict) else _listing(entry, indent + 2)
        for number, line in enumerate(inner):
            yield line if number else f"{margin}- {line[indent + 2 :]}"


def _flow(value: Any, is_deep: bool = False) -> str | None:
    """Return the value in one line; None for what reads better as a block, unless `is_deep`."""
    if isinstance(value, dict):
        if value and not is_deep:
            return None
        inside = ", ".join(f"{_scalar(key)}: {_flow(entry, is_deep=True)}" for key, entry in value.items())
        return "{" + inside + "}"
    if isinstance(value, list | tuple):
        if not is_deep and any(isinstance(part, dict | list | tuple) for part in value):
            return None
        return f"[{', '.join(str(_flow(part, is_deep=True)) for part in value)}]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and not _SPECIAL.fullmatch(text):
        return text
    return _ESCAPED.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(text, ensure_ascii=False))


def _comment_lines(place: Place, margin: str, comments: Comments) -> Iterator[str]:
    for line in comments.get(place, ()):
        yield f"{margin}# {_ESCAPED.sub('?', ' '.join(line.split()))}".rstrip()
