"""Find what a mistyped name was meant to be, and collect the errors of one file."""

from collections.abc import Iterable
from difflib import get_close_matches

from r2pflow.domain.errors import DefinitionError, DefinitionErrors
from r2pflow.domain.yamlnodes import Node

MAX_ERRORS = 50
MAX_NAMES = 500  # more of them are neither listed nor compared, which would take seconds


def find_nearest(found: str, known: Iterable[str]) -> str | None:
    """Return the known name most like the one found, whatever its case, or None when none is near."""
    by_folded = {name.casefold(): name for name in known}
    if len(by_folded) > MAX_NAMES:
        return None
    near = get_close_matches(found[:100].casefold(), list(by_folded), n=1, cutoff=0.6)
    return by_folded[near[0]] if near else None


def accepted_names(found: str, known: Iterable[str]) -> str:
    """Return the end of an error message: what is accepted, and the nearest of it."""
    names = list(known)
    nearest = find_nearest(found, names)
    if len(names) > MAX_NAMES:
        return f"accepted: one of {len(names)} names"
    told = f"accepted: {', '.join(names) if names else 'none, for there are none'}"
    return told if nearest is None else f"{told} (did you mean {nearest!r}?)"


class Report:
    """Collect the errors of one file, so that all can be told at once."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.errors: list[DefinitionError] = []

    @property
    def is_full(self) -> bool:
        """Tell whether there are more errors than will be told."""
        return len(self.errors) > MAX_ERRORS

    def add(self, code: str, node: Node, where: str, found: object, accepted: str) -> None:
        """Note what was found at the node, and what would be accepted there."""
        told = f"found {found}; accepted: {accepted}"
        self._add(code, node, where, told, found=str(found), accepted=accepted)

    def add_name(self, code: str, node: Node, where: str, kind: str, known: Iterable[str]) -> None:
        """Note a name that is none of the known ones."""
        names = list(known)
        if self.is_full:  # it will not be told: comparing names would only take time
            self._add(code, node, where, f"found the {kind} {str(node)}", found=node.text)
            return
        told = f"found the {kind} {str(node)}; {accepted_names(node.text, names)}"
        self._add(code, node, where, told, found=node.text, accepted=names, nearest=find_nearest(node.text, names))

    def say(self, code: str, node: Node, where: str, message: str, **params: object) -> None:
        """Note an error in words of its own."""
        self._add(code, node, where, message, **params)

    def take(self, error: DefinitionError) -> None:
        """Note an error that somebody else made, at the path of this file."""
        error.path = error.path or self.path
        self.errors.append(error)

    def _add(self, code: str, node: Node, where: str, told: str, **params: object) -> None:
        message = f"{where}: {told}" if where else told
        error = DefinitionError(code, path=self.path, line=node.line, column=node.column, message=message)
        error.params |= {"where": where, **params}
        self.errors.append(error)

    def refuse_if_any(self) -> None:
        """Raise DefinitionErrors with what was collected, at most MAX_ERRORS of them."""
        if self.errors:
            raise DefinitionErrors(DefinitionErrors(self.errors).errors[:MAX_ERRORS])
