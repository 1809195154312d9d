"""Reading traces: what is accepted, what is refused and how it is named, and that a long file streams."""

import contextlib
import resource
import string
import subprocess
import sys

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shgat import Catalog, InputError, TraceError, Traces, load_traces
from training import planted

D = 8
CATALOG = planted.catalog(np.random.default_rng(0), 5, [((0, 1), ()), ((2,), (0,))], D)
GOOD = {"id": "a", "intent": "send it", "tools": ["t0", "t1"], "embedding": [0.5] * D}


def write(folder, *records, vectors=None):
    path = folder / "traces.jsonl"
    path.write_bytes(b"".join((r if isinstance(r, bytes) else orjson.dumps(r)) + b"\n" for r in records))
    if vectors is not None:
        np.save(folder / "traces.npy", vectors)
    return path


def test_every_field(tmp_path):
    full = {**GOOD, "id": "b", "capability": "c1", "outcome": 0.25, "weight": 2.0, "timestamp": "2026-03-02T10:00:00Z",
            "context_tools": ["t4", "t3", "t4"], "tools": ["t3", "t3"], "anything": {"else": 1}}  # fmt: skip
    traces = load_traces(write(tmp_path, GOOD, full, {**full, "id": "ü", "timestamp": 12.5, "intent": None}), CATALOG)
    assert traces.ids.tolist() == ["a", "b", "ü"]
    assert [list(traces.tools.row(i)) for i in range(3)] == [[0, 1], [3], [3]]
    assert [list(traces.context.row(i)) for i in range(3)] == [[], [3, 4], [3, 4]]
    assert traces.capability.tolist() == [-1, 1, 1]
    assert traces.outcome.tolist() == [1.0, 0.25, 0.25]
    assert traces.weight.tolist() == [1.0, 2.0, 2.0]
    np.testing.assert_array_equal(traces.timestamp, [np.nan, 1772445600.0, 12.5])
    assert list(traces.texts) == ["send it", "send it", ""]
    np.testing.assert_array_equal(traces.intents, np.full((3, D), 0.5, np.float32))


def test_naive_time_stamps_are_utc(tmp_path):
    moments = ["2026-03-02T10:00:00", "2026-03-02T11:00:00+01:00", "2026-03-02"]
    traces = load_traces(write(tmp_path, *({**GOOD, "id": m, "timestamp": m} for m in moments)), CATALOG)
    assert traces.timestamp.tolist() == [1772445600.0, 1772445600.0, 1772409600.0]


BAD = {
    "id missing": ({"id": None}, "the id"),
    "id empty": ({"id": ""}, "the id"),
    "id a number": ({"id": 7}, "the id"),
    "unknown tool": ({"tools": ["t0", "t9"]}, "unknown tool 't9'"),
    "unknown context": ({"context_tools": ["t9"]}, "unknown tool 't9'"),
    "unknown capability": ({"capability": "c9"}, "unknown capability 'c9'"),
    "capability a list": ({"capability": ["c0"]}, "capability is a non-empty string"),
    "capability a number": ({"capability": 3}, "capability"),
    "tools a string": ({"tools": "t0"}, "tools"),
    "tools null": ({"tools": None}, "tools"),
    "a tool is null": ({"tools": [None]}, r"tools\[0\]"),
    "outcome above 1": ({"outcome": 1.5}, "outcome"),
    "outcome below 0": ({"outcome": -0.1}, "outcome"),
    "outcome a word": ({"outcome": "ok"}, "outcome"),
    "outcome true": ({"outcome": True}, "outcome"),
    "weight negative": ({"weight": -1}, "weight"),
    "timestamp a word": ({"timestamp": "yesterday"}, "ISO 8601"),
    "timestamp a list": ({"timestamp": [1]}, "timestamp"),
    "timestamp endless": ({"timestamp": 1e300}, "timestamp"),
    "embedding missing": ({"embedding": None}, "trace 'b' has no embedding"),
    "embedding short": ({"embedding": [1.0]}, r"shape \(1,\), expected \(8,\)"),
    "embedding with null": ({"embedding": [None] * D}, "embedding of trace 'b'"),
    "embedding with words": ({"embedding": ["x"] * D}, "embedding of trace 'b'"),
    "embedding too large": ({"embedding": [1e300] * D}, "NaN or infinity"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_trace_is_refused_by_line_and_name(tmp_path, what):
    change, message = BAD[what]
    bad = {**GOOD, "id": "b", **change}
    with pytest.raises(TraceError, match=message) as error:
        load_traces(write(tmp_path, GOOD, bad), CATALOG)
    assert "line 2" in str(error.value)
    if "id" not in change:
        assert "'b'" in str(error.value)
    with pytest.raises(InputError, match=message):
        Traces.from_records([GOOD, bad], CATALOG)


@pytest.mark.parametrize("line", [b"{", b"[]", b"3", b'"text"', b"null", b"\xff", b'{"id": "b", "id": NaN}', b"{}{}"])
def test_a_line_that_is_no_record(tmp_path, line):
    with pytest.raises(TraceError, match="line 2"):
        load_traces(write(tmp_path, GOOD, line), CATALOG)


def test_an_id_twice(tmp_path):
    with pytest.raises(TraceError, match=r"line 3: trace id 'a' occurs twice"):
        load_traces(write(tmp_path, GOOD, {**GOOD, "id": "b"}, GOOD), CATALOG)


def test_blank_lines_count_for_nothing(tmp_path):
    vectors = np.arange(2 * D, dtype=np.float32).reshape(2, D)
    traces = load_traces(write(tmp_path, GOOD, b"", b"  ", {**GOOD, "id": "b", "intent": "two"}, vectors=vectors), CATALOG)
    np.testing.assert_array_equal(traces.intents, vectors)
    assert list(traces.texts) == ["send it", "two"]


def test_unknown_names_are_skipped_where_asked(tmp_path):
    records = [GOOD, {**GOOD, "id": "b", "tools": ["gone"]}, {**GOOD, "id": "c"}, {**GOOD, "id": "d", "capability": "gone"}]
    vectors = np.arange(4 * D, dtype=np.float32).reshape(4, D)
    traces = load_traces(write(tmp_path, *records, vectors=vectors), CATALOG, unknown="skip")
    assert traces.ids.tolist() == ["a", "c"]
    assert traces.skipped == [("b", "names the unknown tool 'gone'"), ("d", "names the unknown capability 'gone'")]
    np.testing.assert_array_equal(traces.intents, vectors[[0, 2]])
    with pytest.raises(TraceError, match=r"line 2.*'b'.*'gone'"):
        load_traces(tmp_path / "traces.jsonl", CATALOG)
    with pytest.raises(InputError, match="unknown"):
        load_traces(tmp_path / "traces.jsonl", CATALOG, unknown="forget")
    wrong = [GOOD, {**GOOD, "id": "b", "tools": ["gone"]}, {**GOOD, "id": "c", "outcome": 7}]
    with pytest.raises(TraceError, match="outcome"):  # only unknown names are left out
        load_traces(write(tmp_path, *wrong), CATALOG, unknown="skip")


@pytest.mark.parametrize("beside", [True, False])
def test_traces_without_embedding_are_skipped_where_asked(tmp_path, beside):
    vectors = np.arange(3 * D, dtype=np.float32).reshape(3, D)
    vectors[1] = np.nan
    rows = [v.tolist() if i != 1 else None for i, v in enumerate(vectors)]
    records = [{**GOOD, "id": key, "embedding": None if beside else row} for key, row in zip("abc", rows, strict=True)]
    path = write(tmp_path, *records, vectors=vectors if beside else None)
    traces = load_traces(path, CATALOG, unknown="skip")
    assert traces.ids.tolist() == ["a", "c"]
    assert traces.skipped == [("b", "has no embedding")]
    np.testing.assert_array_equal(traces.intents, vectors[[0, 2]])


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.zeros((1, D), np.float32), r"shape \(1, 8\), expected \(2, 8\)"),
        (np.zeros((2, D + 1), np.float32), r"expected \(2, 8\)"),
        (np.zeros((2, D), np.int64), "int64"),
        (np.zeros(16, np.float32), "shape"),
        (np.array([[0.0] * D, [np.nan] * (D - 1) + [0.0]]), "NaN or infinity in row 1"),
        (np.array([[0.0] * D, [np.nan] * D]), r"line 2: trace 'b' has no embedding; pass unknown='skip'"),
        (np.full((2, D), np.inf, np.float16), "NaN or infinity in row 0"),
        (np.full((2, D), 1e300), "NaN or infinity in row 0"),  # of float32
    ],
)
def test_a_matrix_that_does_not_fit(tmp_path, vectors, message):
    with pytest.raises(InputError, match=message):
        load_traces(write(tmp_path, GOOD, {**GOOD, "id": "b"}, vectors=vectors), CATALOG)


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "none.jsonl", tmp_path, "nul\0byte"):
        with pytest.raises(InputError, match="cannot read"):
            load_traces(path, CATALOG)
    (tmp_path / "traces.npy").write_bytes(b"torn")
    with pytest.raises(InputError, match=r"traces\.npy"):
        load_traces(write(tmp_path, GOOD), CATALOG)
    (tmp_path / "traces.npy").unlink()
    with pytest.raises(InputError, match="no embeddings"):
        load_traces(tmp_path / "traces.jsonl", Catalog(CATALOG.tools, CATALOG.capabilities, None, None))


def test_an_empty_file_is_no_traces(tmp_path):
    assert len(load_traces(write(tmp_path), CATALOG)) == 0


def test_take_and_fingerprint(tmp_path):
    records = [{**GOOD, "id": str(i), "intent": f"i{i}", "tools": [f"t{i % 5}"]} for i in range(6)]
    traces = load_traces(write(tmp_path, *records), CATALOG)
    part = traces.take([4, 1])
    assert part.ids.tolist() == ["4", "1"]
    assert list(part.texts) == ["i4", "i1"]
    assert [list(part.tools.row(i)) for i in range(2)] == [[4], [1]]
    again = load_traces(tmp_path / "traces.jsonl", CATALOG)
    assert traces.fingerprint == again.fingerprint != part.fingerprint
    assert Traces.from_records(records, CATALOG).fingerprint == traces.fingerprint


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(string.printable, max_size=8)
    | st.sampled_from(["t0", "t1", "c0", "2026-01-01T00:00:00", "0001-01-01", "9999-12-31T23:59:59-23:59"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
FIELDS = ("id", "intent", "tools", "capability", "outcome", "timestamp", "context_tools", "weight", "embedding")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(FIELDS), json), st.booleans(), st.sampled_from(["skip", "refuse"]))
def test_anything_is_a_trace_or_a_trace_error(tmp_path, change, bare, unknown):
    record = change if bare else {**GOOD, **change}
    path = write(tmp_path, record)
    try:
        traces = load_traces(path, CATALOG, unknown=unknown)
    except TraceError as error:
        assert "line 1" in str(error)  # noqa: PT017
        return
    assert len(traces) + len(traces.skipped) == 1
    assert all(isinstance(t, str) for t in traces.texts)
    assert np.isfinite(traces.intents).all()
    assert ((traces.outcome >= 0) & (traces.outcome <= 1)).all()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_any_bytes_are_traces_or_a_trace_error(tmp_path, data):
    path = tmp_path / "traces.jsonl"
    path.write_bytes(orjson.dumps(GOOD) + b"\n" + data)
    with contextlib.suppress(TraceError):
        assert len(load_traces(path, CATALOG)) >= 1


STREAM = """
import resource, sys
import numpy as np
from shgat import load_traces
from training.test_examples import CATALOG
from shgat import Catalog
import pickle
catalog = pickle.load(open(sys.argv[2], "rb"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
traces = load_traces(sys.argv[1], catalog)
assert isinstance(traces.intents, np.memmap)
assert traces.texts[len(traces) - 1] == f"intent {len(traces) - 1}"
print(len(traces), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
def test_200_000_traces_stream(tmp_path):
    import pickle

    n, d = 200_000, 256  # 100 MB of float16 intents, which stay on disk
    catalog = planted.catalog(np.random.default_rng(0), 50, [((0, 1), ())], d)
    (tmp_path / "catalog").write_bytes(pickle.dumps(catalog))
    with (tmp_path / "traces.jsonl").open("wb") as file:
        for i in range(n):
            record = {"id": f"x{i}", "intent": f"intent {i}", "tools": [f"t{i % 50}"], "note": "x" * 200}
            file.write(orjson.dumps(record) + b"\n")
    matrix = np.lib.format.open_memmap(tmp_path / "traces.npy", "w+", np.float16, (n, d))
    for start in range(0, n, 10_000):
        matrix[start : start + 10_000] = 0.5
    matrix.flush()
    del matrix
    found = subprocess.run(
        [sys.executable, "-c", STREAM, str(tmp_path / "traces.jsonl"), str(tmp_path / "catalog")], check=True, capture_output=True,
        text=True, env={"PYTHONPATH": str(planted.__file__).rsplit("/", 2)[0], "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    count, grown = found.stdout.split()
    assert int(count) == n
    assert float(grown) < 250  # MB; mapped pages count, the text of 60 MB does not stay
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0
