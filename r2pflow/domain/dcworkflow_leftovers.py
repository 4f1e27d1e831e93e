"""What a definition has that a workflow here has not: refused where it decides who may do what, else remarked on."""

from r2pflow.domain.dcworkflow_context import Reading
from r2pflow.domain.dcworkflow_names import STATE_VARIABLE
from r2pflow.domain.people import BUILT_IN_PERMISSIONS, BUILT_IN_ROLES

_STANDARD_VARIABLES = ("action", "actor", "comments", "time", "review_history")  # what the history here keeps anyway


def visit_leftovers(reading: Reading) -> None:
    """Refuse or remark on whatever stands beside states, transitions and worklists."""
    _refuse_creation_guard(reading)
    root = reading.root
    variable = root.get("state_variable", STATE_VARIABLE)
    if variable != STATE_VARIABLE:
        told = f"the state variable {variable[:60]!r} is not carried: here a state needs no variable"
        reading.remarks.add(root.node_of("state_variable"), told)
    for element in root.all("group"):
        told = f"the group {element.text[:60]!r} that the workflow manages is not carried: no state gives it a role"
        reading.remarks.add(element.node(), told)
    _remark_variables(reading)
    _remark_scripts(reading)


def remark_own_names(reading: Reading) -> None:
    """Say which names of a site's own are built-in ones here."""
    for kind, names, built_in in (
        ("role", reading.roles, BUILT_IN_ROLES),
        ("permission", reading.permissions, BUILT_IN_PERMISSIONS),
    ):
        for name in names:
            if name in built_in:
                told = f"the {kind} {name!r} has the name of a built-in one, and is that one here"
                reading.remarks.add(reading.root.node(""), told)


def _refuse_creation_guard(reading: Reading) -> None:
    found = reading.root.find("instance-creation-conditions")
    guard = None if found is None else found.find("guard")
    if guard is not None and guard.children:
        told = "found conditions for making a document; accepted: none, for here a document type says who makes one"
        reading.report.say("not_carried", guard.node(""), "instance-creation-conditions", told, found="")


def _remark_variables(reading: Reading) -> None:
    variables = reading.read_ids("variable", "variable_id")
    if variables:
        reading.comment(f"Variables in Plone, not carried: {', '.join(variables)[:1000]}")
    for name, element in variables.items():
        kept = "the history has it of every step anyway" if name in _STANDARD_VARIABLES else "here are no variables"
        guard = element.find("guard")
        guarded = ", nor its guard" if guard is not None and guard.children else ""
        told = f"the variable {name!r} is not carried{guarded}: {kept}"
        reading.remarks.add(element.node_of("variable_id"), told)


def _remark_scripts(reading: Reading) -> None:
    scripts = ", ".join(element.get("script_id") for element in reading.root.all("script"))
    if scripts:
        reading.comment(f"Scripts in Plone, whose code is not carried: {scripts[:1000]}")
    used = {supply.name for supply in reading.supplies}
    for element in reading.root.all("script"):
        name = element.get("script_id")
        source = " ".join(element.get(key) for key in ("type", "filename", "module", "function") if element.get(key))
        told = f"the code of the script {name[:60]!r} ({source[:100]}) is not carried"
        told += ": a plugin supplies it" if name in used else ": no transition or guard uses it"
        reading.remarks.add(element.node_of("script_id"), told)
