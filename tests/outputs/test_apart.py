"""Exports in a process of their own."""

import time

import pytest

from r2pflow.domain.errors import InvalidInput, SetupError
from r2pflow.domain.printable import Printable
from r2pflow.domain.text import canonical
from r2pflow.outputs.apart import export_apart
from r2pflow.plugins.registry import Exporter

PRINTABLE = Printable("en", "Act early", canonical("<h1>Act early</h1><p>Warnings come first.</p>"))


def shout(printable: Printable) -> bytes:
    print("a library that talks")
    return printable.title.upper().encode()


def refuse(printable: Printable) -> bytes:
    raise InvalidInput("address_not_allowed", found="file:///etc/passwd")


def fail(printable: Printable) -> bytes:
    raise ValueError("no such thing")


def sleep(printable: Printable) -> bytes:
    time.sleep(30)
    return b""


def exporter(name: str) -> Exporter:
    return Exporter(name, f"tests.outputs.test_apart:{name}", "text/plain", "txt", "Text", "tests")


def test_a_file_comes_back_whole_whatever_is_printed_meanwhile() -> None:
    assert export_apart(exporter("shout"), PRINTABLE) == b"ACT EARLY"


def test_what_the_exporter_refuses_is_refused_here_with_its_parameters() -> None:
    with pytest.raises(InvalidInput) as caught:
        export_apart(exporter("refuse"), PRINTABLE)
    assert (caught.value.code, caught.value.params) == ("address_not_allowed", {"found": "file:///etc/passwd"})


def test_an_exporter_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(SetupError) as caught:
        export_apart(exporter("fail"), PRINTABLE)
    assert caught.value.code == "export_failed" and "no such thing" in str(caught.value.params["found"])


def test_an_exporter_that_is_missing_is_told() -> None:
    with pytest.raises(SetupError) as caught:
        export_apart(exporter("missing"), PRINTABLE)
    assert caught.value.code == "plugin_target_missing"


def test_an_exporter_that_takes_too_long_is_stopped() -> None:
    begun = time.monotonic()
    with pytest.raises(SetupError) as caught:
        export_apart(exporter("sleep"), PRINTABLE, timeout=1)
    assert caught.value.code == "export_failed" and time.monotonic() - begun < 10
