"""Traces in columns: what of each trace stands where, and which traces are refused or left out."""

import dataclasses

import numpy as np
import pytest

from shgat import InputError, Trace, TraceError, Traces, load_traces
from traces.examples import CATALOG, GOOD, D, write

FULL = {**GOOD, "id": "b", "capability": "c1", "outcome": 0.25, "weight": 2.0, "timestamp": "2026-03-02T10:00:00Z",
        "context_tools": ["t4", "t3", "t4"], "tools": ["t3", "t3"], "anything": {"else": 1}}  # fmt: skip


def rows(incidence):
    return [incidence.row(i).tolist() for i in range(incidence.n_rows)]


def made(n=6, **more):
    return Traces.from_records(
        [{**GOOD, "id": str(i), "intent": f"i{i}", "tools": [f"t{i % 5}"], "outcome": i / 5, **more} for i in range(n)], CATALOG
    )


def test_every_field_has_its_column():
    traces = Traces.from_records([GOOD, FULL, Trace.from_record({**FULL, "id": "ü", "timestamp": 12.5, "intent": None})], CATALOG)
    assert len(traces) == 3
    assert traces.ids.tolist() == ["a", "b", "ü"]
    assert rows(traces.tools) == [[0, 1], [3], [3]]
    assert rows(traces.context) == [[], [3, 4], [3, 4]]
    assert traces.capability.tolist() == [-1, 1, 1]
    assert traces.outcome.tolist() == [1.0, 0.25, 0.25]
    assert traces.weight.tolist() == [1.0, 2.0, 2.0]
    np.testing.assert_array_equal(traces.timestamp, [np.nan, 1772445600.0, 12.5])
    assert list(traces.texts) == ["send it", "send it", ""]
    np.testing.assert_array_equal(traces.intents, np.full((3, D), 0.5, np.float32))
    assert traces.skipped == []


def test_no_traces_are_columns_too():
    traces = Traces.from_records([], CATALOG)
    assert (len(traces), traces.intents.shape, traces.tools.n_rows, list(traces.texts)) == (0, (0, D), 0, [])


def test_what_succeeded_is_relevant_and_nothing_else():
    traces = made()
    assert traces.succeeded.tolist() == [False, False, False, True, True, True]
    assert rows(traces.relevant) == [[], [], [], [3], [4], [0]]


def test_taken_traces_stand_in_the_given_order():
    part = made().take([4, 1])
    assert part.ids.tolist() == ["4", "1"]
    assert list(part.texts) == ["i4", "i1"]
    assert rows(part.tools) == [[4], [1]]
    assert part.outcome.tolist() == pytest.approx([0.8, 0.2])
    assert len(made().take([])) == 0


def test_half_precision_intents_are_given_out_as_float32():
    traces = made()
    halved = dataclasses.replace(traces, intents=traces.intents.astype(np.float16))
    found = halved.vectors(np.array([2, 0]))
    assert (found.dtype, found.shape, found.flags.c_contiguous) == (np.float32, (2, D), True)


@pytest.mark.parametrize(
    "change",
    [
        {"intent": "other"},
        {"tools": []},
        {"context_tools": ["t1"]},
        {"capability": "c0"},
        {"outcome": 0.75},
        {"weight": 2.0},
        {"timestamp": 1.0},
        {"embedding": [0.25] * D},
    ],
)
def test_the_fingerprint_is_of_everything(change):
    assert made().fingerprint == made().fingerprint
    assert made(**change).fingerprint != made().fingerprint
    assert made().take([1, 0]).fingerprint != made(2).fingerprint


def test_the_fingerprint_is_the_same_from_a_file(tmp_path):
    records = [GOOD, FULL]
    assert load_traces(write(tmp_path, *records), CATALOG).fingerprint == Traces.from_records(records, CATALOG).fingerprint


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"id": None}, "trace 1: a trace has an id"),
        ({"id": "a"}, "trace 1: trace id 'a' occurs twice"),
        ({"outcome": 7}, "trace 1: trace 'b': outcome"),
        ({"tools": ["t0", "t9"]}, "trace 1: trace 'b' names the unknown tool 't9'; pass unknown='skip'"),
        ({"context_tools": ["t9"]}, "trace 1: trace 'b' names the unknown tool 't9'"),
        ({"capability": "c9"}, "trace 1: trace 'b' names the unknown capability 'c9'"),
        ({"embedding": None}, "trace 1: trace 'b' has no embedding"),
        ({"embedding": [1.0]}, r"trace 1: the embedding of trace 'b' has shape \(1,\), expected \(8,\)"),
    ],
)
def test_the_first_fault_is_named_by_position_and_id(change, fault):
    with pytest.raises(TraceError, match=fault):
        Traces.from_records([GOOD, {**GOOD, "id": "b", **change}, {**GOOD, "id": "c", "outcome": 9}], CATALOG)


def test_unknown_names_and_missing_embeddings_are_left_out_where_asked():
    records = [{**GOOD, "id": "b", "tools": ["gone"]}, GOOD, {**GOOD, "id": "c", "embedding": None}]
    traces = Traces.from_records(records, CATALOG, unknown="skip")
    assert traces.ids.tolist() == ["a"]
    assert traces.skipped == [("b", "names the unknown tool 'gone'"), ("c", "has no embedding")]
    for other in ({**GOOD, "id": "d", "outcome": 7}, {**GOOD, "id": "d", "embedding": [1.0]}, {**GOOD, "id": "b"}):
        with pytest.raises(InputError):  # anything else is not
            Traces.from_records([*records, other], CATALOG, unknown="skip")


def test_texts_are_one_sequence_in_memory_and_on_the_disk(tmp_path):
    records = [{**GOOD, "id": str(i), "intent": f"i{i}"} for i in range(5)]
    here, there = Traces.from_records(records, CATALOG).texts, load_traces(write(tmp_path, *records), CATALOG).texts
    assert here[1:4] == there[1:4] == ["i1", "i2", "i3"]
    assert here[-1] == there[-1] == "i4"
    assert list(there) == list(here)


RECORDS = [{**GOOD, "id": str(i), "intent": f"i{i}", "tools": [f"t{i % 5}"], "outcome": i / 5} for i in range(6)]


def given_as(holder):
    if holder == "list":
        return RECORDS
    if holder == "iterator":
        return iter(Trace.from_record(r) for r in RECORDS)
    library = pytest.importorskip(holder)
    rows = [{**r, "embedding": list(r["embedding"]), "error": None} for r in RECORDS]
    return library.Table.from_pylist(rows) if holder == "pyarrow" else library.DataFrame(rows)


@pytest.mark.parametrize("holder", ["list", "iterator", "pandas", "polars", "pyarrow"])
def test_records_come_in_whatever_holds_them(holder):
    assert Traces.of(given_as(holder), CATALOG).fingerprint == made().fingerprint


def test_what_holds_no_traces_of_this_catalogue_is_refused():
    traces = made()
    assert Traces.of(traces, CATALOG) is traces
    smaller = CATALOG.without("t4")
    for bad, message in [
        ("traces.jsonl", r"give load_traces\('traces.jsonl', catalog\)"),
        (7, "traces are a list of records"),
        ({"id": "a"}, "traces are a list of records"),
        ([7], "a trace is a record, not int"),
        ([{"intent": "x"}], "a trace has an id"),
    ]:
        with pytest.raises(InputError, match=message):
            Traces.of(bad, CATALOG)
    with pytest.raises(InputError, match="columns of another catalogue"):
        Traces.of(traces, smaller)
    wider = dataclasses.replace(traces, intents=np.ones((6, 2 * D), np.float32))
    with pytest.raises(InputError, match=f"intents of {2 * D} dimensions"):
        Traces.of(wider, CATALOG)
