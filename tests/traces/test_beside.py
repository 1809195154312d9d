"""The matrix beside a file: which rows are embeddings, and that lines and rows are written together."""

import numpy as np
import pytest

from shgat import TraceError
from shgat.traces import beside
from shgat.traces.beside import Beside
from traces.examples import D, make_trace


def test_a_row_is_an_embedding_or_none_or_broken(tmp_path):
    rows = np.ones((3, D), np.float64)
    rows[1], rows[2, 0] = np.nan, 1e300
    np.save(tmp_path / "x.npy", rows)
    found = Beside(tmp_path / "x.jsonl")
    assert [found.known(i) for i in range(4)] == [True, False, True, True]
    assert [found.fault(i) is None for i in range(4)] == [True, True, False, True]
    given = found.given(make_trace(0, embedding=None), 0)
    assert (given.embedding.dtype, given.id) == (np.float32, "t0")
    assert found.given(make_trace(0, embedding=None), 1).embedding is None
    found.check_alignment(3, None)
    with pytest.raises(TraceError, match=r"x\.npy has shape \(3, 8\), expected \(2, 8\) as x\.jsonl has it"):
        found.check_alignment(2, D)


def test_without_a_matrix_nothing_is_known(tmp_path):
    found, trace = Beside(tmp_path / "x.jsonl"), make_trace(0)
    found.check_alignment(7, D)
    assert (found.matrix, found.known(0), found.fault(0)) == (None, False, None)
    assert found.given(trace, 0) is trace


def test_lines_and_rows_are_written_together(tmp_path):
    path = tmp_path / "x.txt"
    assert beside.write(path, [make_trace(0), make_trace(1, embedding=None)], D, lambda t: t.id.encode() + b"\n", b"head\n") == 2
    assert path.read_bytes() == b"head\nt0\nt1\n"
    assert np.isnan(np.load(tmp_path / "x.npy")).all(axis=1).tolist() == [False, True]
    assert beside.write(path, [make_trace(2)], None, lambda t: t.id.encode()) == 1
    assert (path.read_bytes(), (tmp_path / "x.npy").exists()) == (b"t2", False)
