"""A receipt is true where feedback was taken, and one word."""

import pytest

from shgat.learning.receipt import Receipt


@pytest.mark.parametrize(("receipt", "taken"), [(Receipt.DURABLE, True), (Receipt.WAITING, True), (Receipt.KNOWN, False)])
def test_it_says_whether_feedback_was_taken_and_how_safe_it_is(receipt, taken):
    assert bool(receipt) is taken
    assert str(receipt) == receipt.value == receipt.name.lower()
    assert len(str(receipt).split()) == 1
    assert receipt == taken
    assert receipt != (not taken)
    assert hash(receipt) == hash(taken)
    assert receipt == receipt  # noqa: PLR0124
    assert [other for other in Receipt if other == receipt] == [receipt]


def test_there_are_three():
    assert [str(receipt) for receipt in Receipt] == ["durable", "waiting", "known"]
