"""What every executor has to do, in one process and in several."""

import numpy as np
import pytest

from executor import work
from shgat.errors import CatalogError
from shgat.executor import Processes, Serial


@pytest.fixture(params=[Serial, lambda: Processes(2)], ids=["serial", "processes"])
def executor(request):
    with request.param() as made:
        yield made


def test_results_come_in_the_order_of_the_items_with_the_same_bits_and_what_was_told(executor):
    matrix = np.random.default_rng(0).standard_normal((40, 30), dtype=np.float32)
    told = []
    shared = executor.share(matrix)
    found = list(executor.map(work.product, shared, range(25), lambda number, event: told.append((number, event))))
    assert [item for item, _ in found] == list(range(25))
    for item, values in found:
        np.testing.assert_array_equal(values, work.product(matrix, item, lambda event: None)[1])
    assert sorted(told) == [(i, ("begun", i)) for i in range(25)]
    assert list(executor.map(work.product, shared, [])) == []


def test_an_error_of_a_task_is_raised_as_it_was_and_the_executor_goes_on(executor):
    shared = executor.share(None)
    with pytest.raises(CatalogError, match="the third is wrong") as caught:
        list(executor.map(work.refuses, shared, range(9)))
    assert caught.value.faults == ["the third is wrong", "and so is its neighbour"]
    assert list(executor.map(work.refuses, shared, [1, 2])) == [1, 2]


def test_items_are_taken_as_they_are_needed(executor):
    taken = []

    def items():
        for i in range(1000):
            taken.append(i)
            yield i

    results = executor.map(work.refuses, executor.share(None), (i + 4 for i in items()))
    assert next(results) == 4
    results.close()
    assert len(taken) < 50
