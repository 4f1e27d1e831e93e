"""All workflows and document types of one installation, read and cross-checked once, when it starts."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from r2pflow.domain.chaining import check_chain
from r2pflow.domain.checking import ERROR, check
from r2pflow.domain.definition import DocumentType, Test, Workflow
from r2pflow.domain.errors import DefinitionError, DefinitionErrors, SetupError
from r2pflow.domain.naming import accepted_names
from r2pflow.domain.reading import read_file, read_outline, read_workflow
from r2pflow.domain.type_reading import read_document_types
from r2pflow.plugins.registry import Registry, Source

TYPES_FILE = "documents.yaml"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Catalogue:
    """The workflows and document types by name, and the registry that they were read with."""

    workflows: Mapping[str, Workflow]
    types: Mapping[str, DocumentType]
    registry: Registry
    versions: dict[str, Workflow] = field(default_factory=dict, repr=False, compare=False)  # by digest
    outlines: dict[str, Workflow] = field(default_factory=dict, repr=False, compare=False)  # that cannot be run
    kept: frozenset[str] = frozenset()  # workflows that types name and no file defines: as they were stored

    def __post_init__(self) -> None:
        self.versions.update((workflow.digest, workflow) for workflow in self.workflows.values())

    def find_version(self, digest: str) -> Workflow | None:
        """Return the definition with this content, of today's files or of those that were read before."""
        return self.versions.get(digest)

    def read_version(self, source: str, path: str) -> Workflow:
        """Read an older definition from its stored source; content never changes, so it is kept."""
        workflow = read_workflow(source, path, conditions=self.registry.conditions, effects=self.registry.effects)
        return self.versions.setdefault(workflow.digest, workflow)

    def read_outline(self, source: str, path: str) -> Workflow:
        """Read an older definition to be told, not run; whatever its conditions and effects are."""
        workflow = read_outline(source, path)
        return self.outlines.setdefault(workflow.digest, workflow)

    def chain_of(self, document_type: str) -> tuple[Workflow, ...]:
        """Return the workflows that the type names, the first of its chain first."""
        return tuple(self.workflows[name] for name in self.types[document_type].chain)

    def check_policy(self, document_type: str, names: Sequence[str]) -> list[DefinitionError]:
        """Return why these workflows, all of them known, could not be the chain of a document type."""
        return list(check_fit(self.types[document_type], [self.workflows[name] for name in names]))


FindStored = Callable[[str], tuple[str, str] | None]
"""Return the newest stored source of the workflow of that name, and what to call it in errors; None for none."""


def load_catalogue(registry: Registry, folders: Sequence[Path], find_stored: FindStored | None = None) -> Catalogue:
    """Read every *.yaml of the folders and of the plugins; refuse with DefinitionErrors that carry them all.

    A workflow that a type names and no file defines is read from where it is stored, if it is. A folder that is
    missing, or a name that two files define, is refused with SetupError. What `workflow check` calls an error is one
    here too.
    """
    errors: list[DefinitionError] = []
    workflows: dict[str, Workflow] = {}
    sources: list[Source] = []
    for path in _find_files((*folders, *registry.workflow_folders)):
        if path.name == TYPES_FILE:
            sources.append(Source(str(path), None, "application"))
            continue
        try:
            workflow = _read_checked(path, registry)
        except DefinitionErrors as found:
            errors.extend(found.errors)
            continue
        if workflow.name in workflows:
            paths = [workflows[workflow.name].path, workflow.path]
            raise SetupError("definition_twice", kind="workflow", name=workflow.name, paths=paths)
        workflows[workflow.name] = workflow
    types: dict[str, DocumentType] = {}
    for source in (*sources, *registry.type_sources):
        try:
            text = read_file(Path(source.path)) if source.text is None else source.text
            found_types = read_document_types(text, source.path)
        except DefinitionErrors as found:
            errors.extend(found.errors)
            continue
        for kind in found_types:
            if kind.name in types:
                paths = [types[kind.name].path, kind.path]
                raise SetupError("definition_twice", kind="document type", name=kind.name, paths=paths)
            types[kind.name] = kind
    kept: set[str] = set()
    for name in dict.fromkeys(name for kind in types.values() for name in kind.chain):
        stored = find_stored(name) if find_stored and name not in workflows and not errors else None
        if stored:
            workflows[name] = read_workflow(*stored, conditions=registry.conditions, effects=registry.effects)
            kept.add(name)
            logger.warning("no file defines the workflow %s any more: taking %s", name, stored[1])
    if not errors:
        for kind in types.values():
            errors.extend(_type_errors(kind, workflows, registry))
        errors.extend(_code_errors(types.values()))
    if errors:
        raise DefinitionErrors(errors)
    return Catalogue(MappingProxyType(workflows), MappingProxyType(types), registry, kept=frozenset(kept))


def _find_files(folders: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for folder in dict.fromkeys(folders):
        if not folder.is_dir():
            remedy = "make the folder, or mend the setting"
            raise SetupError("folder_missing", path=str(folder), remedy=remedy)
        found.extend(sorted(folder.glob("*.yaml")))
    return found


def _read_checked(path: Path, registry: Registry) -> Workflow:
    workflow = read_workflow(read_file(path), str(path), conditions=registry.conditions, effects=registry.effects)
    faults = [problem for problem in check(workflow) if problem.severity == ERROR]
    if faults:
        raise DefinitionErrors(
            DefinitionError(
                problem.code,
                path=str(path),
                line=problem.line,
                column=problem.column,
                message=problem.message,
            )
            for problem in faults
        )
    return workflow


def _type_errors(
    kind: DocumentType, workflows: Mapping[str, Workflow], registry: Registry
) -> Iterable[DefinitionError]:
    def error(what: str, found: str, known: Iterable[str]) -> DefinitionError:
        names = list(known)
        message = f"document type {kind.name}: found the {what} {found!r}; {accepted_names(found, names)}"
        return DefinitionError(
            f"unknown_{what.replace(' ', '_')}",
            path=kind.path,
            line=kind.line,
            column=kind.column,
            message=message,
            found=found,
            accepted=names,
        )

    if kind.template not in registry.pdf_templates:
        yield error("PDF template", kind.template, registry.pdf_templates)
    for name in kind.exports:
        if name not in registry.exporters:
            yield error("exporter", name, registry.exporters)
    chain = [workflows[name] for name in kind.chain if name in workflows]
    for name in kind.chain:
        if name not in workflows:
            yield error("workflow", name, workflows)
    yield from _field_errors(kind, chain)
    if len(chain) == len(kind.chain):
        yield from check_chain(chain, kind)


def check_fit(kind: DocumentType, chain: Sequence[Workflow]) -> Iterable[DefinitionError]:
    """Yield why these workflows do not fit a document type or each other, each at its place."""
    yield from _field_errors(kind, chain)
    yield from check_chain(chain, kind)


def _field_errors(kind: DocumentType, chain: Sequence[Workflow]) -> Iterable[DefinitionError]:
    fields = [field.name for field in kind.fields]
    for workflow in chain:
        for test, name in _fields_read(workflow):
            if name not in fields:
                told = f"which the document type {kind.name} lacks; {accepted_names(name, fields)}"
                message = f"found the field {name!r}, {told}"
                yield DefinitionError(
                    "unknown_field", path=workflow.path, line=test.line, column=test.column, message=message
                )


def _fields_read(workflow: Workflow) -> Iterable[tuple[Test, str]]:
    def walk(tests: Iterable[Test]) -> Iterable[tuple[Test, str]]:
        for test in tests:
            yield from walk(test.tests)
            if test.kind == "field":
                yield test, test.name
            elif test.name == "fields_filled" and test.argument is not None:
                names = test.argument if isinstance(test.argument, list) else [test.argument]
                yield from ((test, name) for name in names)

    for transition in workflow.transitions.values():
        yield from walk(transition.guard.require)
    for worklist in workflow.worklists.values():
        yield from walk((*worklist.guard.require, *worklist.where))


def _code_errors(types: Iterable[DocumentType]) -> Iterable[DefinitionError]:
    seen: dict[str, str] = {}
    for kind in types:
        if kind.code in seen:
            message = f"found the code {kind.code!r} at {seen[kind.code]} and {kind.name}; codes make symbols"
            yield DefinitionError("code_twice", path=kind.path, line=kind.line, column=kind.column, message=message)
        seen[kind.code] = kind.name
