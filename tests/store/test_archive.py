"""What leaves a store lies in Parquet files afterwards, whatever happens in between."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from shgat.errors import InputError
from shgat.store import Decision, Ranked, Retention, Store
from shgat.traces import read_traces
from traces.examples import D


def filled(store, make_trace, n=30):
    x = np.random.default_rng(0).standard_normal((n, D)).astype(np.float32)
    ranked = [Ranked("t1", 1), Ranked("t2", 2, 0.25, ((2, 0.25), (3, 0.5)))]
    store.add_decisions([
        Decision(id=f"d{i}", intent=None if i % 2 else f"do {i}", intent_hash="h", ranked=ranked, model_version="v1", embedding=x[i],
                 session="s", context_tools=("t3",))
        for i in range(n)
    ])  # fmt: skip
    traces = [make_trace(i) for i in range(n)]
    store.add_traces(traces)
    store.set_priorities([t.id for t in traces], [0.5] * n)
    return traces, x


def test_what_goes_is_in_the_files_and_what_stays_is_not(store, make_trace, tmp_path):
    traces, x = filled(store, make_trace)
    assert store.retain(Retention(decisions=10, traces=5, unanswered=None, archive=tmp_path / "gone"))["decisions"] == 20
    assert sorted(p.name for p in (tmp_path / "gone").iterdir()) == [
        "decisions-000000000001-000000000020.parquet",
        "traces-000000000001-000000000025.parquet",
    ]
    back = [trace for _, trace in read_traces(tmp_path / "gone" / "traces-000000000001-000000000025.parquet")]
    assert [t.id for t in back] == [t.id for t in traces[:25]]
    for a, b in zip(back, traces, strict=False):
        assert (a.tools, a.context_tools, a.outcome, a.decision_id, a.error) == (
            b.tools,
            b.context_tools,
            b.outcome,
            b.decision_id,
            b.error,
        )
        np.testing.assert_array_equal(a.embedding, b.embedding)
    rows = pq.read_table(tmp_path / "gone" / "decisions-000000000001-000000000020.parquet").to_pylist()
    assert [(r["id"], r["intent"], r["session"], r["user_id"], r["context_tools"]) for r in rows] == [
        (f"d{i}", None if i % 2 else f"do {i}", "s", "local", ["t3"]) for i in range(20)
    ]
    assert json.loads(rows[0]["ranked"]) == [["t1", 1, 1.0], ["t2", 2, 0.25, [[2, 0.25], [3, 0.5]]]]
    np.testing.assert_allclose([r["embedding"] for r in rows], x[:20], rtol=2e-7)


def test_a_store_takes_its_archived_traces_back(store, make_trace, tmp_path):
    from shgat.store import import_traces

    filled(store, make_trace, 6)
    store.retain(Retention(traces=2, archive=tmp_path))
    (file,) = tmp_path.glob("traces-*.parquet")
    assert import_traces(store, file).added == 4
    assert {t.id for t in store.traces()} == {f"t{i}" for i in range(6)}


def test_nothing_is_removed_that_could_not_be_archived(store, make_trace, tmp_path):
    filled(store, make_trace, 6)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot archive to .*; nothing was removed"):
        store.retain(Retention(traces=2, archive=tmp_path / "file"))
    assert store.counts()["traces"] == 6


def test_a_damaged_row_is_named_and_stops_nothing(make_trace, sqlite_url, tmp_path, caplog):
    with Store.open(sqlite_url, D) as store:
        filled(store, make_trace, 6)
        with store.database.write() as connection:
            connection.execute(sa.text("UPDATE decisions SET ranked = '[[' WHERE id = 'd3'"))
        assert store.retain(Retention(decisions=1, archive=tmp_path))["decisions"] == 5
    (file,) = tmp_path.glob("decisions-*.parquet")
    assert pq.read_table(file)["id"].to_pylist() == ["d0", "d1", "d2", "d4"]
    assert "row 4 of decisions is damaged" in caplog.text


def test_what_is_no_folder_is_refused():
    with pytest.raises(InputError, match="retention: archive is a folder, not 3"):
        Retention(archive=3)
