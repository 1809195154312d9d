"""Tables of other libraries are lists of records, and their empty cells are no fields."""

import numpy as np
import pytest

from shgat import Catalog, CatalogError
from shgat.graph.tables import records_of

ROWS = [
    {"id": "a", "text": "reads", "embedding": [1.0] * 8},
    {"id": "b", "text": None, "embedding": [1.0, 2.0] * 4},
]


def frames():
    def pandas():
        pd = pytest.importorskip("pandas", reason="pandas is not installed")
        return pd.DataFrame(ROWS)

    def polars():
        pl = pytest.importorskip("polars", reason="polars is not installed")
        return pl.DataFrame(ROWS)

    def arrow():
        pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
        return pa.Table.from_pylist(ROWS)

    return [pandas, polars, arrow]


@pytest.mark.parametrize("make", frames(), ids=lambda f: f.__name__)
def test_a_frame_is_the_catalogue_of_its_records(make):
    frame = make()
    assert Catalog.from_records(frame).checksum == Catalog.from_records(ROWS).checksum


def test_an_integer_column_of_ids_is_refused_with_the_remedy():
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    with pytest.raises(CatalogError, match='record 0: the id of a tool is a string, not the number 1: write "1"'):
        Catalog.from_records(pd.DataFrame({"id": [1, 2]}))


def test_empty_cells_of_pandas_are_no_fields():
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pd.DataFrame(
        {
            "id": ["a", "b"],
            "text": ["x", np.nan],
            "uses": pd.array([1, None], dtype="Int64"),
            "when": pd.to_datetime(["2020", None]),
        }
    )
    assert [sorted(record) for record in records_of(frame, "capabilities")] == [["id", "text", "uses", "when"], ["id"]]
    assert [c.uses for c in Catalog.from_records([], frame).capabilities] == [1, 0]


def test_rows_of_a_sparse_matrix_are_embeddings():
    sparse = pytest.importorskip("scipy.sparse", reason="scipy is not installed")
    dense = np.eye(3, 8, dtype=np.float32)
    for kind in (sparse.csr_matrix, sparse.csr_array, sparse.coo_matrix):
        matrix = kind(dense).tocsr()
        found = Catalog.from_records([{"id": f"t{i}", "embedding": matrix[[i]]} for i in range(3)])
        np.testing.assert_array_equal(found.tool_embeddings, dense)


@pytest.mark.parametrize("table", ["mail", b"mail", {"id": "a"}, 7, None])
def test_what_is_no_table_is_refused(table):
    for strict in (True, False):
        with pytest.raises(Exception, match="tools are a list of records or a table") as caught:
            Catalog.from_records(table, strict=strict)
        assert isinstance(caught.value, ValueError)
