"""What a rendering may open, what it says when something is missing, and that it does the same twice."""

import dataclasses
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from r2pflow.domain.errors import InvalidInput, SetupError
from r2pflow.domain.text import Block
from r2pflow.outputs import assets, pdf

HERE = Path(__file__).parent

RENDER_TWO = """
import hashlib, runpy, sys
make = runpy.run_path(sys.argv[1])["make_edition"]
from r2pflow.outputs import pdf
for language in sys.argv[2:]:
    print(language, hashlib.sha256(pdf.render_pdf(make("joint_statement", language))).hexdigest())
"""


def render_elsewhere(seed: str, *languages: str) -> dict[str, str]:
    told = subprocess.run(
        [sys.executable, "-c", RENDER_TWO, str(HERE / "conftest.py"), *languages],
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split() for line in told.stdout.splitlines())


def test_two_processes_write_the_same_bytes(edition):
    first, second = render_elsewhere("1", "ar", "zh", "en"), render_elsewhere("2", "en", "zh", "ar")
    assert first == second
    here = hashlib.sha256(pdf.render_pdf(edition("joint_statement", "en"))).hexdigest()
    assert first["en"] == here


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "http://127.0.0.1:9/x.png",
        "https://example.org/x.png",
        "ftp://example.org/x",
        "r2pflow:secret",
    ],
)
def test_no_address_is_opened(address, edition):
    printable = edition("joint_statement", "en", decision=None)
    hostile = Block("x", "paragraph", f'<p><img src="{address}" alt="x"/></p>')
    with pytest.raises(InvalidInput) as caught:
        pdf.render_pdf(dataclasses.replace(printable, blocks=(printable.blocks[0], hostile)))
    assert caught.value.code == "address_not_allowed"


@pytest.mark.parametrize("address", ["secret.png", "/etc/passwd", "//example.org/x", ""])
def test_an_address_without_scheme_is_refused(address):
    from weasyprint.urls import FatalURLFetchingError

    with pytest.raises(FatalURLFetchingError):
        assets.make_fetcher().fetch(address)


@pytest.mark.parametrize(("address", "content"), [("data:,a%20b", b"a b"), ("data:image/png;base64,AAEC", b"\0\1\2")])
def test_data_addresses_are_read(address, content):
    assert assets.make_fetcher().fetch(address).read() == content


def test_a_missing_font_is_named(tmp_path, monkeypatch):
    (tmp_path / "fonts").mkdir()
    for name in assets.FONT_FILES[1:]:
        (tmp_path / "fonts" / name).touch()
    monkeypatch.setattr(assets, "get_assets", lambda: tmp_path)
    with pytest.raises(SetupError) as caught:
        assets.get_fonts()
    assert caught.value.code == "fonts_missing"
    assert caught.value.params["what"] == assets.FONT_FILES[0]
    assert caught.value.params["remedy"] == "make setup"


def test_a_missing_native_library_is_named(tmp_path):
    (tmp_path / "weasyprint.py").write_text("raise OSError(\"cannot load library 'libpango-1.0-0'\")")
    program = (
        "from r2pflow.outputs import pdf\n"
        "from r2pflow.domain.errors import SetupError\n"
        "try: pdf.warm()\n"
        "except SetupError as error: print(error.code, error.params)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.startswith("native_library_missing") and "libpango" in told.stdout
    assert "apt-get install" in told.stdout


def test_importing_the_outputs_does_not_load_weasyprint():
    program = "import sys, r2pflow.outputs.exporters as e; print('weasyprint' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_a_plugin_brings_its_own_template(tmp_path, edition):
    (tmp_path / "letter.html").write_text("{% extends 'base.html' %}{% block facts %}<p>Ours</p>{% endblock %}")
    assert "<p>Ours</p>" in pdf.render_html(edition("joint_statement", "en"), tmp_path / "letter.html")
