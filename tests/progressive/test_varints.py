"""Numbers come back, whichever they are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shgat.progressive import varints

UNSIGNED = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 300))
SIGNED = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-300, 300))


@given(UNSIGNED)
def test_pack(values):
    packed = varints.pack(np.array(values, dtype=np.uint64))
    assert varints.unpack(packed).tolist() == values
    assert len(packed) == sum(max(1, -(-v.bit_length() // 7)) for v in values)


@given(SIGNED)
def test_differences(values):
    assert varints.sums(varints.differences(np.array(values, dtype=np.int64))).tolist() == values


@given(SIGNED)
def test_fold(values):
    folded = varints.fold(np.array(values, dtype=np.int64).view(np.uint64))
    assert varints.unfold(folded).view(np.int64).tolist() == values
    assert folded.tolist() == [2 * v if v >= 0 else -2 * v - 1 for v in values]


def test_small_numbers_take_one_byte():
    assert varints.pack([0, 1, 127]) == bytes([0, 1, 127])
    assert varints.differences([1000, 1001, 1000, 999]) == varints.pack([2000, 2, 1, 1])
