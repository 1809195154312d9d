"""Traces as Parquet: which rows are traces, and that a damaged file never brings other values."""

import contextlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shgat import InputError, TraceError
from shgat.errors import MissingExtraError
from shgat.traces import read_traces, write_traces
from traces.examples import D, columns, make_trace


def read(path, dimension=D):
    """The traces and the errors of a file, by row."""
    return dict(read_traces(path, dimension))


def test_bad_rows_are_errors_by_number_and_the_others_traces(tmp_path):
    table = pa.table(
        {
            "id": ["a", "b", None, "d", "e", "f"],
            "intent": ["i", "", "i", "i", "i", None],
            "outcome": [1.0, 1.0, 1.0, None, 2.0, 0.5],
            "embedding": [[1.0] * D, None, None, None, None, [1.0] * (D - 1)],
            "more": [1, 2, 3, 4, 5, 6],
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    found = read(tmp_path / "x.parquet")
    assert [row for row, trace in found.items() if isinstance(trace, TraceError)] == [3, 4, 5, 6]
    np.testing.assert_array_equal(found[1].embedding, np.ones(D))
    assert (found[2].intent, found[2].embedding) == ("", None)
    assert str(found[6]) == "trace 'f': embedding has 7 dimensions, expected 8"
    assert len(read(tmp_path / "x.parquet", None)[6].embedding) == 7


def test_only_an_id_is_needed(tmp_path):
    pq.write_table(pa.table({"id": ["x"]}), tmp_path / "x.parquet")
    assert read(tmp_path / "x.parquet")[1].intent == ""
    pq.write_table(pa.table({"intent": ["x"]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"x\.parquet has no column 'id'"):
        read(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    "values",
    [
        {"embedding": ["text"]},
        {"embedding": [["text"] * D]},
        {"embedding": [[1.0, None] * (D // 2)]},
        {"tools": [1.5]},
        {"tools": [[1, 2]]},
        {"outcome": ["much"]},
        {"weight": [-1.0]},
        {"id": [7]},
        {"intent": [b"bytes"]},
        {"timestamp": ["today"]},
    ],
)
def test_other_types_are_refused_by_row(tmp_path, values):
    pq.write_table(pa.table({"id": ["x"], "intent": ["i"]} | values), tmp_path / "x.parquet")
    assert isinstance(read(tmp_path / "x.parquet")[1], TraceError)


@pytest.mark.parametrize("zone", ["UTC", "+01:00", None])
def test_moments_of_arrow_are_seconds(tmp_path, zone):
    column = pa.array([1772445600_000000, None], pa.timestamp("us", zone))
    pq.write_table(pa.table({"id": ["a", "b"], "timestamp": column}), tmp_path / "x.parquet")
    assert [trace.timestamp for trace in read(tmp_path / "x.parquet").values()] == [1772445600.0, None]


def test_more_traces_than_one_row_group_come_back_in_order(tmp_path):
    given = [make_trace(i) for i in range(4100)]
    assert write_traces(tmp_path / "x.parquet", given, D) == 4100
    assert pq.ParquetFile(tmp_path / "x.parquet").num_row_groups == 2
    found = read(tmp_path / "x.parquet")
    assert list(found) == list(range(1, 4101))
    assert [trace.id for trace in found.values()] == [trace.id for trace in given]


def test_a_damaged_file_never_brings_other_values(tmp_path):
    given = [make_trace(i) for i in range(200)]
    path = tmp_path / "x.parquet"
    write_traces(path, given, D)
    wanted = {t.id: columns(t) for t in given}
    original = path.read_bytes()
    rng = np.random.default_rng(0)
    found = []
    for i in range(60):
        raw = bytearray(original)
        raw[rng.integers(len(raw))] ^= 1 << int(rng.integers(8))
        path.write_bytes(raw if i % 4 else original[: rng.integers(len(original))])
        with contextlib.suppress(InputError):
            found += [trace for _, trace in read_traces(path, D) if not isinstance(trace, TraceError)]
    assert found
    assert all(columns(t)["embedding"] == wanted[t.id]["embedding"] for t in found)


def test_a_file_that_is_no_parquet_is_named(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 torn")
    with pytest.raises(InputError, match=r"x\.parquet is no readable Parquet file"):
        read(tmp_path / "x.parquet")


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"'\.\[store\]'"):
        read(tmp_path / "x.parquet")
