"""Statistics beside SciPy's, and p-values that are as often small as they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from shgat.drift import two_sample
from shgat.errors import InputError

P = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("n", "m", "shift", "ties"), [(50, 70, 0.0, False), (200, 31, 0.5, False), (80, 80, 0.3, True), (1, 1, 0.0, False)]
)
def test_kolmogorov_smirnov_is_scipys(n, m, shift, ties):
    rng = np.random.default_rng(n)
    a, b = rng.standard_normal(n), rng.standard_normal(m) + shift
    if ties:
        a, b = a.round(1), b.round(1)
    d, p = two_sample.kolmogorov_smirnov(a, b)
    assert d == pytest.approx(stats.ks_2samp(a, b).statistic, abs=1e-12)
    assert p == pytest.approx(special.kolmogorov(d * np.sqrt(n * m / (n + m))), abs=1e-9)


def test_what_is_constant_does_not_differ():
    assert two_sample.kolmogorov_smirnov(np.ones(9), np.ones(5)) == (0.0, 1.0)
    assert two_sample.discrepancy_test(np.ones((9, 2)), np.ones((5, 2)), 99, np.random.default_rng(0)) == (0.0, 1.0)
    with pytest.raises(InputError):
        two_sample.kolmogorov_smirnov(np.ones(0), np.ones(3))


@given(P)
def test_benjamini_hochberg_is_scipys(p):
    assert two_sample.benjamini_hochberg(np.array(p)) == pytest.approx(stats.false_discovery_control(p), abs=1e-12)


@given(P)
def test_holm_steps_down(p):
    adjusted, order = two_sample.holm(np.array(p)), np.argsort(p)
    level = 0.05
    rejected = 0
    while rejected < len(p) and min(1.0, p[order[rejected]] * (len(p) - rejected)) <= level:
        rejected += 1
    assert np.count_nonzero(adjusted <= level) == rejected


def test_the_stability_index_is_its_formula():
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    value = two_sample.stability_index(1e9 * p, 1e9 * q, 10**9, 10**9)
    assert value == pytest.approx(((q - p) * np.log(q / p)).sum(), rel=1e-6)
    assert two_sample.stability_index(np.array([3.0, 4.0]), np.array([6.0, 8.0]), 7, 14) < 1e-3


def test_the_discrepancy_is_its_double_sum():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((7, 3)), rng.standard_normal((5, 3)) + 1.0
    both = np.concatenate((a, b))
    far = np.array([np.sum((x - y) ** 2) for i, x in enumerate(both) for y in both[i + 1 :]])

    def mean(x, y):
        return np.mean([np.exp(-np.sum((u - v) ** 2) / np.median(far)) for u in x for v in y])

    found, _ = two_sample.discrepancy_test(a, b, 19, rng)
    assert found == pytest.approx(mean(a, a) + mean(b, b) - 2.0 * mean(a, b), rel=1e-4)


@pytest.mark.parametrize("kind", ["stability", "discrepancy"])
def test_p_values_are_uniform_without_drift_and_small_with_it(kind):
    rng = np.random.default_rng(2)

    def p(shift):
        if kind == "stability":
            edges = [-0.5, 0.0, 0.5]
            a, b = (np.eye(4)[np.searchsorted(edges, rng.standard_normal(60) + s)] for s in (0.0, shift))
            return two_sample.stability_test(a, b, 99, rng)[1]
        return two_sample.discrepancy_test(rng.standard_normal((40, 2)), rng.standard_normal((30, 2)) + shift, 99, rng)[1]

    found = np.array([p(0.0) for _ in range(300)])
    for alpha in (0.05, 0.2, 0.5):  # four standard errors
        assert abs(np.mean(found <= alpha) - alpha) < 4.0 * np.sqrt(alpha * (1.0 - alpha) / 300)
    assert np.mean([p(1.5) <= 0.05 for _ in range(20)]) > 0.9
