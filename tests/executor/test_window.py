"""Calls under way: bounded, in order, and anew where they were lost."""

import numpy as np
import pytest

from shgat.errors import WorkerError
from shgat.executor.window import AHEAD, RETRIES, in_order


class Shop:
    """Ends calls in any order and loses some."""

    def __init__(self, losses, seed=0):
        self.rng, self.losses, self.calls, self.most, self.n = np.random.default_rng(seed), dict(losses), {}, 0, 0

    def start(self, number, call):
        self.n += 1
        self.calls[self.n] = (number, call)
        self.most = max(self.most, len(self.calls))
        return self.n

    def ended(self, under_way):
        assert set(under_way) == set(self.calls)
        handle = int(self.rng.choice(sorted(under_way)))
        number, call = self.calls.pop(handle)
        if self.losses.get(number, 0):
            self.losses[number] -= 1
            return [(handle, None)]
        return [(handle, call.upper())]


@pytest.mark.parametrize("seed", range(5))
def test_answers_come_in_order_whatever_ends_first(seed):
    shop = Shop({3: RETRIES, 4: 1, 20: 2}, seed)
    calls = [f"call {i}".encode() for i in range(50)]
    assert list(in_order(calls, shop.start, shop.ended, 3)) == [call.upper() for call in calls]
    assert shop.most <= 3 * AHEAD
    assert shop.n == 50 + RETRIES + 3


def test_what_is_lost_too_often_is_an_error():
    shop = Shop({1: RETRIES + 1})
    with pytest.raises(WorkerError, match="item 1 ended 4 times"):
        list(in_order([b"a", b"b", b"c"], shop.start, shop.ended, 1))
