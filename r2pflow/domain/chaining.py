"""What workflows must keep to that run beside each other on one document: a chain, the first one first."""

from collections.abc import Iterable, Sequence

from r2pflow.domain.definition import DocumentType, State, Test, Workflow
from r2pflow.domain.errors import DefinitionError
from r2pflow.domain.naming import accepted_names


def check_chain(chain: Sequence[Workflow], kind: DocumentType) -> Iterable[DefinitionError]:
    """Yield what is wrong with the workflows of a document type together, each at its place.

    The first says who may view, and alone has open texts, comment rounds and ballots; a transition's name is used
    once; `in_state` names a workflow of the chain and states of it.
    """
    first = chain[0]
    if "view" not in first.named_permissions():
        told = f"document type {kind.name}: the workflow {first.name} says nowhere who may view"
        yield _error("first_without_view", kind, f"{told}; the first of a chain does")
    for workflow in chain[1:]:
        for state in workflow.states.values():
            yield from _check_further(workflow, state, kind)
        if "view" in workflow.named_permissions():
            told = f"the workflow {workflow.name} names the permission 'view', and stands behind {first.name}"
            message = f"{told} in the chain of the document type {kind.name}; only the first of a chain names it"
            yield DefinitionError("further_with_view", path=workflow.path, line=1, column=1, message=message)
    known: dict[str, Workflow] = {}
    for workflow in chain:
        for transition in workflow.transitions.values():
            if transition.name in known:
                told = f"found the transition {transition.name!r}, which {known[transition.name].name} has too"
                message = f"{told}; in the chain of the document type {kind.name} each name is used once"
                yield DefinitionError(
                    "transition_twice",
                    path=workflow.path,
                    line=transition.line,
                    column=transition.column,
                    message=message,
                )
            known.setdefault(transition.name, workflow)
            yield from _check_tests(workflow, transition.guard.require, chain, kind)
        for worklist in workflow.worklists.values():
            yield from _check_tests(workflow, (*worklist.guard.require, *worklist.where), chain, kind)


def _check_further(workflow: Workflow, state: State, kind: DocumentType) -> Iterable[DefinitionError]:
    for has, what in (
        (state.text == "open", "an open text"),
        (state.comments is not None, "a comment round"),
        (bool(state.ballot), "a ballot"),
    ):
        if has:
            told = f"the state {state.name} has {what}, and {workflow.name} is not the first in the chain of the"
            message = f"{told} document type {kind.name}; only the first has"
            yield DefinitionError(
                "further_with_window", path=workflow.path, line=state.line, column=state.column, message=message
            )


def _check_tests(
    workflow: Workflow, tests: Iterable[Test], chain: Sequence[Workflow], kind: DocumentType
) -> Iterable[DefinitionError]:
    known = {one.name: one for one in chain}
    for test in tests:
        yield from _check_tests(workflow, test.tests, chain, kind)
        if test.kind != "named" or test.name != "in_state":
            continue
        for name, states in test.argument.items():
            wanted = states if isinstance(states, list | tuple) else [states]
            faults = [] if name in known else [("workflow", name, list(known))]
            if name in known:
                faults = [("state", one, list(known[name].states)) for one in wanted if one not in known[name].states]
            for what, found, accepted in faults:
                message = f"found the {what} {found!r} in the chain of {kind.name}; {accepted_names(found, accepted)}"
                yield DefinitionError(
                    f"unknown_{what}", path=workflow.path, line=test.line, column=test.column, message=message
                )


def _error(code: str, kind: DocumentType, message: str) -> DefinitionError:
    return DefinitionError(code, path=kind.path, line=kind.line, column=kind.column, message=message)
