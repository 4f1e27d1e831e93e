"""Forms: what was posted stays in the fields, each fault stands beside its field.

form = read_form(name=person.name, functions=person.functions)
if form.is_posted:
    try:
        people.save_person(work, actor, {"name": form.text("name")})
        work.commit()
        return redirect(...)
    except InvalidInput as error:
        form.refuse(error)
return form.render("person.html", person=person)
"""

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from werkzeug.datastructures import FileStorage

from r2pflow.domain.errors import InvalidInput, R2PFlowError
from r2pflow.web.auth import undo_work
from r2pflow.web.errors import sentence, status_of
from r2pflow.web.rendering import render


class Form:
    """The values of a form and what is wrong with them; `errors` by field, '' for the form as a whole."""

    def __init__(self, values: Mapping[str, Any], is_posted: bool) -> None:
        self.values = dict(values)
        self.is_posted = is_posted
        self.errors: dict[str, str] = {}
        self.labels: dict[str, str] = {}  # noted by the template as it writes each field
        self.status = 200

    def text(self, name: str, fallback: str = "") -> str:
        """Return the value as text, line ends as \\n, without white space around it."""
        value = self.values.get(name, fallback)
        return "" if value is None else str(value).replace("\r\n", "\n").strip()

    def raw(self, name: str) -> str:
        """Return the value as it was sent."""
        return str(self.values.get(name) or "")

    def chosen(self, name: str) -> list[str]:
        """Return every value of a field that may have several; empty ones left out."""
        if self.is_posted:
            return [value for value in request.form.getlist(name) if value]
        value = self.values.get(name) or ()
        return [value] if isinstance(value, str) else [str(one) for one in value]

    def is_checked(self, name: str) -> bool:
        """Tell whether a box is ticked."""
        return self.values.get(name) not in (None, False, "", "0", "false")

    def number(self, name: str) -> int | None:
        """Return the value as a whole number, None when empty; raise InvalidInput for anything else."""
        text = self.text(name)
        if not text:
            return None
        try:
            return int(text)
        except ValueError as error:
            raise InvalidInput("not_a_number", field=name, value=text) from error

    def file(self, name: str) -> FileStorage:
        """Return the uploaded file; raise InvalidInput when none was chosen."""
        found = request.files.get(name)
        if found is None or not found.filename:
            raise InvalidInput("no_file", field=name)
        return found

    def refuse(self, error: R2PFlowError) -> None:
        """Undo what was written, and put the error's sentence where its field is."""
        undo_work()
        self.status = status_of(error)
        self.errors[str(error.params.get("field", ""))] = sentence(error)

    def render(self, template: str, **context: Any) -> Response:
        """Render the page around this form; 200 at first, the error's status when something was refused."""
        return render(template, self.status, form=self, **context)


def read_form(**defaults: Any) -> Form:
    """Return the posted form, or the defaults when this is no POST. Boxes that are not ticked are not posted."""
    if request.method == "POST":
        return Form(request.form.to_dict(), is_posted=True)
    return Form(defaults, is_posted=False)
