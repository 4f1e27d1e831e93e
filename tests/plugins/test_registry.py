"""What plugins register, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from r2pflow.domain.conditions import BUILT_IN_CONDITIONS
from r2pflow.domain.errors import SetupError
from r2pflow.domain.parameters import read_signature
from r2pflow.plugins import signals
from r2pflow.plugins.builtin import register
from r2pflow.plugins.loading import load_plugins
from r2pflow.plugins.registry import Registry


def never(*given: Any) -> None:
    return None


def test_the_built_ins_come_through_the_same_door() -> None:
    registry = load_plugins()
    assert registry.conditions.keys() >= BUILT_IN_CONDITIONS.keys()
    assert registry.effects.keys() >= {"notify_members", "notify_steering", "publish", "announce", "open_translation"}
    assert registry.exporters.keys() >= {"pdf", "html", "json", "docx", "ics"}
    assert registry.pdf_templates.keys() >= {"paper", "statement", "report", "programme"}
    assert registry.conditions["has_text"].provider.startswith("r2pflow")


@pytest.mark.parametrize("kind", ["condition", "effect", "exporter", "pdf_template"])
def test_a_name_that_two_plugins_give_is_refused_naming_both(kind: str) -> None:
    registry = Registry()
    more = {"exporter": (never, "text/plain", "txt", "Text"), "pdf_template": ()}.get(kind, (never,))
    with registry.provided_by("first 1.0"):
        getattr(registry, kind)("same", *more)
    with registry.provided_by("second 2.0"), pytest.raises(SetupError) as caught:
        getattr(registry, kind)("same", *more)
    assert caught.value.code == "plugin_name_taken"
    assert caught.value.params["providers"] == ["first 1.0", "second 2.0"]
    assert caught.value.params["name"] == "same"


@pytest.mark.parametrize("name", ["any", "all", "not", "field", "is"])
def test_a_condition_cannot_take_a_word_of_the_format(name: str) -> None:
    with pytest.raises(SetupError, match="plugin_name_reserved"):
        Registry().condition(name, never)


def test_a_condition_that_reads_unknown_facts_is_refused() -> None:
    with pytest.raises(SetupError, match="weather"):
        Registry().condition("sunny", never, needs=("weather",))


def test_a_dotted_name_is_imported_when_it_is_needed() -> None:
    registry = Registry()
    registry.effect("join", "os.path:join")
    registry.effect("gone", "no_such_package:run")
    registry.effect("typo", "os.path:jion")
    registry.effect("word", "os.path:sep")
    assert registry.effects["join"].get_function()("a", "b") == str(Path("a") / "b")
    for name in ("gone", "typo", "word"):
        with pytest.raises(SetupError, match=name):
            registry.effects[name].get_function()


def test_registering_the_built_ins_twice_is_refused() -> None:
    registry = Registry()
    register(registry)
    with pytest.raises(SetupError, match="plugin_name_taken"):
        register(registry)


def test_a_function_handed_to_the_extension_is_a_plugin_too() -> None:
    def bring(registry: Registry) -> None:
        registry.condition("own", never)

    provider = load_plugins([bring]).conditions["own"].provider
    assert provider.endswith("bring")


def test_signals_announce_to_whoever_listens() -> None:
    heard: list[str] = []

    def listen(sender: Any, transition: str, **more: Any) -> None:
        heard.append(transition)

    with signals.transition_fired.connected_to(listen):
        signals.transition_fired.send(None, transition="publish", document_id=1)
    signals.transition_fired.send(None, transition="withdraw", document_id=1)
    assert heard == ["publish"]


def test_the_built_in_effects_take_what_was_said_of_them_unread() -> None:
    for effect in load_plugins().effects.values():
        assert read_signature(effect.get_function(), given=3) == effect.parameters, effect.name


def test_an_effect_named_by_text_is_imported_when_its_parameters_are_asked_for() -> None:
    registry = Registry()
    registry.effect("gone", "no_such_package:run")
    registry.effect("wrong", "json:dumps")
    with pytest.raises(SetupError, match="plugin_target_missing"):
        _ = registry.effects["gone"].parameters
    with pytest.raises(SetupError, match="parameters of its own stand after"):
        _ = registry.effects["wrong"].parameters


@pytest.mark.parametrize("kind", ["condition", "effect"])
def test_a_function_whose_signature_does_not_fit_is_refused_at_once(kind: str) -> None:
    with pytest.raises(SetupError, match="plugin_bad"):
        getattr(Registry(), kind)("wrong", lambda argument: None)
