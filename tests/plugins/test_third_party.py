"""A package that nobody here has written is installed, found, and its names work in a workflow."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from r2pflow.domain.errors import DefinitionErrors, SetupError
from r2pflow.plugins.catalogue import load_catalogue
from r2pflow.plugins.loading import load_plugins

PLUGIN = """
from pathlib import Path

def has_sponsor(facts, actor, *, at_least: int):
    found = facts.fields.get("sponsors", [])
    return None if len(found) >= at_least else {"count": len(found)}

def tweet(work, subject, outcome, *, text: str):
    pass

def register(registry):
    registry.condition("has_sponsor", has_sponsor)
    registry.effect("tweet", tweet)
    registry.exporter("txt", lambda *given: b"", "text/plain", "txt", "Plain text")
    registry.pdf_template("flyer", Path(__file__).parent / "flyer.html")
    registry.workflows(Path(__file__).parent / "flows")
"""
FLOW = """\
workflow: campaign
initial: draft
permissions: {view: [secretariat]}
states: {draft: {}, out: {final: true}}
transitions:
  go:
    from: [draft]
    to: out
    guard: {require: [{has_sponsor: {at_least: 2}}]}
    effects: [{tweet: hello}]
"""
TYPES = """\
types:
  flyer:
    title: Flyer
    code: FL
    workflow: campaign
    languages: {authoritative: en}
    template: flyer
    exports: [txt, pdf]
"""

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution as a tool would: a module, and beside it its dist-info."""
    modules: list[str] = []

    def make(module: str, source: str, target: str = "register", **files: str) -> Path:
        site = tmp_path / "site"
        package = site / module
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(source, encoding="utf-8")
        for name, text in files.items():
            path = package / name.replace("__", "/").replace("_yaml", ".yaml")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        info = site / f"{module}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.2\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[r2pflow.plugins]\n{module} = {module}:{target}\n", encoding="utf-8")
        monkeypatch.syspath_prepend(str(site))
        importlib.invalidate_caches()
        modules.append(module)
        return package

    yield make
    for module in modules:
        sys.modules.pop(module, None)


def test_a_third_party_plugin_brings_condition_effect_exporter_type_and_workflow(install: Install) -> None:
    install("campaigning", PLUGIN, flows__campaign_yaml=FLOW, flows__documents_yaml=TYPES)
    registry = load_plugins()
    assert registry.conditions["has_sponsor"].provider == "campaigning 1.2"
    catalogue = load_catalogue(registry, [])
    assert [one.name for one in catalogue.chain_of("flyer")] == ["campaign"]
    (test,) = catalogue.workflows["campaign"].transitions["go"].guard.require
    assert (test.name, test.argument) == ("has_sponsor", 2)


def test_an_argument_that_the_plugin_does_not_take_is_refused_when_the_file_is_read(install: Install) -> None:
    text = FLOW.replace("{at_least: 2}", "{at_least: two}")
    install("campaigning", PLUGIN, flows__campaign_yaml=text)
    with pytest.raises(DefinitionErrors, match=r"campaign\.yaml:9:48: .*found 'two'; accepted: a whole number"):
        load_catalogue(load_plugins(), [])


def test_a_plugin_that_takes_a_built_in_name_is_refused_naming_both(install: Install) -> None:
    install("greedy", "def register(registry):\n    registry.effect('publish', print)\n")
    with pytest.raises(SetupError) as caught:
        load_plugins()
    assert caught.value.params["providers"][1] == "greedy 1.2"
    assert caught.value.params["providers"][0].startswith("r2pflow")


@pytest.mark.parametrize(
    ("source", "target", "code"),
    [
        ("import no_such_package", "register", "plugin_not_importable"),
        ("raise RuntimeError('at import')", "register", "plugin_not_importable"),
        ("", "register", "plugin_not_importable"),
        ("register = 3", "register", "plugin_target_not_callable"),
        ("def register(registry):\n    raise KeyError('x')", "register", "plugin_failed"),
        ("def register(registry):\n    registry.condition('x')", "register", "plugin_failed"),
    ],
)
def test_a_broken_plugin_is_named(install: Install, source: str, target: str, code: str) -> None:
    install("broken", source, target)
    with pytest.raises(SetupError) as caught:
        load_plugins()
    assert caught.value.code == code
    assert caught.value.params["provider"] == "broken 1.2"
