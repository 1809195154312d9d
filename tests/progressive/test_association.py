import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from shgat.progressive.association import Association, benjamini_hochberg, measures, p_values


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.integers(1, 20))
def test_g2_is_that_of_a_contingency_table(n, only_a, only_b, neither):
    total = n + only_a + only_b + neither
    _, _, g2 = measures(*(np.array([v]) for v in (n, n + only_a, n + only_b)), total)
    table = np.array([[n, only_a], [only_b, neither]])
    if (table.sum(axis=0) == 0).any() or (table.sum(axis=1) == 0).any():
        assert g2[0] == pytest.approx(0.0, abs=1e-9)
        return
    expected = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    assert g2[0] == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert p_values(g2)[0] == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


def test_lift_and_npmi_at_their_ends():
    lift, npmi, _ = measures(np.array([10, 0, 25, 100]), np.array([10, 10, 50, 100]), np.array([10, 10, 50, 100]), 100)
    assert lift.tolist() == [10.0, 0.0, 1.0, 1.0]
    assert npmi == pytest.approx([1.0, -1.0, 0.0, 1.0], abs=1e-12)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30))
def test_q_is_that_of_scipy(p):
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))
    assert benjamini_hochberg(p, len(p) + 3) == pytest.approx(stats.false_discovery_control([*p, 1.0, 1.0, 1.0])[: len(p)])


def test_a_record_has_no_fraction():
    record = Association("spatial", "a", "b", 3, 4, 5, 9, 1.35, 0.25, 2.0, 0.01).record()
    assert record["lift"] == "1.35"
    assert not any(isinstance(v, float) for v in record.values())
