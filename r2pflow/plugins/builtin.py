"""What r2pflow itself brings, through the same door as every plugin."""

from r2pflow.domain.conditions import BUILT_IN_CONDITIONS
from r2pflow.plugins.registry import Registry

_EFFECTS = "r2pflow.services.effects"
_EXPORTERS = "r2pflow.outputs.exporters"


def _take_nothing(work: object, subject: object, outcome: object) -> None:
    """Stand for the built-in effects while files are read: none of them has parameters."""


def register(registry: Registry) -> None:
    """Register the built-in conditions, effects, exporters and PDF templates.

    Effects and exporters are dotted names: plugins stand below services and outputs and import neither.
    """
    for condition in BUILT_IN_CONDITIONS.values():
        registry.condition(condition.name, condition.function, condition.needs, condition.title)
    for name in ("notify_members", "notify_steering", "publish", "withdraw", "announce", "open_translation"):
        registry.effect(name, f"{_EFFECTS}:{name}", like=_take_nothing)
    docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    for name, media_type, title in (
        ("pdf", "application/pdf", "PDF"),
        ("html", "text/html; charset=utf-8", "Web page"),
        ("json", "application/json", "JSON"),
        ("docx", docx, "Word document"),
        ("ics", "text/calendar; charset=utf-8", "Calendar file"),
    ):
        registry.exporter(name, f"{_EXPORTERS}:export_{name}", media_type, name, title)
    for name in ("paper", "statement", "report", "programme"):
        registry.pdf_template(name)
