"""What plugins bring: conditions, effects, exporters, document types, workflows and PDF templates, by name.

A plugin is a function `register(registry)` under the entry-point group `r2pflow.plugins`; the built-ins too.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from r2pflow.domain.conditions import RESERVED_NAMES, Condition, ConditionFunction
from r2pflow.domain.definition import EffectCall
from r2pflow.domain.errors import SetupError
from r2pflow.domain.parameters import Parameters, read_signature

Target = str | Callable[..., Any]
"""A function, or its dotted name `package.module:function`, imported when it is first needed."""


def resolve(target: Target, *, name: str, provider: str) -> Callable[..., Any]:
    """Return the function; refuse a dotted name that cannot be imported with SetupError."""
    if callable(target):
        return target
    module_name, _, attribute = target.partition(":")
    try:
        found = getattr(import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise SetupError(
            "plugin_target_missing", name=name, provider=provider, target=target, found=str(error)
        ) from error
    if not callable(found):
        raise SetupError("plugin_target_not_callable", name=name, provider=provider, target=target)
    return found


@dataclass(frozen=True)
class Effect:
    """What a transition brings about: `function(work, subject, outcome, *, own parameters)` in its transaction.

    It may write and queue jobs; what it raises undoes the transition. It tells nobody outside the database.
    """

    name: str
    function: Target
    provider: str = ""
    like: Callable[..., Any] | None = None

    @cached_property
    def parameters(self) -> Parameters:
        """Return what it takes, by its signature, or that of `like`; refuse with SetupError."""
        try:
            return read_signature(self.like or self.get_function(), given=3)
        except ValueError as error:
            raise SetupError("plugin_bad", name=self.name, provider=self.provider, found=str(error)) from error

    def run(self, work: Any, subject: Any, outcome: Any, argument: Any) -> None:
        """Run it with the argument of its EffectCall."""
        self.get_function()(work, subject, outcome, **self.parameters.bind(argument))

    def get_function(self) -> Callable[..., Any]:
        """Return the function itself; refuse with SetupError."""
        return resolve(self.function, name=self.name, provider=self.provider)


@dataclass(frozen=True)
class Exporter:
    """A format to take a document away in: media type, file extension without dot, title as English msgid."""

    name: str
    function: Target
    media_type: str
    extension: str
    title: str
    provider: str = ""

    def get_function(self) -> Callable[..., Any]:
        """Return the function itself; refuse with SetupError."""
        return resolve(self.function, name=self.name, provider=self.provider)


@dataclass(frozen=True)
class PdfTemplate:
    """A Jinja template of PDFs; without a path it is templates/pdf/<name>.html."""

    name: str
    path: Path | None = None
    provider: str = ""


@dataclass(frozen=True)
class Source:
    """YAML that a plugin brings: a text of its own, or the file at `path`."""

    path: str
    text: str | None
    provider: str


class Registry:
    """Collect what plugins register; a name that two of them give is refused, naming both."""

    def __init__(self) -> None:
        self._conditions: dict[str, Condition] = {}
        self._effects: dict[str, Effect] = {}
        self._exporters: dict[str, Exporter] = {}
        self._pdf_templates: dict[str, PdfTemplate] = {}
        self._type_sources: list[Source] = []
        self._workflow_folders: dict[Path, str] = {}
        self._provider = "application"
        self.built_in = ""  # the provider of what r2pflow itself brings

    @property
    def conditions(self) -> Mapping[str, Condition]:
        return self._conditions

    @property
    def effects(self) -> Mapping[str, Effect]:
        return self._effects

    @property
    def exporters(self) -> Mapping[str, Exporter]:
        return self._exporters

    @property
    def pdf_templates(self) -> Mapping[str, PdfTemplate]:
        return self._pdf_templates

    @property
    def type_sources(self) -> tuple[Source, ...]:
        return tuple(self._type_sources)

    @property
    def workflow_folders(self) -> tuple[Path, ...]:
        return tuple(self._workflow_folders)

    def is_built_in(self, effect: EffectCall) -> bool:
        """Tell whether an effect is r2pflow's own: what it refuses is undone by whoever opened the transaction.

        What another brings is undone at once as well, since nobody knows how it fails.
        """
        return bool(self.built_in) and self._effects[effect.name].provider == self.built_in

    @contextmanager
    def provided_by(self, provider: str) -> Iterator[None]:
        """Record `provider` with everything registered inside."""
        before, self._provider = self._provider, provider
        try:
            yield
        finally:
            self._provider = before

    def condition(
        self,
        name: str,
        function: ConditionFunction,
        needs: tuple[str, ...] = (),
        title: str = "",
    ) -> None:
        """Register a condition for `require`: `function(facts, actor)` is None when it is met.

        Its keyword-only parameters are what workflow files may give it. `needs` names the parts of Facts that it
        reads; the others may be None.
        """
        self._check_name("condition", name, self._conditions)
        if name in RESERVED_NAMES:
            raise SetupError("plugin_name_reserved", kind="condition", name=name, provider=self._provider)
        try:
            self._conditions[name] = Condition(name, function, tuple(needs), title, self._provider)
        except ValueError as error:
            raise SetupError("plugin_bad", name=name, provider=self._provider, found=str(error)) from error

    def effect(self, name: str, function: Target, *, like: Callable[..., Any] | None = None) -> None:
        """Register an effect for `effects` of transitions: `function(work, subject, outcome)`.

        Its keyword-only parameters are what workflow files may give it. A dotted name is imported when a workflow
        file that names it is read; with `like`, a function of the same signature, only when it is fired.
        """
        self._check_name("effect", name, self._effects)
        effect = self._effects[name] = Effect(name, function, self._provider, like)
        if callable(function) or like is not None:
            _ = effect.parameters  # a signature that does not fit is refused now

    def exporter(self, name: str, function: Target, media_type: str, extension: str, title: str) -> None:
        """Register an exporter for `exports` of document types."""
        self._check_name("exporter", name, self._exporters)
        self._exporters[name] = Exporter(name, function, media_type, extension, title, self._provider)

    def pdf_template(self, name: str, path: Path | None = None) -> None:
        """Register a PDF template for `template` of document types."""
        self._check_name("pdf_template", name, self._pdf_templates)
        self._pdf_templates[name] = PdfTemplate(name, path, self._provider)

    def document_types(self, path_or_text: Path | str) -> None:
        """Register document types: a `documents.yaml` as a Path, or its text."""
        if isinstance(path_or_text, Path):
            self._type_sources.append(Source(str(path_or_text), None, self._provider))
        else:
            path = f"<document types of {self._provider}>"
            self._type_sources.append(Source(path, path_or_text, self._provider))

    def workflows(self, folder: Path) -> None:
        """Register a folder of workflow files; its documents.yaml holds document types."""
        self._workflow_folders[Path(folder)] = self._provider

    def _check_name(self, kind: str, name: str, known: Mapping[str, Any]) -> None:
        if name in known:
            providers = [known[name].provider, self._provider]
            raise SetupError("plugin_name_taken", kind=kind, name=name, providers=providers)
        if not name or name != name.strip():
            raise SetupError("plugin_name_empty", kind=kind, name=name, provider=self._provider)
