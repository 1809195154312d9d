"""What goes between processes comes out as it went in."""

import numpy as np
import pytest

from executor import work
from shgat.errors import CatalogError, WorkerError
from shgat.executor import parcel


@pytest.mark.parametrize("arrays", [[], [np.zeros((0, 3))], [np.arange(7.0), np.arange(5, dtype=np.int8), np.ones((3, 2)).T]])
def test_a_file_holds_a_value_and_its_arrays(tmp_path, arrays):
    value = {"arrays": arrays, "ids": np.array(["a", "bc"]), "name": "x"}
    size = parcel.write(tmp_path / "1.shared", value)
    found = parcel.read(tmp_path / "1.shared")
    assert size >= sum(a.nbytes for a in arrays)
    assert found["name"] == "x"
    assert found["ids"].tolist() == ["a", "bc"]
    for a, b in zip(found["arrays"], arrays, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype


def test_a_call_answers_with_a_result_or_an_error():
    assert parcel.result(parcel.answered(parcel.call(work.refuses, 1), None, print)) == 1
    with pytest.raises(CatalogError) as caught:
        parcel.result(parcel.answered(parcel.call(work.refuses, 3), None, print))
    assert len(caught.value.faults) == 2
    with pytest.raises(WorkerError, match="UnpicklingError"):
        parcel.result(parcel.answered(b"no call", None, print))
