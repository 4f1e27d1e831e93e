"""All definitions of an installation, read and cross-checked when it starts."""

from pathlib import Path

import pytest

from r2pflow.domain.errors import DefinitionErrors, SetupError
from r2pflow.domain.people import LANGUAGES, Titles
from r2pflow.folders import get_folder
from r2pflow.plugins.catalogue import Catalogue, load_catalogue
from r2pflow.plugins.loading import load_plugins

FLOW = """\
workflow: short
initial: draft
permissions: {view: [secretariat]}
states: {draft: {}, out: {final: true}}
transitions:
  go: {from: [draft], to: out, guard: {require: [{field: scope, is: a}]}}
"""
TYPES = """\
types:
  note:
    title: Note
    code: N
    workflow: short
    languages: {authoritative: en}
    template: paper
    exports: [pdf]
    fields: {scope: {kind: text, title: Scope}}
"""


def load(folder: Path, **files: str) -> Catalogue:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_catalogue(load_plugins(), [folder])


def test_the_shipped_types_have_their_workflows_and_every_title() -> None:
    catalogue = load_catalogue(load_plugins(), [get_folder("workflows")])
    assert {kind.code for kind in catalogue.types.values()} == {"PP", "JS", "CR", "CL"}
    for kind in catalogue.types.values():
        assert [one.name for one in catalogue.chain_of(kind.name)] == [kind.name]
        titles: list[Titles] = [kind.title, kind.plural, kind.description]
        for field in (*kind.fields, *(column for rows in kind.fields for column in rows.columns)):
            titles.append(field.title)
            if field.name != "languages":  # a language is called in itself
                titles += field.choices.values()
            if field.help:
                titles.append(field.help)
        for title in titles:
            assert set(title.by_language) == set(LANGUAGES), title
    launch = catalogue.types["conference_launch"]
    assert "ics" in launch.exports
    sessions = launch.field("sessions")
    assert sessions is not None and {"starts_at", "ends_at"} <= {column.name for column in sessions.columns}


def test_a_folder_is_read(tmp_path: Path) -> None:
    catalogue = load(tmp_path, short=FLOW, documents=TYPES)
    assert list(catalogue.workflows) == ["short"] and list(catalogue.types) == ["note"]


def test_an_older_version_is_read_from_its_source_and_kept(tmp_path: Path) -> None:
    catalogue = load(tmp_path, short=FLOW)
    older = catalogue.read_version(FLOW.replace("out", "gone"), "short version 1")
    assert catalogue.find_version(older.digest) is older
    assert catalogue.find_version(catalogue.workflows["short"].digest) is catalogue.workflows["short"]
    assert catalogue.find_version("nothing") is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("workflow: short", "workflow: shrt", "found the workflow 'shrt'; accepted: short (did you mean 'short'?)"),
        ("template: paper", "template: papyrus", "found the PDF template 'papyrus'; accepted: paper, statement"),
        ("exports: [pdf]", "exports: [pdf, odt]", "found the exporter 'odt'; accepted: pdf, html, json, docx, ics"),
        ("{scope: {", "{scpoe: {", "found the field 'scope', which the document type note lacks; accepted: scpoe"),
    ],
)
def test_a_name_that_nobody_knows_is_refused_at_the_start(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(DefinitionErrors) as caught:
        load(tmp_path, short=FLOW, documents=TYPES.replace(old, new))
    assert told in str(caught.value)
    assert f"{tmp_path}/" in str(caught.value)


def test_what_a_check_calls_an_error_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(DefinitionErrors, match=r"short\.yaml:4:\d+: no transition leaves the state out"):
        load(tmp_path, short=FLOW.replace("out: {final: true}", "out: {}"))


def test_the_errors_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DefinitionErrors) as caught:
        load(tmp_path, one=FLOW.replace("initial: draft", "initial: x"), two="a: [", documents="types: 3")
    assert [Path(error.path).name for error in caught.value.errors] == ["documents.yaml", "one.yaml", "two.yaml"]


def test_a_name_that_two_files_define_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        load(tmp_path, one=FLOW, two=FLOW)
    assert [Path(path).name for path in caught.value.params["paths"]] == ["one.yaml", "two.yaml"]


def test_a_code_that_two_types_bear_is_refused(tmp_path: Path) -> None:
    both = TYPES + TYPES.removeprefix("types:\n").replace("note:", "other:")
    with pytest.raises(DefinitionErrors, match="found the code 'N' at note and other"):
        load(tmp_path, short=FLOW, documents=both)


def test_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="folder_missing"):
        load_catalogue(load_plugins(), [tmp_path / "absent"])
