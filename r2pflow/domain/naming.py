"""Find what a mistyped name was meant to be, and collect the errors of one file."""

from collections.abc import Callable, Collection, Iterable
from difflib import get_close_matches
from functools import partial

from r2pflow.domain.errors import DefinitionError, DefinitionErrors
from r2pflow.domain.yamlnodes import MAX_ERRORS, Node

MAX_COMPARED = 300  # names
MAX_TOLD = 60  # names


def find_nearest(found: str, known: Iterable[str]) -> str | None:
    """Return the known name most like the one found, whatever its case, or None when none is near.

    Of very many names, those are compared that are about as long.
    """
    by_folded = {name.casefold(): name for name in known}
    if len(by_folded) > MAX_COMPARED:
        length = len(found)
        near_by_length = sorted(by_folded, key=lambda name: abs(len(name) - length))[:MAX_COMPARED]
        by_folded = {name: by_folded[name] for name in near_by_length}
    near = get_close_matches(found[:100].casefold(), list(by_folded), n=1, cutoff=0.6)
    return by_folded[near[0]] if near else None


def accepted_names(found: str, known: Iterable[str]) -> str:
    """Return the end of an error message: what is accepted, and the nearest of it."""
    names = list(known)
    nearest = find_nearest(found, names)
    listed = ", ".join(names[:MAX_TOLD]) if names else "none, for there are none"
    more = f" and {len(names) - MAX_TOLD} more" if len(names) > MAX_TOLD else ""
    told = f"accepted: {listed}{more}"
    return told if nearest is None else f"{told} (did you mean {nearest!r}?)"


class Report:
    """Collect the errors of one file, so that all can be told at once; only those that are told are put into words."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._found: list[tuple[int, int, Callable[[], DefinitionError]]] = []

    @property
    def is_full(self) -> bool:
        """Tell whether there are more errors than will be told."""
        return len(self._found) > MAX_ERRORS

    def add(self, code: str, node: Node, where: str, found: object, accepted: str) -> None:
        """Note what was found at the node, and what would be accepted there."""
        told = f"found {found}; accepted: {accepted}"
        self.say(code, node, where, told, found=str(found), accepted=accepted)

    def add_name(self, code: str, node: Node, where: str, kind: str, known: Collection[str]) -> None:
        """Note a name that is none of the known ones."""
        self._found.append((node.line, node.column, partial(self._make_name, code, node, where, kind, known)))

    def say(self, code: str, node: Node, where: str, message: str, **params: object) -> None:
        """Note an error in words of its own."""
        self._found.append((node.line, node.column, partial(self._make, code, node, where, message, **params)))

    def take(self, error: DefinitionError) -> None:
        """Note an error that somebody else made, at the path of this file."""
        error.path = error.path or self.path
        self._found.append((error.line, error.column, lambda: error))

    def _make_name(self, code: str, node: Node, where: str, kind: str, known: Collection[str]) -> DefinitionError:
        names = list(known)
        told = f"found the {kind} {str(node)}; {accepted_names(node.text, names)}"
        nearest = find_nearest(node.text, names)
        return self._make(code, node, where, told, found=node.text, accepted=names, nearest=nearest)

    def _make(self, code: str, node: Node, where: str, told: str, **params: object) -> DefinitionError:
        message = f"{where}: {told}" if where else told
        error = DefinitionError(code, path=self.path, line=node.line, column=node.column, message=message)
        error.params |= {"where": where, **params}
        return error

    def refuse_if_any(self) -> None:
        """Raise DefinitionErrors with the first MAX_ERRORS of what was collected."""
        if self._found:
            first = sorted(self._found, key=lambda found: found[:2])[:MAX_ERRORS]
            raise DefinitionErrors(make() for _, _, make in first)
