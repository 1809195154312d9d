"""Traces as JSON lines: which lines are traces, how the matrix is aligned with them, and which rows of it can be used."""

import numpy as np
import orjson
import pytest

from shgat import TraceError
from shgat.traces import read_traces, write_traces
from traces.examples import GOOD, D, columns, make_trace, write

BARE = {"id": "a", "intent": "send it"}


def read(path, dimension=D):
    """The traces and the errors of a file, by line."""
    return dict(read_traces(path, dimension))


@pytest.mark.parametrize("line", [b"{", b"[]", b"3", b'"text"', b"null", b"\xff", b'{"id": "b", "id": NaN}', b"{}{}", b"{}"])
def test_a_line_that_is_no_record_is_an_error_and_the_others_are_traces(tmp_path, line):
    found = read(write(tmp_path, GOOD, line, {**GOOD, "id": "b"}))
    assert [found[1].id, found[3].id] == ["a", "b"]
    assert isinstance(found[2], TraceError)


def test_blank_lines_have_a_number_and_no_row(tmp_path):
    vectors = np.arange(2 * D, dtype=np.float32).reshape(2, D)
    found = read(write(tmp_path, BARE, b"", b"  ", {**BARE, "id": "b"}, vectors=vectors))
    assert list(found) == [1, 4]
    np.testing.assert_array_equal([found[1].embedding, found[4].embedding], vectors)


def test_written_lines_are_the_fields_and_the_matrix_is_aligned(tmp_path):
    given = [make_trace(0), make_trace(1, embedding=None)]
    assert write_traces(tmp_path / "x.jsonl", given, D) == 2
    lines = [orjson.loads(line) for line in (tmp_path / "x.jsonl").read_bytes().splitlines()]
    matrix = np.load(tmp_path / "x.npy")
    assert [line["id"] for line in lines] == ["t0", "t1"]
    assert (lines[0]["timestamp"], lines[0]["weight"]) == (given[0].timestamp, given[0].weight)
    assert not lines[0].keys() & {"embedding", "seq", "created_at"}
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix[0], given[0].embedding)
    assert np.isnan(matrix[1]).all()


def test_the_matrix_goes_before_an_embedding_in_the_line(tmp_path):
    found = read(write(tmp_path, GOOD, vectors=np.ones((1, D), np.float32)))
    np.testing.assert_array_equal(found[1].embedding, np.ones(D))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_matrices_of_any_precision_are_read_as_float32(tmp_path, dtype):
    found = read(write(tmp_path, BARE, vectors=np.full((1, D), 0.1, dtype)))
    assert found[1].embedding.dtype == np.float32
    np.testing.assert_array_equal(found[1].embedding, np.full(D, 0.1, dtype).astype(np.float32))


def test_a_row_of_nan_is_no_embedding_and_any_other_fault_is_of_its_line(tmp_path):
    vectors = np.ones((5, D))
    vectors[1], vectors[2, 3], vectors[3, 0], vectors[4, 7] = np.nan, np.nan, 1e16, 1e300
    found = read(write(tmp_path, *({**BARE, "id": key} for key in "abcde"), vectors=vectors))
    assert columns(found[1])["embedding"] == np.ones(D, np.float32).tobytes()
    assert found[2].embedding is None
    faults = [str(found[line]) for line in (3, 4, 5)]
    assert faults == [f"traces.npy holds NaN, infinity or more than 1e+15 in row {row}" for row in (2, 3, 4)]


@pytest.mark.parametrize(
    ("vectors", "fault"),
    [
        (np.zeros((1, D), np.float32), r"traces\.npy has shape \(1, 8\), expected \(2, 8\) as traces\.jsonl has it"),
        (np.zeros((3, D), np.float32), r"expected \(2, 8\)"),
        (np.zeros((2, D + 1), np.float32), r"shape \(2, 9\), expected \(2, 8\)"),
        (np.zeros((2, D), np.int32), "expected floats"),
        (np.zeros(2 * D, np.float32), "shape"),
    ],
)
def test_a_matrix_that_does_not_fit_is_refused_before_the_first_line(tmp_path, vectors, fault):
    path = write(tmp_path, BARE, {**BARE, "id": "b"}, vectors=vectors)
    with pytest.raises(TraceError, match=fault):
        next(read_traces(path, D))


def test_a_line_without_end_is_refused(tmp_path):
    path = write(tmp_path, GOOD)
    with path.open("r+b") as file:
        file.truncate(70 << 20)
    with pytest.raises(TraceError, match=r"traces\.jsonl, line 2: longer than 64 MiB"):
        read(path)
