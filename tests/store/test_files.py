"""Traces as files: exact round trips, and bad rows refused by their number while all others are taken."""

import contextlib

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shgat.errors import InputError, StoreError
from shgat.store import Store, export_traces, import_traces

D = 8
ENDINGS = ["jsonl", "parquet"]


@pytest.fixture
def other(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/other.db", D) as store:
        yield store


@pytest.fixture
def traces(make_trace):
    rng = np.random.default_rng(3)
    extremes = np.float32([0, -0.0, 1e-45, 1e15, -1e15, 1 / 3, 1, -1])
    return [
        *(make_trace(i, embedding=rng.standard_normal(D).astype(np.float32), priority=i / 7) for i in range(1, 2100)),
        make_trace(5000, embedding=None, capability=None, decision_id=None, duration_ms=None, tools=(), error="é\n\u2028"),
        make_trace(5001, embedding=extremes, priority=None, created_at=0.1 + 0.2, outcome=1e-300, context_tools=()),
    ]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_round_trip_is_exact(store, other, traces, columns, tmp_path, ending):
    path = tmp_path / f"traces.{ending}"
    for start in range(0, len(traces), 500):
        store.add_traces(traces[start : start + 500])
    assert export_traces(store, path) == len(traces)
    report = import_traces(other, path)
    assert (report.added, report.present, report.refused) == (len(traces), 0, 0)
    assert [columns(t) for t in other.traces()] == [columns(t) for t in store.traces()]
    again = import_traces(other, path)
    assert (again.added, again.present, again.refused) == (0, len(traces), 0)
    assert {p.name for p in tmp_path.glob("traces*")} <= {f"traces.{ending}", "traces.npy"}
    assert not list(tmp_path.glob(".traces*"))


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_empty_store_makes_an_empty_file(store, other, tmp_path, ending):
    path = tmp_path / f"traces.{ending}"
    assert export_traces(store, path) == 0
    assert import_traces(other, path).added == 0


def test_the_matrix_is_aligned_with_the_lines(store, make_trace, tmp_path):
    store.add_traces([make_trace(0), make_trace(1, embedding=None)])
    export_traces(store, tmp_path / "x.jsonl")
    lines = [orjson.loads(line) for line in (tmp_path / "x.jsonl").read_bytes().splitlines()]
    matrix = np.load(tmp_path / "x.npy")
    assert [line["id"] for line in lines] == ["t0", "t1"]
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix[0], make_trace(0).embedding)
    assert np.isnan(matrix[1]).all()


def test_bad_lines_are_refused_by_number_and_the_others_taken(store, tmp_path, make_trace):
    store.add_trace(make_trace(1, id="taken", decision_id="d-taken"))
    lines = [
        b'{"id": "a", "intent": "i", "tools": ["x"], "steps": "unknown keys are left alone"}',
        b"",
        b'{"id": "b", "intent": "i", "outcome": null}',
        b'{"id": "c", "intent": "i", "outcome": NaN}',
        b'{"id": "d", "intent": "i", "tools": "x"}',
        b'{"intent": "i"}',
        b"[1, 2]",
        b'{"id": "e", "intent": "i", "embedding": [1, 2]}',
        b'{"id": "f", "intent": "i", "embedding": [1, 2, 3, 4, 5, 6, 7, null]}',
        b'{"id": "g", "intent": "\xff"}',
        b'{"id": "taken", "intent": "another"}',
        b'{"id": "h", "intent": "i", "decision_id": "d-taken"}',
        b'{"id": "a", "intent": "the id of line 1"}',
        b'{"id": "z", "intent": "i", "embedding": [1, 2, 3, 4, 5, 6, 7, 0.1], "outcome": 0.5}',
        b'{"id": "cut off", "int',
    ]
    (tmp_path / "x.jsonl").write_bytes(b"\n".join(lines))
    report = import_traces(store, tmp_path / "x.jsonl")
    faults = dict(report.faults)
    assert (report.added, report.present, report.refused) == (2, 0, 12)
    assert sorted(faults) == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15]
    assert "outcome" in faults[3]
    assert "not JSON" in faults[4]
    assert "8 dimensions" in faults[8] or "has 8" in faults[8]
    assert "another trace of that id" in faults[11]
    assert "'d-taken' already has another trace" in faults[12]
    assert {t.id for t in store.traces()} == {"taken", "a", "z"}
    assert store.trace("z").embedding[-1] == np.float32(0.1)


@pytest.mark.parametrize(
    ("matrix", "fault"),
    [
        (np.zeros((1, D), np.float32), "2 lines and x.npy 1 rows"),
        (np.zeros((2, D + 1), np.float32), "9 columns, the store has 8"),
        (np.zeros((2, D), np.int32), "expected floats"),
    ],
)
def test_a_matrix_that_does_not_fit_is_refused(store, tmp_path, matrix, fault):
    (tmp_path / "x.jsonl").write_bytes(b'{"id": "a", "intent": "i"}\n{"id": "b", "intent": "i"}\n')
    np.save(tmp_path / "x.npy", matrix)
    with pytest.raises(InputError, match=fault):
        import_traces(store, tmp_path / "x.jsonl")
    assert store.counts()["traces"] == 0


def test_half_precision_and_bad_rows_of_the_matrix(store, tmp_path):
    (tmp_path / "x.jsonl").write_bytes(b"".join(b'{"id": "%d", "intent": "i"}\n' % i for i in range(3)))
    matrix = np.ones((3, D), np.float16)
    matrix[1, 3] = np.inf
    np.save(tmp_path / "x.npy", matrix)
    report = import_traces(store, tmp_path / "x.jsonl")
    assert (report.added, [row for row, _ in report.faults]) == (2, [2])


def test_bad_rows_of_parquet_are_refused_by_number(store, tmp_path):
    table = pa.table(
        {
            "id": ["a", "b", None, "d", "e"],
            "intent": ["i", "", "i", "i", "i"],
            "outcome": [1.0, 1.0, 1.0, None, 2.0],
            "embedding": [[1.0] * D, None, None, None, None],
            "more": [1, 2, 3, 4, 5],
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    report = import_traces(store, tmp_path / "x.parquet")
    assert (report.added, [row for row, _ in report.faults]) == (1, [2, 3, 4, 5])
    np.testing.assert_array_equal(store.trace("a").embedding, np.ones(D))


@pytest.mark.parametrize("column", ["id", "intent"])
def test_parquet_without_a_needed_column_is_refused(store, tmp_path, column):
    pq.write_table(pa.table({column: ["x"]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="has no column"):
        import_traces(store, tmp_path / "x.parquet")


@pytest.mark.parametrize(
    "values",
    [
        {"embedding": ["text"]},
        {"embedding": [["text"] * D]},
        {"tools": [1.5]},
        {"tools": [[1, 2]]},
        {"outcome": ["much"]},
        {"id": [7]},
        {"intent": [b"bytes"]},
        {"timestamp": ["today"]},
    ],
)
def test_parquet_of_other_types_is_refused_by_row(store, tmp_path, values):
    pq.write_table(pa.table({"id": ["x"], "intent": ["i"]} | values), tmp_path / "x.parquet")
    report = import_traces(store, tmp_path / "x.parquet")
    assert (report.added, report.refused) == (0, 1)


def test_a_damaged_parquet_never_brings_other_values(store, other, make_trace, columns, tmp_path):
    given = [make_trace(i) for i in range(200)]
    store.add_traces(given)
    export_traces(store, tmp_path / "x.parquet")
    wanted = {t.id: columns(t) for t in given}
    original = (tmp_path / "x.parquet").read_bytes()
    rng = np.random.default_rng(0)
    for i in range(60):
        raw = bytearray(original)
        raw[rng.integers(len(raw))] ^= 1 << int(rng.integers(8))
        (tmp_path / "x.parquet").write_bytes(raw if i % 4 else original[: rng.integers(len(original))])
        with contextlib.suppress(InputError):
            import_traces(other, tmp_path / "x.parquet")
    assert all(columns(t)["embedding"] == wanted[t.id]["embedding"] for t in other.traces())


@pytest.mark.parametrize("ending", ENDINGS)
def test_paths_that_do_not_work_are_named(store, tmp_path, ending):
    with pytest.raises(InputError, match="cannot read"):
        import_traces(store, tmp_path / f"none.{ending}")
    with pytest.raises(InputError, match="cannot write"):
        export_traces(store, tmp_path / "none" / f"x.{ending}")
    with pytest.raises(InputError, match="ends in"):
        export_traces(store, tmp_path / "x.csv")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failed_export_leaves_the_old_file(store, make_trace, tmp_path, ending):
    store.add_trace(make_trace(1))
    path = tmp_path / f"x.{ending}"
    export_traces(store, path)
    before = {p.name: p.read_bytes() for p in tmp_path.glob("x.*") if "db" not in p.name}
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE traces SET outcome = 7")
    with pytest.raises(StoreError, match="damaged"):
        export_traces(store, path)
    assert {p.name: p.read_bytes() for p in tmp_path.glob("x.*") if "db" not in p.name} == before
    assert not list(tmp_path.glob(".x*"))
