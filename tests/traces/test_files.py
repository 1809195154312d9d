"""Files of traces: exact round trips, what is accepted, what is refused and how it is named, and that a long file streams."""

import contextlib
import dataclasses
import pickle
import resource
import string
import subprocess
import sys
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import special_files
from shgat import Catalog, InputError, Trace, TraceError, Traces, load_traces
from shgat.traces import read_traces, write_traces
from traces.examples import CATALOG, GOOD, D, any_trace, columns, make_trace, write
from training import planted

ENDINGS = ["jsonl", "parquet", "csv"]
TESTS = Path(__file__).parent.parent
FUZZ = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", special_files.NAMES)
@pytest.mark.parametrize("ending", [*ENDINGS, "npy"])
def test_what_is_no_file_is_refused_at_once(tmp_path, name, ending):
    path = tmp_path / ("x.jsonl" if ending == "npy" else f"x.{ending}")
    if ending == "npy":
        path.write_bytes(b'{"id": "a"}\n')
    special_files.make(tmp_path, name, f"x.{ending}")
    for read in (lambda: load_traces(path, CATALOG), lambda: list(read_traces(path))):
        with pytest.raises(InputError, match=r"cannot read .*: (.*expected a|.*symbolic links)"):
            read()


def known(n=30):
    """Traces that name nothing but what the catalogue has."""
    rng = np.random.default_rng(1)
    moments = rng.uniform(0, 1e9, n)
    return [
        make_trace(
            i,
            tools=[f"t{t}" for t in rng.integers(0, 5, i % 4)],
            context_tools=[f"t{t}" for t in rng.integers(0, 5, i % 3)],
            capability=(None, "c0", "c1")[i % 3],
            intent=("", "find thé thing", "\u2028 №")[i % 3],
            timestamp=None if i % 5 == 0 else moments[i],
        )
        for i in range(n)
    ]


@pytest.mark.parametrize("ending", ENDINGS)
@FUZZ
@given(traces=st.lists(any_trace, max_size=3))
def test_any_traces_come_back_as_they_went(tmp_path, ending, traces):
    path = tmp_path / f"x.{ending}"
    assert write_traces(path, iter(traces), D) == len(traces)
    found = dict(read_traces(path, D))
    assert list(found) == list(range(1, len(traces) + 1))
    assert [columns(t) for t in found.values()] == [columns(t) for t in traces]


@pytest.mark.parametrize("ending", ENDINGS)
def test_traces_of_texts_alone_have_no_matrix(tmp_path, ending):
    path = tmp_path / f"x.{ending}"
    write_traces(path, known(), D)
    assert write_traces(path, known(), None) == len(known())
    assert not path.with_suffix(".npy").exists()
    found = [trace for _, trace in read_traces(path)]
    assert [trace.id for trace in found] == [trace.id for trace in known()]
    assert all(trace.embedding is None for trace in found)


def test_the_columns_are_the_same_from_either_kind_of_file(tmp_path):
    write_traces(tmp_path / "x.jsonl", known(), D)
    write_traces(tmp_path / "x.parquet", known(), D)
    write_traces(tmp_path / "x.csv", known(), D)
    lines, rows, cells = (load_traces(tmp_path / f"x.{ending}", CATALOG) for ending in ENDINGS)
    assert lines.fingerprint == rows.fingerprint == cells.fingerprint == Traces.from_records(known(), CATALOG).fingerprint
    assert lines.weight.tolist() == rows.weight.tolist() == np.float32([t.weight for t in known()]).tolist()
    assert isinstance(lines.intents, np.memmap)


@pytest.fixture(params=ENDINGS)
def with_gaps(request, tmp_path):
    """A file of the known traces, after the first of which stand one of an unknown tool and one without an embedding."""
    path = tmp_path / f"x.{request.param}"
    gone, bare = make_trace(100, tools=["gone"], context_tools=[]), make_trace(101, tools=[], context_tools=[], embedding=None)
    first, *others = known()
    write_traces(path, [first, gone, dataclasses.replace(bare, capability=None), *others], D)
    return path


def test_the_same_traces_are_left_out_of_either_kind_of_file(with_gaps):
    found = load_traces(with_gaps, CATALOG, unknown="skip")
    assert found.skipped == [("t100", "names the unknown tool 'gone'"), ("t101", "has no embedding")]
    assert found.fingerprint == Traces.from_records(known(), CATALOG).fingerprint


def test_either_kind_of_file_is_named_with_the_place_of_the_first_fault(with_gaps):
    with pytest.raises(TraceError, match=rf"{with_gaps.name}, (line|row) 2.*'t100' names the unknown tool 'gone'"):
        load_traces(with_gaps, CATALOG)


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_traces_are_a_file_too(tmp_path, ending):
    path = tmp_path / f"x.{ending}"
    assert write_traces(path, [], D) == 0
    assert list(read_traces(path, D)) == []
    assert len(load_traces(path, CATALOG)) == 0


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_interrupted_leaves_the_old_files(tmp_path, ending):
    path = tmp_path / f"x.{ending}"
    write_traces(path, [make_trace(1)], D)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def torn():
        yield from (make_trace(i) for i in range(5000))
        raise KeyError

    with pytest.raises(KeyError):
        write_traces(path, torn(), D)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize("ending", ENDINGS)
def test_another_dimension_is_an_error_of_its_row_and_none_is_any(tmp_path, ending):
    path = tmp_path / f"x.{ending}"
    if ending == "jsonl":
        write(tmp_path, GOOD, {**GOOD, "id": "b", "embedding": [1.0, 2.0]}).rename(path)
    elif ending == "csv":
        path.write_text(f'id,embedding\na,"{[0.5] * D}"\nb,"[1.0, 2.0]"\n')
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({"id": ["a", "b"], "embedding": [[0.5] * D, [1.0, 2.0]]}), path)
    first, second = (item for _, item in read_traces(path, D))
    assert isinstance(first, Trace)
    assert str(second) == "trace 'b': embedding has 2 dimensions, expected 8"
    assert [len(item.embedding) for _, item in read_traces(path)] == [D, 2]


@pytest.mark.parametrize("ending", ENDINGS)
def test_paths_that_do_not_work_are_named(tmp_path, ending):
    for read in (lambda path: list(read_traces(path)), lambda path: load_traces(path, CATALOG)):
        with pytest.raises(InputError, match="cannot read"):
            read(tmp_path / f"none.{ending}")
        with pytest.raises(InputError, match="nul\0byte"):
            read(f"nul\0byte.{ending}")
    for path in (tmp_path / "none" / f"x.{ending}", f"nul\0byte.{ending}"):
        with pytest.raises(InputError, match="cannot write"):
            write_traces(path, [make_trace()], D)
    assert list(tmp_path.iterdir()) == []


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"x\.tsv: .* ends in \.jsonl, \.csv or \.parquet"):
        read_traces(tmp_path / "x.tsv")
    with pytest.raises(InputError, match=r"ends in \.jsonl, \.csv or \.parquet"):
        write_traces(tmp_path / "x.tsv", [], D)


BAD = {
    "id missing": ({"id": None}, "a trace has an id"),
    "id a number": ({"id": 7}, "the id"),
    "unknown tool": ({"tools": ["t0", "t9"]}, "unknown tool 't9'"),
    "unknown context": ({"context_tools": ["t9"]}, "unknown tool 't9'"),
    "unknown capability": ({"capability": "c9"}, "unknown capability 'c9'"),
    "tools null": ({"tools": None}, "tools"),
    "outcome above 1": ({"outcome": 1.5}, "outcome"),
    "intent with NUL": ({"intent": "\0"}, r"U\+0000"),
    "timestamp a word": ({"timestamp": "yesterday"}, "ISO 8601"),
    "embedding missing": ({"embedding": None}, "trace 'b' has no embedding"),
    "embedding short": ({"embedding": [1.0]}, r"shape \(1,\), expected \(8,\)"),
    "embedding with null": ({"embedding": [None] * D}, "'b': embedding is not an array of numbers"),
    "embedding too large": ({"embedding": [1e300] * D}, "NaN or infinity"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_trace_is_refused_by_line_and_name(tmp_path, what):
    change, message = BAD[what]
    with pytest.raises(TraceError, match=message) as error:
        load_traces(write(tmp_path, GOOD, {**GOOD, "id": "b", **change}), CATALOG)
    assert "traces.jsonl, line 2: " in str(error.value)
    if "id" not in change:
        assert "'b'" in str(error.value)


@pytest.mark.parametrize("line", [b"{", b"[]", b"3", b'"text"', b"null", b"\xff", b'{"id": "b", "id": NaN}', b"{}{}"])
def test_a_line_that_is_no_record_is_refused(tmp_path, line):
    with pytest.raises(TraceError, match="line 2"):
        load_traces(write(tmp_path, GOOD, line), CATALOG)


def test_an_id_twice_is_refused(tmp_path):
    with pytest.raises(TraceError, match=r"line 3: trace id 'a' occurs twice"):
        load_traces(write(tmp_path, GOOD, {**GOOD, "id": "b"}, GOOD), CATALOG)


def test_blank_lines_count_for_nothing(tmp_path):
    vectors = np.arange(2 * D, dtype=np.float32).reshape(2, D)
    traces = load_traces(write(tmp_path, GOOD, b"", b"  ", {**GOOD, "id": "b", "intent": "two"}, vectors=vectors), CATALOG)
    np.testing.assert_array_equal(traces.intents, vectors)
    assert list(traces.texts) == ["send it", "two"]
    assert list(traces.take([1, 0]).texts) == ["two", "send it"]


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
        (
            np.array([[0.0] * D, [np.nan] * (D - 1) + [0.0]]),
            r"line 2: traces\.npy holds NaN, infinity or more than 1e\+15 in row 1",
        ),
        (np.array([[0.0] * D, [np.nan] * D]), r"line 2: trace 'b' has no embedding; pass unknown='skip'"),
        (np.full((2, D), np.inf, np.float16), r"line 1: traces\.npy holds NaN, infinity or more than 1e\+15 in row 0"),
        (np.full((2, D), 1e300), r"line 1: .* in row 0"),  # infinity as float32
        (np.full((2, D), 2e15, np.float32), r"line 1: .* in row 0"),
    ],
)
def test_a_matrix_that_does_not_fit_is_refused(tmp_path, vectors, message):
    with pytest.raises(InputError, match=message):
        load_traces(write(tmp_path, GOOD, {**GOOD, "id": "b"}, vectors=vectors), CATALOG)


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        load_traces(tmp_path, CATALOG)
    (tmp_path / "traces.npy").write_bytes(b"torn")
    with pytest.raises(InputError, match=r"traces\.npy"):
        load_traces(write(tmp_path, GOOD), CATALOG)
    (tmp_path / "traces.npy").unlink()
    with pytest.raises(InputError, match="no embeddings"):
        load_traces(tmp_path / "traces.jsonl", Catalog(CATALOG.tools, CATALOG.capabilities, None, None))


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(string.printable, max_size=8)
    | st.sampled_from(["t0", "t1", "c0", "2026-01-01T00:00:00", "0001-01-01", "9999-12-31T23:59:59-23:59"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
FIELDS = (
    "id",
    "intent",
    "tools",
    "capability",
    "outcome",
    "timestamp",
    "context_tools",
    "weight",
    "embedding",
    "priority",
    "error",
)


@settings(FUZZ, max_examples=200)
@given(st.dictionaries(st.sampled_from(FIELDS), json), st.booleans(), st.sampled_from(["skip", "refuse"]))
def test_anything_is_a_trace_or_a_trace_error(tmp_path, change, bare, unknown):
    path = write(tmp_path, change if bare else {**GOOD, **change})
    try:
        traces = load_traces(path, CATALOG, unknown=unknown)
    except TraceError as error:
        assert "line 1" in str(error)  # noqa: PT017
        return
    assert len(traces) + len(traces.skipped) == 1
    assert all(isinstance(t, str) for t in traces.texts)
    assert np.isfinite(traces.intents).all()
    assert ((traces.outcome >= 0) & (traces.outcome <= 1)).all()


@FUZZ
@given(st.binary(max_size=60))
def test_any_bytes_are_traces_or_a_trace_error(tmp_path, data):
    path = tmp_path / "traces.jsonl"
    path.write_bytes(orjson.dumps(GOOD) + b"\n" + data)
    with contextlib.suppress(TraceError):
        assert len(load_traces(path, CATALOG)) >= 1


STREAM = """
import pickle, resource, sys
import numpy as np
from shgat import load_traces
catalog = pickle.load(open(sys.argv[2], "rb"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
traces = load_traces(sys.argv[1], catalog)
assert isinstance(traces.intents, np.memmap)
assert traces.texts[len(traces) - 1] == f"intent {len(traces) - 1}"
print(len(traces), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
def test_200_000_traces_stream(tmp_path):
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
        text=True,
    )  # fmt: skip
    count, grown = found.stdout.split()
    assert int(count) == n
    assert float(grown) < 250  # MB; mapped pages count, the text of 60 MB does not stay
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_what_made_the_embeddings_goes_with_the_traces(tmp_path, ending):
    path = tmp_path / f"t.{ending}"
    made = [
        Trace(id="a", intent="x", embedding=np.ones(8, np.float32), encoder="E5"),
        Trace(id="b", intent="y", embedding=np.ones(8, np.float32)),
    ]
    write_traces(path, made, 8)
    assert [trace.encoder for _, trace in read_traces(path)] == ["E5", ""]
    for encoder, fits in (("E5", True), ("", True), ("E5::small", True), ("MiniLM", False)):
        catalog = Catalog.from_records([{"id": "t", "embedding": np.ones(8)}], encoder=encoder)
        if fits:
            assert len(load_traces(path, catalog)) == 2
        else:
            with pytest.raises(TraceError, match=r"'E5'.*'MiniLM': make both by one"):
                load_traces(path, catalog, unknown="skip")
