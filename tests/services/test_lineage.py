"""Versions of a workflow, where documents stand in them, and the way that one document took."""

from pathlib import Path

import pytest

from r2pflow.domain.errors import NotFound
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.reading import read_workflow
from r2pflow.domain.text import canonical
from r2pflow.plugins.catalogue import Catalogue, load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services import lineage
from r2pflow.services.access import get_subject
from r2pflow.services.definitions import store_definition
from r2pflow.services.drafting import create_document
from r2pflow.services.migrating import Wish, migrate_document, plan_migration
from r2pflow.services.transitions import fire

CHAIN = Path(__file__).parents[1] / "files" / "chain"
TEXT = canonical("<h1>Notice</h1><p>Soon.</p>")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(load_plugins(), [CHAIN])


@pytest.fixture
def reference(work, coalition) -> str:
    found = create_document(work, coalition["secretariat"], "notice", TEXT)
    work.commit()
    return found


def store(work, number: int) -> str:
    """Store the notice's workflow as it may have been; return its digest."""
    registry = work.catalogue.registry
    text = f"version: {number}\n" + work.catalogue.workflows["notice"].source
    found = read_workflow(text, "x", conditions=registry.conditions, effects=registry.effects)
    store_definition(work, found)
    work.commit()
    return found.digest


def test_documents_are_counted_in_each_workflow_of_their_chain_for_those_who_may_see_them(work, coalition, reference):
    second = create_document(work, coalition["secretariat"], "notice", TEXT)
    fire(work, coalition["secretariat"], second, "agree")
    work.commit()

    def count(name: str, workflow: str) -> dict[str, int]:
        found = lineage.count_standing(work, coalition[name], workflow)
        return {state: number for (_, state), number in found.items()}

    assert count("secretariat", "notice") == {"drafting": 1, "agreed": 1}
    assert count("secretariat", "upkeep") == {"idle": 1, "translating": 1}
    assert count("alpha", "notice") == {"agreed": 1}
    assert count("alpha", "upkeep") == {"translating": 1}
    assert lineage.count_by_workflow(work, coalition["secretariat"]) == {"notice": 2, "upkeep": 2}
    assert lineage.count_by_workflow(work, coalition["alpha"]) == {"notice": 1, "upkeep": 1}


def test_versions_are_listed_newest_first_with_the_documents_in_each(work, coalition, reference):
    newer = store(work, 2)
    page = lineage.list_versions(work, "notice", lineage.count_standing(work, coalition["secretariat"], "notice"))
    present = work.catalogue.workflows["notice"].digest
    assert [(one.digest, one.number, one.is_present, one.documents) for one in page.rows] == [
        (newer, 2, False, 0),
        (present, 1, True, 1),
    ]
    assert lineage.list_digests(work, "notice", 1) == [(newer, 2)]


def test_the_version_before_is_the_one_stored_before_or_else_the_newest_other(work, reference):
    present = work.catalogue.workflows["notice"].digest
    assert lineage.find_version_before(work, "notice", present) is None
    second, third = store(work, 2), store(work, 3)
    assert lineage.find_version_before(work, "notice", third) == second
    assert lineage.find_version_before(work, "notice", second) == present
    assert lineage.find_version_before(work, "notice", present) == third
    assert lineage.find_version_before(work, "notice", "unknown") == third


def test_versions_of_other_workflows_are_not_found(work, reference):
    upkeep = work.catalogue.workflows["upkeep"].digest
    assert lineage.get_version(work, "upkeep", upkeep).name == "upkeep"
    for name, digest in (("notice", upkeep), ("notice", "x"), ("unheard_of", upkeep)):
        with pytest.raises(NotFound):
            lineage.get_version(work, name, digest)
    with pytest.raises(NotFound):
        lineage.get_newest(work, "unheard_of")


def test_a_workflow_without_a_file_is_the_one_stored_last(work, reference, tmp_path):
    store(work, 7)
    texts = {name: (CHAIN / f"{name}.yaml").read_text(encoding="utf-8") for name in ("documents", "upkeep")}
    texts["documents"] = texts["documents"].replace("[notice, upkeep]", "upkeep")
    texts["upkeep"] = texts["upkeep"].replace("{in_state: {notice: [agreed]}}", "has_text")
    texts["upkeep"] += "permissions: {view: [member]}\n"
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    work.catalogue = load_catalogue(load_plugins(), [tmp_path])
    assert lineage.get_newest(work, "notice").version == 7


def test_each_workflow_of_a_chain_has_its_own_path(work, coalition, reference):
    fire(work, coalition["secretariat"], reference, "agree")
    work.commit()
    first, further = get_subject(work, THE_SYSTEM, reference).lanes
    assert [(one.number, one.entry.transition) for one in lineage.list_path(work, first)] == [(1, "agree")]
    assert [(one.number, one.entry.transition) for one in lineage.list_path(work, further)] == [(1, "start")]


def test_a_migration_is_a_step_of_the_path(work, coalition, reference, tmp_path):
    fire(work, coalition["secretariat"], reference, "agree")
    work.commit()
    for path in CHAIN.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(text.replace("agreed", "settled") if path.stem != "documents" else text)
    work.catalogue = load_catalogue(load_plugins(), [tmp_path])
    plan = plan_migration(work, THE_SYSTEM, Wish("notice", mapping={"agreed": "settled"}))
    for move in plan.moves:
        migrate_document(work, THE_SYSTEM, plan, move)
    work.commit()
    subject = get_subject(work, THE_SYSTEM, reference)
    path = lineage.list_path(work, subject)
    assert [(one.number, one.entry.kind, one.entry.target) for one in path] == [
        (1, "transition", "agreed"),
        (2, "migration", "settled"),
    ]
