"""A step whose effect or condition fails is a page that says so, never a 500; so is one that somebody was before."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from r2pflow.domain.text import canonical
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.plugins.registry import Registry
from r2pflow.services.drafting import create_document

FAULTY = Path(__file__).parent.parent / "services" / "faulty"


def fail(*given: Any, error: str = "") -> None:
    raise ValueError("out of order")


def bring(registry: Registry) -> None:
    registry.effect("queue_first", lambda *given: None)
    registry.effect("fail", fail)
    registry.effect("break_a_rule", fail)
    registry.condition("cannot_tell", fail)
    registry.workflows(FAULTY)


@pytest.fixture
def plugins() -> list[Any]:
    return [bring]


@pytest.fixture
def paper(work: UnitOfWork, persons: Any) -> str:
    reference = create_document(work, persons["secretary"], "faulty", canonical("<h1>Note</h1><p>One.</p>"))
    work.commit()
    return reference


@pytest.mark.parametrize(("step", "told"), [("break", "(fail)"), ("doubt", "(cannot_tell)")])
def test_a_failing_step_is_refused_on_the_documents_own_page(
    app: Flask, browse: Any, paper: str, step: str, told: str
) -> None:
    app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    secretary = browse("secretary")
    response = secretary.post(f"/documents/{paper}/fire/{step}", {"comment": "go on then"})
    page = response.get_data(as_text=True)
    assert response.status_code == 409
    assert told in page and "go on then" in page and "Traceback" not in page
    assert secretary.get(f"/documents/{paper}").status_code == 200


def test_the_desk_is_shown_where_the_condition_of_a_worklist_fails(browse: Any, paper: str) -> None:
    response = browse("secretary").get("/desk")
    assert response.status_code == 200 and paper in response.get_data(as_text=True)
