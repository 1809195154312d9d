"""The one gate: what lets a ranker through, what keeps it out, and that the reason names figures."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.metrics.gate import CONFIDENCE, ONE_STANDARD_ERROR, Comparison, compare, decide, kept
from shgat.metrics.resampling import paired_bootstrap

BETTER, WORSE, UNSURE = (0.1, 0.3), (-0.3, -0.1), (-0.1, 0.1)


def found(against, part, interval):
    low, high = interval
    return Comparison(against, part, 0.5 + (low + high) / 2, 0.5, low, high, 40)


def test_better_than_every_rival_over_all_passes_and_the_reason_is_the_first():
    verdict = decide([found("cosine", "all", BETTER), found("popularity", "all", BETTER)], on_every_part=("cosine",))
    assert verdict.passed
    assert verdict.reason == "better than cosine: 0.700 against 0.500 on 40 all intents (difference +0.100 to +0.300)"


@pytest.mark.parametrize("interval", [WORSE, UNSURE, (0.0, 0.3), (0.0, 0.0)])
@pytest.mark.parametrize("rival", ["cosine", "popularity"])
def test_not_surely_better_than_one_rival_over_all_is_refused(rival, interval):
    comparisons = [found(name, "all", interval if name == rival else BETTER) for name in ("cosine", "popularity")]
    verdict = decide(comparisons, on_every_part=("cosine",))
    assert not verdict.passed
    assert verdict.reason.startswith(f"not better than {rival}: ")


@pytest.mark.parametrize("part", ["warm", "cold"])
def test_a_rival_that_holds_on_every_part_and_wins_on_one_refuses(part):
    comparisons = [found("cosine", "all", BETTER), found("cosine", part, WORSE)]
    verdict = decide(comparisons, on_every_part=("cosine",))
    assert not verdict.passed
    assert verdict.reason == f"worse than cosine: 0.300 against 0.500 on 40 {part} intents (difference -0.300 to -0.100)"


@pytest.mark.parametrize("interval", [UNSURE, (-0.1, 0.0)])
def test_on_a_part_only_what_is_surely_worse_refuses(interval):
    assert decide([found("cosine", "all", BETTER), found("cosine", "warm", interval)], on_every_part=("cosine",)).passed


def test_a_rival_that_need_not_be_beaten_everywhere_may_win_on_a_part():
    comparisons = [found("cosine", "all", BETTER), found("novelty", "all", BETTER), found("novelty", "cold", WORSE)]
    assert decide(comparisons, on_every_part=("cosine",)).passed
    assert decide(comparisons, on_every_part=()).passed
    assert not decide(comparisons, on_every_part=("cosine", "novelty")).passed


@pytest.mark.parametrize("comparisons", [[], [found("cosine", "warm", BETTER)]], ids=["none", "of a part alone"])
def test_without_a_comparison_over_all_nothing_passes(comparisons):
    verdict = decide(comparisons, on_every_part=("cosine",))
    assert (verdict.passed, verdict.reason) == (False, "no held-out intent has a tool to find")


COMPARISONS = st.lists(
    st.builds(found, st.sampled_from("ab"), st.sampled_from(["all", "warm", "cold"]), st.sampled_from([BETTER, WORSE, UNSURE]))
)


@given(COMPARISONS, st.sets(st.sampled_from("ab")))
def test_the_order_does_not_count_and_more_strictness_lets_nothing_more_through(comparisons, strict):
    passed = decide(comparisons, strict).passed
    assert decide(comparisons[::-1], strict).passed == passed
    assert passed or not decide(comparisons, "ab").passed
    assert not passed or decide([replace(c, low=0.2, high=0.3) for c in comparisons], strict).passed


def test_where_the_criterion_ties_the_likelihood_decides():
    tie = found("popularity", "all", (0.0, 0.0))
    surer, unsure = (replace(found("popularity", "all", interval), measure="likelihood") for interval in (BETTER, UNSURE))
    assert decide([tie, surer], ()).passed
    assert decide([tie, surer], ()).reason.startswith("better than popularity: log-likelihood 0.700 against 0.500")
    assert not decide([tie, unsure], ()).passed
    assert not decide([found("popularity", "all", WORSE), surer], ()).passed  # surely worse is no tie
    assert not decide([surer], ()).passed


def test_a_trivial_rival_at_the_ceiling_is_no_hurdle_and_cosine_is():
    def perfect(name):
        return replace(found(name, "all", (0.0, 0.0)), ours=1.0, theirs=1.0)

    cosine = found("cosine", "all", BETTER)
    assert decide([cosine, perfect("popularity")], ("cosine",)).passed
    assert not decide([perfect("cosine"), perfect("popularity")], ("cosine",)).passed
    assert not decide([cosine, replace(perfect("popularity"), low=-0.2, high=-0.1)], ("cosine",)).passed
    assert not decide([cosine, replace(perfect("popularity"), theirs=0.9)], ("cosine",)).passed


def earlier(criterion, likelihood, part="earlier"):
    return [found("before", part, criterion), replace(found("before", part, likelihood), measure="likelihood")]


def test_an_update_stays_unless_it_is_surely_worse_on_any_part():
    assert kept(earlier(UNSURE, UNSURE)).passed
    for part in ("earlier", "held out", "descriptions"):
        for bad in (earlier(WORSE, BETTER, part), earlier(BETTER, WORSE, part)):
            verdict = kept([*earlier(BETTER, BETTER), *bad])
            assert not verdict.passed
            assert verdict.reason.startswith(f"worse than before on {part}: ")
    assert kept([]).passed


def test_what_falls_a_little_on_earlier_traces_again_and_again_is_refused():
    little = (-0.1, 0.05)
    assert not kept(earlier(little, little)).passed
    assert kept(earlier(little, little), one_of_many=False).passed
    assert kept(earlier(little, little, "held out")).passed
    assert kept(earlier(little, BETTER)).passed  # one of the two measures has not fallen
    assert kept(earlier(BETTER, little)).passed
    assert not kept(earlier((0.0, 0.0), little)).passed


def test_a_comparison_is_a_paired_bootstrap_over_the_intents_that_have_a_value():
    rng = np.random.default_rng(0)
    theirs = rng.random(80)
    ours = np.where(np.arange(80) < 20, np.nan, theirs + rng.normal(0.05, 0.2, 80))
    test = compare("cosine", "warm", ours, theirs, np.random.default_rng(1), name="plain")
    own = paired_bootstrap(ours[20:], theirs[20:], rng=np.random.default_rng(1), n_resamples=2000, confidence=0.98)
    assert (test.low, test.high) == (own.ci_low, own.ci_high)
    assert (test.name, test.against, test.part, test.n) == ("plain", "cosine", "warm", 60)
    assert (test.ours, test.theirs) == pytest.approx((ours[20:].mean(), theirs[20:].mean()))
    assert compare("cosine", "all", np.full(9, np.nan), np.full(9, np.nan), rng) is None


def test_one_standard_error_is_about_that():
    rng = np.random.default_rng(2)
    difference = rng.standard_normal(400)
    test = compare("before", "all", difference, np.zeros(400), rng, ONE_STANDARD_ERROR)
    error = difference.std() / 20.0
    assert test.ours - test.low == pytest.approx(error, rel=0.1)
    assert test.high - test.ours == pytest.approx(error, rel=0.1)


def test_a_ranker_that_is_no_better_seldom_passes():
    rng = np.random.default_rng(3)
    passed = 0
    for _ in range(400):
        ours, theirs = rng.random((2, 60))
        passed += decide([compare("cosine", "all", ours, theirs, rng)], on_every_part=("cosine",)).passed
    assert passed / 400 < 1.0 - CONFIDENCE + 0.01  # one side alone is half of that
