"""Whatever is done to the XML that Plone ships: it is read, or refused with file, line and column, and soon."""

import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from r2pflow.domain.dcworkflow_reading import read_dcworkflow
from r2pflow.domain.dcworkflow_rolemap import read_rolemap
from r2pflow.domain.dcworkflow_writing import write_dcworkflow
from r2pflow.domain.errors import DefinitionErrors
from r2pflow.domain.lenience import Lenient
from r2pflow.domain.reading import read_workflow
from r2pflow.domain.tables import table
from r2pflow.domain.writing import write_workflow
from tests.plone_files import NAMES, read_definition, read_shipped_rolemap

SHIPPED = st.sampled_from(NAMES).map(read_definition)
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
PIECES = st.sampled_from(
    [
        b"<",
        b">",
        b"/>",
        b"&",
        b"&amp;",
        b"&lol;",
        b'"',
        b"\0",
        b"\xff",
        b"]]>",
        b"<![CDATA[",
        b"<!--",
        b"<?a?>",
        b"\t",
        b"<!DOCTYPE a [<!ENTITY lol 'lol'>]>",
        b"<guard/>",
        b"<state/>",
        b"</state>",
        b" a='b'",
        b"True",
        b"View",
        b"<guard-expression>python: here.a or (</guard-expression>",
        b"<permission>View</permission>",
        "é\u2028".encode(),
    ]
)


def refuses_well(read) -> object:
    """Return what was read, or None where it was refused as it should be."""
    began = time.monotonic()
    try:
        return read()
    except DefinitionErrors as refused:
        assert refused.errors
        for error in refused.errors:
            assert re.match(r"a\.xml:\d+:\d+: .", str(error)), str(error)
        return None
    finally:
        assert time.monotonic() - began < 2


def check_whole_way(raw: bytes) -> None:
    found = refuses_well(lambda: read_dcworkflow(raw, "a.xml"))
    if found is not None:
        text = write_workflow(found.workflow, found.comments)
        back = read_workflow(text, "a.yaml", conditions=Lenient({}), effects=Lenient({}))
        assert table(back) == table(found.workflow)
        try:
            exported = write_dcworkflow(back)
        except DefinitionErrors as refused:
            assert all("accepted: " in error.message for error in refused.errors)
            return
        again = read_dcworkflow(exported.xml.encode(), "again.xml")
        assert table(again.workflow) == table(back)


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(SHIPPED, st.data())
def test_bytes_put_in_or_taken_out(raw, data):
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(start, min(start + 30, len(raw))))
        raw = raw[:start] + data.draw(PIECES | st.binary(max_size=3)) + raw[end:]
    check_whole_way(raw)


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(SHIPPED, st.data())
def test_words_put_for_other_words(raw, data):
    words = sorted(set(re.findall(rb"[A-Za-z_-]+", raw)))
    values = sorted(set(re.findall(rb'"[^"]*"', raw)))
    for _ in range(data.draw(st.integers(1, 4))):
        pool = data.draw(st.sampled_from([words, values]))
        old, new = data.draw(st.sampled_from(pool)), data.draw(st.sampled_from(pool))
        places = [found.start() for found in re.finditer(re.escape(old), raw)]
        if places:
            at = data.draw(st.sampled_from(places))
            raw = raw[:at] + new + raw[at + len(old) :]
    check_whole_way(raw)


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(SHIPPED, st.data())
def test_lines_doubled_dropped_or_moved(raw, data):
    lines = raw.split(b"\n")
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(lines)))
        end = data.draw(st.integers(start, min(start + 25, len(lines))))
        block, to = lines[start:end], data.draw(st.integers(0, len(lines)))
        kind = data.draw(st.sampled_from(["double", "drop", "move"]))
        if kind != "double":
            del lines[start:end]
        if kind != "drop":
            lines[to:to] = block
    check_whole_way(b"\n".join(lines))


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(st.data())
def test_a_role_map_bent_out_of_shape(data):
    raw = read_shipped_rolemap()
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(start + 60, len(raw))))
    raw = raw[:start] + data.draw(PIECES | st.binary(max_size=3)) + raw[end:]
    refuses_well(lambda: read_rolemap(raw, "a.xml"))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_at_all(raw):
    check_whole_way(raw)


HEAD = "<dc-workflow workflow_id='w' initial_state='s0'>"


def states(count: int, inside: str = "") -> str:
    return "".join(f"<state state_id='s{n}'>{inside}</state>" for n in range(count))


@pytest.mark.parametrize(
    "text",
    [
        HEAD + states(15_000) + "</dc-workflow>",
        HEAD + states(4_000) + "".join(f"<permission>p{n}</permission>" for n in range(4_000)) + "</dc-workflow>",
        HEAD + states(1, "".join(f"<exit-transition transition_id='t{n}'/>" for n in range(18_000))) + "</dc-workflow>",
        HEAD
        + states(3_000)
        + "".join(f"<transition transition_id='t{n}' new_state='x{n}'/>" for n in range(9_000))
        + "</dc-workflow>",
        HEAD
        + states(400, "".join(f"<exit-transition transition_id='t{n}'/>" for n in range(40)))
        + "".join(f"<transition transition_id='t{n}' new_state=''/>" for n in range(40))
        + "</dc-workflow>",
        HEAD + states(1) + "<stat/>" * 18_000 + "</dc-workflow>",
        HEAD + states(1, "<a b='c' d='e'/>" * 18_000) + "</dc-workflow>",
        HEAD
        + states(1)
        + "<transition transition_id='t' new_state=''><guard>"
        + "<guard-role>a;b;c;d;e;f;g;h;i;j;k;l;m;n;o;p</guard-role>" * 9_000
        + "</guard></transition></dc-workflow>",
        HEAD
        + states(1)
        + "<transition transition_id='t' new_state=''><guard><guard-role>"
        + ";" * 900_000
        + "</guard-role></guard></transition></dc-workflow>",
        HEAD
        + states(1)
        + "".join(
            f"<transition transition_id='t{n}' new_state=''><guard><guard-expression>python: {'not ' * 150}object.a"
            "</guard-expression></guard></transition>"
            for n in range(900)
        )
        + "</dc-workflow>",
        HEAD + "\n" * 900_000 + "x</dc-workflow>",
        HEAD + "&#10;" * 190_000 + "x</dc-workflow>",
        HEAD + "<!--" + "-" * 900_000,
        HEAD.replace("'w'", "'" + "w" * 900_000 + "'") + states(1) + "</dc-workflow>",
        HEAD + states(1).replace("s0", "s0' title='" + "long " * 180_000) + "</dc-workflow>",
    ],
    ids=range(15),
)
def test_big_files_end_soon(text):
    check_whole_way(text.encode())
