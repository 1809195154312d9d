"""The sentences for what is wrong between records, and which embeddings cannot be used."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shgat._check import LARGEST
from shgat.graph import Capability, Tool, faults


@given(arrays(np.float32, st.tuples(st.integers(0, 5), st.just(8)), elements=st.floats(width=32)))
def test_rows_are_unusable_where_float32_products_with_them_fail(rows):
    found = dict(faults.unusable(rows))
    for i, row in enumerate(rows.astype(np.float64)):
        peak = np.abs(row).max()
        assert (i in found) == (not faults.SMALLEST <= peak <= LARGEST)


def test_ids_that_occur_again_and_members_that_are_no_record():
    tools = [Tool("a"), Tool("b"), Tool("a")]
    assert faults.duplicates(tools, "tool") == ["tool id 'a' occurs 2 times"]
    capabilities = [Capability("c", tools=("a", "x", "y"), capabilities=("c", "z"))]
    assert faults.unknown_members(tools, capabilities, {"y"}, ()) == [
        faults.unknown("c", "tool", "x"),
        faults.unknown("c", "capability", "z"),
    ]


def test_a_stack_is_none_where_nothing_has_an_embedding_and_none_with_a_sentence_where_one_is_missing():
    said = []
    assert faults.stack([Tool("a")], "tool", None, said) is None
    assert said == []
    assert faults.stack([Tool("a"), Tool("b", embedding=np.ones(8, np.float32))], "tool", 8, said) is None
    assert said == ["no embedding, though others have one: tool 'a'"]
