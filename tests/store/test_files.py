"""What a store holds as files and back: exact round trips, and bad rows refused by their number while all others are taken."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shgat import Catalog, Trace, load_traces
from shgat.errors import InputError, StoreError
from shgat.graph import Capability, Tool
from shgat.store import Store, export_folder, export_traces, import_folder, import_traces
from shgat.store.files import ImportReport
from shgat.traces import read_traces, write_traces
from traces.examples import CATALOG, D

ENDINGS = ["jsonl", "parquet"]


@pytest.fixture
def traces(make_trace):
    rng = np.random.default_rng(3)
    extremes = np.float32([0, -0.0, 1e-45, 1e15, -1e15, 1 / 3, 1, -1])
    return [
        *(make_trace(i, embedding=rng.standard_normal(D).astype(np.float32), priority=i / 7) for i in range(1, 2100)),
        make_trace(5000, embedding=None, capability=None, decision_id=None, duration_ms=None, tools=(), error="é\n\u2028"),
        make_trace(5001, embedding=extremes, priority=None, timestamp=0.1 + 0.2, outcome=1e-300, weight=1e-300, context_tools=()),
        make_trace(5002, intent="", weight=0.0),
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
    assert import_traces(other, path) == ImportReport(0, 0, 0, ())


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
        b'{"id": "z", "embedding": [1, 2, 3, 4, 5, 6, 7, 0.1], "outcome": 0.5}',
        b'{"id": "cut off", "int',
    ]
    (tmp_path / "x.jsonl").write_bytes(b"\n".join(lines))
    report = import_traces(store, tmp_path / "x.jsonl")
    faults = dict(report.faults)
    assert (report.added, report.present, report.refused) == (2, 0, 12)
    assert list(faults) == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15]
    assert "outcome" in faults[3]
    assert "not JSON" in faults[4]
    assert "a trace has an id" in faults[6]
    assert "'e': embedding has 2 dimensions, expected 8" in faults[8]
    assert "another trace of that id" in faults[11]
    assert "'d-taken' already has another trace" in faults[12]
    assert {t.id for t in store.traces()} == {"taken", "a", "z"}
    assert store.trace("z").embedding[-1] == np.float32(0.1)
    assert store.trace("z").intent == ""


@pytest.mark.parametrize("change", [{"outcome": 0.125}, {"weight": 7.0}, {"embedding": None}, {"timestamp": 1.0}, {"intent": ""}])
def test_a_trace_that_differs_from_the_stored_one_is_refused(store, other, make_trace, tmp_path, change):
    store.add_traces([make_trace(1, **change), make_trace(2)])
    other.add_traces([make_trace(1), make_trace(2)])
    export_traces(store, tmp_path / "x.jsonl")
    report = import_traces(other, tmp_path / "x.jsonl")
    assert (report.added, report.present) == (0, 1)
    assert report.faults == ((1, "trace 't1': the store holds another trace of that id"),)


def test_a_time_or_a_priority_that_a_file_leaves_open_makes_no_other_trace(store, tmp_path):
    (tmp_path / "x.jsonl").write_bytes(b'{"id": "a"}\n')
    assert import_traces(store, tmp_path / "x.jsonl").added == 1
    store.set_priorities(["a"], [0.5])
    assert import_traces(store, tmp_path / "x.jsonl").present == 1


def test_a_thousand_faults_are_named_and_all_are_counted(store, tmp_path):
    (tmp_path / "x.jsonl").write_bytes(b"{}\n" * 2500 + b'{"id": "a"}\n')
    report = import_traces(store, tmp_path / "x.jsonl")
    assert (report.added, report.refused) == (1, 2500)
    assert [row for row, _ in report.faults] == list(range(1, 1001))


@pytest.mark.parametrize(
    ("matrix", "fault"),
    [
        (np.zeros((1, D), np.float32), r"x\.npy has shape \(1, 8\), expected \(2, 8\) as x\.jsonl has it"),
        (np.zeros((2, D + 1), np.float32), r"x\.npy has shape \(2, 9\), expected \(2, 8\)"),
        (np.zeros((2, D), np.int32), "expected floats"),
    ],
)
def test_a_matrix_that_does_not_fit_is_refused(store, tmp_path, matrix, fault):
    (tmp_path / "x.jsonl").write_bytes(b'{"id": "a", "intent": "i"}\n{"id": "b", "intent": "i"}\n')
    np.save(tmp_path / "x.npy", matrix)
    with pytest.raises(InputError, match=fault):
        import_traces(store, tmp_path / "x.jsonl")
    assert store.counts()["traces"] == 0


def test_bad_rows_of_the_matrix_are_refused_by_their_lines(store, tmp_path):
    (tmp_path / "x.jsonl").write_bytes(b"".join(b'{"id": "%d", "intent": "i"}\n' % i for i in range(3)))
    matrix = np.ones((3, D), np.float16)
    matrix[1, 3] = np.inf
    np.save(tmp_path / "x.npy", matrix)
    report = import_traces(store, tmp_path / "x.jsonl")
    assert (report.added, [row for row, _ in report.faults]) == (2, [2])


def test_bad_rows_of_parquet_are_refused_by_number(store, tmp_path):
    table = pa.table({"id": ["a", None, "c"], "outcome": [1.0, 1.0, 2.0], "embedding": [[1.0] * D, None, None]})
    pq.write_table(table, tmp_path / "x.parquet")
    report = import_traces(store, tmp_path / "x.parquet")
    assert (report.added, [row for row, _ in report.faults]) == (1, [2, 3])
    np.testing.assert_array_equal(store.trace("a").embedding, np.ones(D))


@pytest.mark.parametrize("ending", ENDINGS)
def test_paths_that_do_not_work_are_named(store, tmp_path, ending):
    with pytest.raises(InputError, match="cannot read"):
        import_traces(store, tmp_path / f"none.{ending}")
    with pytest.raises(InputError, match="cannot write"):
        export_traces(store, tmp_path / "none" / f"x.{ending}")
    with pytest.raises(InputError, match="ends in"):
        export_traces(store, tmp_path / "x.tsv")


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


class TestFolders:
    def test_a_folder_is_the_catalogue_and_the_traces(self, store, other, make_trace, columns, tmp_path):
        store.keep_catalog(CATALOG)
        given = [make_trace(i, tools=[f"t{i}"], context_tools=["t4"], capability="c1") for i in range(3)]
        store.add_traces(given)
        catalog, n = export_folder(store, tmp_path / "out")
        assert (catalog.checksum, n) == (CATALOG.checksum, 3)
        loaded = Catalog.load(tmp_path / "out")
        assert loaded.checksum == CATALOG.checksum
        assert load_traces(tmp_path / "out" / "train.jsonl", loaded).ids.tolist() == ["t0", "t1", "t2"]
        assert import_folder(other, loaded, tmp_path / "out") == ImportReport(3, 0, 0, ())
        assert [columns(t) for t in other.traces()] == [columns(t) for t in given]
        assert not other.keep_catalog(CATALOG)

    def test_traces_that_the_catalogue_has_outgrown_are_left_out_where_asked(self, store, make_trace, tmp_path):
        store.upsert_catalog([Tool("a", embedding=np.ones(D))], [Capability("c", tools=("a",), embedding=np.ones(D))])
        store.add_traces([make_trace(1), make_trace(2, tools=["a"], context_tools=[], capability="c")])
        catalog, _ = export_folder(store, tmp_path / "out")
        assert load_traces(tmp_path / "out" / "train.jsonl", catalog, unknown="skip").ids.tolist() == ["t2"]

    def test_a_folder_without_traces_is_a_catalogue(self, other, tmp_path):
        assert import_folder(other, CATALOG, tmp_path) == ImportReport(0, 0, 0, ())
        assert not other.keep_catalog(CATALOG)

    def test_without_a_catalogue_there_is_no_folder(self, store, make_trace, tmp_path):
        store.add_trace(make_trace(1))
        with pytest.raises(InputError, match="holds no catalogue"):
            export_folder(store, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_traces_go_out_with_the_stores_encoder_and_those_of_another_space_do_not_come_in(tmp_path, sqlite_url):
    catalog = Catalog.from_records([{"id": "t", "text": "x", "embedding": np.ones(8)}], encoder="E5")
    with Store.open(sqlite_url, 8) as store:
        store.keep_catalog(catalog)
        store.add_traces([Trace(id="a", tools=("t",), embedding=np.ones(8, np.float32))])
        export_traces(store, tmp_path / "out.jsonl")
        assert [trace.encoder for _, trace in read_traces(tmp_path / "out.jsonl")] == ["E5"]
        other = [
            Trace(id=key, embedding=np.ones(8, np.float32), encoder=made) for key, made in (("b", "MiniLM"), ("c", "E5::small"))
        ]
        write_traces(tmp_path / "in.jsonl", other, 8)
        report = import_traces(store, tmp_path / "in.jsonl")
    assert (report.added, report.refused) == (1, 1)
    assert "was made by 'MiniLM'" in report.faults[0][1]
