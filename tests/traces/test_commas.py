"""Traces as comma-separated values: what cells mean, and what is wrong with them."""

import contextlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shgat import InputError, Trace, TraceError
from shgat.traces import read_traces, write_traces
from traces.examples import D, columns, make_trace

HEAD = "id,intent,tools,outcome,session,step,timestamp,anything"


def read(folder, *lines, head=HEAD):
    path = folder / "x.csv"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8-sig")
    return dict(read_traces(path))


def test_cells_are_fields_and_empty_ones_are_absent(tmp_path):
    found = read(tmp_path, 'a,"send it, now",fs.read,0.5,s,0,2026-03-02T10:00:00Z,x', 'b,,"[""t0"", ""t1""]",,,,1772445600,')
    assert columns(found[1]) == columns(
        Trace(id="a", intent="send it, now", tools=("fs.read",), outcome=0.5, session="s", step=0, timestamp=1772445600)
    )
    assert columns(found[2]) == columns(Trace(id="b", tools=("t0", "t1"), timestamp=1772445600))


def test_a_row_that_is_no_trace_is_an_error_and_the_others_are_traces(tmp_path):
    found = read(tmp_path, "a,,,,,,,", ",,,,,,,", "c,,,much,,,,", 'd,,"[t0",,,,,', "e,,,,,1.5,,", "f,,,2,s,3,,", "g,,,,,,,")
    said = {number: str(item) for number, item in found.items() if isinstance(item, TraceError)}
    assert [item.id for item in found.values() if isinstance(item, Trace)] == ["a", "g"]
    assert said[2] == "a trace has an id"
    assert said[3] == "outcome is a number, not 'much'"
    assert said[4].startswith("tools is no JSON list")
    assert said[5] == "step is a number, not '1.5'"
    assert said[6].startswith("trace 'f' (session 's', step 3): outcome lies in [0, 1]")


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"x\.csv has no column 'id'"):
        read(tmp_path, "a", head="name")
    (tmp_path / "x.csv").write_bytes(b"id\n\xff\n")
    with pytest.raises(TraceError, match="cannot read"):
        list(read_traces(tmp_path / "x.csv"))


def test_embeddings_are_inline_or_beside(tmp_path):
    (inline,) = read(tmp_path, 'a,"[1, 2]"', head="id,embedding").values()
    assert inline.embedding.tolist() == [1.0, 2.0]
    np.save(tmp_path / "x.npy", np.full((1, 3), 0.5))
    (beside,) = read(tmp_path, 'a,"[1, 2]"', head="id,embedding").values()
    assert beside.embedding.tolist() == [0.5] * 3
    with pytest.raises(TraceError, match=r"x\.npy has shape \(1, 3\), expected \(2, 3\)"):
        read(tmp_path, "a,", "b,", head="id,embedding")


def test_lines_within_a_cell_come_back(tmp_path):
    trace = make_trace(1, intent='one\r\ntwo "three"\n', error="a,b")
    write_traces(tmp_path / "x.csv", [trace], D)
    assert [columns(t) for _, t in read_traces(tmp_path / "x.csv")] == [columns(trace)]


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_any_bytes_are_traces_or_an_error(tmp_path, data):
    path = tmp_path / "x.csv"
    path.write_bytes(b"id,tools,step\n" + data)
    with contextlib.suppress(InputError):
        assert all(isinstance(item, (Trace, TraceError)) for _, item in read_traces(path))
