"""Pictures of workflows in pages; a page that cannot show one says so and goes on with its tables."""

from flask import current_app
from markupsafe import Markup

from r2pflow.domain.definition import Workflow
from r2pflow.domain.errors import SetupError
from r2pflow.outputs import comparing, diagrams
from r2pflow.outputs.diagrams import Marks
from r2pflow.web.i18n import language


def show_workflow(workflow: Workflow, marks: Marks = diagrams.PLAIN, prefix: str = "d") -> Markup | None:
    """Return the picture of a workflow in the language of this page, or None where it cannot be laid out."""
    try:
        return Markup(diagrams.draw_workflow(workflow, language(), marks, prefix=prefix))
    except SetupError as error:
        _note(workflow, error)
        return None


def show_changes(old: Workflow, new: Workflow) -> Markup | None:
    """Return one picture of two versions, or None where it cannot be laid out."""
    try:
        return Markup(comparing.draw_changes(old, new, language()))
    except SetupError as error:
        _note(new, error)
        return None


def _note(workflow: Workflow, error: SetupError) -> None:
    current_app.logger.warning("no picture of the workflow %s: %s", workflow.name, error)
