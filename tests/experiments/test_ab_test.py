"""A/B analysis against SciPy, its error rates in simulation, and the verdicts."""

from dataclasses import replace

import numpy as np
import orjson
import pytest
from scipy import stats

from shgat.errors import InputError
from shgat.experiments.ab_test import Experiment, Guardrails, judge, required_sample_size, two_proportion_test, welch_test


def experiment(seed, m, success, error=(0.01, 0.01), fallback=(0.02, 0.02), latency=(1.0, 1.0)):
    """Rates of (control, treated)."""
    rng = np.random.default_rng(seed)
    treated = rng.random(m) < 0.5
    success, error, fallback = (rng.random(m) < np.where(treated, r[1], r[0]) for r in (success, error, fallback))
    seconds = 0.01 * rng.lognormal(0.0, 0.05, m) * np.where(treated, latency[1], latency[0])
    return Experiment(treated, success, error, fallback, seconds)


def test_two_proportions_is_the_chi_square_test():
    found = two_proportion_test((40, 200), (70, 210))
    theirs = stats.chi2_contingency([[40, 160], [70, 140]], correction=False)
    assert found.p_value == pytest.approx(theirs.pvalue)
    assert found.value == pytest.approx(70 / 210 - 0.2)


def test_newcombe_interval_is_the_published_one():
    found = two_proportion_test((48, 80), (56, 70))  # Newcombe, 1998, table II (a), method 10
    assert found.ci_low == pytest.approx(0.0524, abs=5e-5)
    assert found.ci_high == pytest.approx(0.3339, abs=5e-5)


def test_two_proportions_cover():
    rng = np.random.default_rng(0)
    s_a, s_b = rng.binomial(150, 0.1, 4000).tolist(), rng.binomial(200, 0.2, 4000).tolist()
    found = [two_proportion_test((a, 150), (b, 200)) for a, b in zip(s_a, s_b, strict=True)]
    assert 0.93 <= np.mean([f.ci_low <= 0.1 <= f.ci_high for f in found]) <= 0.97


def test_no_successes_anywhere():
    found = two_proportion_test((0, 30), (0, 30))
    assert found.p_value == 1.0
    assert found.ci_low < 0.0 < found.ci_high


def test_welch_is_that_of_scipy():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal(30), rng.standard_normal(12) * 3 + 1
    found = welch_test(a, b)
    theirs = stats.ttest_ind(b, a, equal_var=False)
    interval = theirs.confidence_interval()
    assert found.p_value == pytest.approx(theirs.pvalue)
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high))


def test_required_sample_size_gives_the_power():
    assert required_sample_size(0.5, 0.1) == 388  # Fleiss, without correction
    n = required_sample_size(0.3, 0.1, power=0.9)
    rng = np.random.default_rng(2)
    pairs = zip(rng.binomial(n, 0.3, 3000).tolist(), rng.binomial(n, 0.4, 3000).tolist(), strict=True)
    found = np.mean([two_proportion_test((a, n), (b, n)).p_value <= 0.05 for a, b in pairs])
    assert found == pytest.approx(0.9, abs=0.02)


def test_a_better_ranker_ships():
    verdict = judge(experiment(3, 20_000, (0.5, 0.6)))
    assert verdict.decision == "ship", verdict
    assert {g.state for g in verdict.guardrails} == {"held"}
    assert verdict.success.ci_low > 0.0


def test_a_worse_ranker_stops():
    verdict = judge(experiment(4, 20_000, (0.6, 0.5)))
    assert verdict.decision == "stop"
    assert "less often" in verdict.reason


@pytest.mark.parametrize(
    ("harm", "name"),
    [
        ({"error": (0.01, 0.08)}, "error rate"),
        ({"fallback": (0.02, 0.1)}, "fallback rate"),
        ({"latency": (1, 2)}, "p99 latency"),
    ],
)
def test_harm_stops_a_better_ranker(harm, name):
    verdict = judge(experiment(5, 20_000, (0.5, 0.6), **harm))
    assert verdict.decision == "stop"
    assert name in verdict.reason


def test_too_little_data_goes_on():
    for m in (1, 60):
        verdict = judge(experiment(6, m, (0.5, 0.6)))
        assert verdict.decision == "continue"
        assert "success rate" in verdict.reason


def test_shipping_waits_for_the_guardrails():
    verdict = judge(experiment(7, 800, (0.2, 0.9)))
    assert verdict.decision == "continue"
    assert "success rate" not in verdict.reason


def test_no_difference_seldom_ships_however_often_one_asks():
    lenient = Guardrails(error_rate=0.5, fallback_rate=0.5, p99_latency_ratio=100.0)
    shipped = 0
    for seed in range(20):
        e = experiment(seed, 2000, (0.5, 0.5))
        columns = (e.treated, e.success, e.error, e.fallback, e.latency)
        shipped += any(judge(Experiment(*(c[:m] for c in columns)), lenient).decision == "ship" for m in range(500, 2001, 500))
    assert shipped <= 1


def test_refusals():
    with pytest.raises(InputError, match="control is"):
        two_proportion_test((3, 2), (1, 2))
    with pytest.raises(InputError, match="treated is"):
        welch_test([1.0, 2.0], [1.0])
    with pytest.raises(InputError, match="nothing to test"):
        welch_test([1.0, 1.0], [2.0, 2.0])
    with pytest.raises(InputError, match="differ"):
        required_sample_size(0.5, 0.0)
    with pytest.raises(InputError, match="power"):
        required_sample_size(0.5, 0.1, power=1.0)
    with pytest.raises(InputError, match="ratio"):
        Guardrails(p99_latency_ratio=0.5)
    with pytest.raises(InputError, match="seconds above 0"):
        judge(Experiment(np.array([True]), np.ones(1), np.zeros(1), np.zeros(1), np.zeros(1)))


@pytest.mark.parametrize("missing", [("error",), ("fallback", "error"), ("latency",), ("error", "fallback", "latency")])
def test_what_was_not_logged_is_not_watched_and_the_rest_decides_as_before(missing):
    whole = experiment(3, 20_000, (0.5, 0.6))
    part = judge(replace(whole, **dict.fromkeys(missing)))
    every = judge(whole)
    assert (part.decision, part.success) == ("ship", every.success)
    assert len(part.unwatched) == len(missing)
    assert [g for g in every.guardrails if g.name not in part.unwatched] == list(part.guardrails)
    assert judge(replace(experiment(4, 20_000, (0.6, 0.5)), **dict.fromkeys(missing))).decision != "ship"


@pytest.mark.parametrize("name", ["error", "fallback", "latency"])
def test_a_figure_is_logged_in_every_line_or_in_none(tmp_path, name):
    rows = [{"id": f"{i}", "treated": i % 2 == 0, "success": 1, "error": 0, "fallback": 0, "latency": 0.1} for i in range(4)]
    del rows[0][name]
    path = tmp_path / "ab.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    with pytest.raises(InputError, match=f"line 2: '1' has an {name}, and the lines before it have none: log it in every line"):
        Experiment.load(path)
    path.write_bytes(b"\n".join(orjson.dumps({k: v for k, v in row.items() if k != name}) for row in rows))
    assert getattr(Experiment.load(path), name) is None
