"""A canary answers its share of the sessions, and goes where it is worse, seldom where it is not."""

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.registry.canary import Terms, Watch, answers


def test_a_session_has_one_answerer_and_the_share_is_kept():
    keys = [f"session {i}" for i in range(20_000)]
    shares = {percent: {k for k in keys if answers(k, 3, percent)} for percent in (5.0, 10.0, 50.0)}
    for percent, share in shares.items():
        assert abs(len(share) / len(keys) - percent / 100.0) < 0.01
        assert share == {k for k in keys if answers(k, 3, percent)}
    assert shares[5.0] <= shares[10.0] <= shares[50.0]
    assert {k for k in keys if answers(k, 4, 5.0)} != shares[5.0]


def test_terms_go_round_and_are_checked():
    terms = Terms(percent=10.0, until=5.0)
    assert Terms.from_dict(terms.to_dict()) == terms
    assert Terms.from_dict({}) == Terms()
    for values in ({"percent": 0.0}, {"percent": 60.0}, {"harm": 0.9}, {"p99_latency_ratio": 0.5}, {"until": -1.0}):
        with pytest.raises(InputError, match=f"canary: {next(iter(values))} lies in"):
            Terms(**values)
    with pytest.raises(InputError, match="a canary has no term 'size'"):
        Terms.from_dict({"size": 1})


def feed(watch, rng, n, *, failed=0.0, slower=1.0):
    for i in range(n):
        canary = i % 10 == 9
        seconds = rng.lognormal(-6.0, 0.5) * (slower if canary else 1.0)
        watch.answered(canary, seconds, bool(canary and rng.random() < failed))


def test_answers_that_fail_or_are_slow_break_a_guardrail_and_others_do_not():
    rng = np.random.default_rng(0)
    watch = Watch(Terms(percent=10.0))
    feed(watch, rng, 8000)
    assert watch.harm() == ""
    failing, slow = Watch(Terms(percent=10.0)), Watch(Terms(percent=10.0))
    feed(failing, rng, 4000, failed=0.2)
    assert failing.harm() == "error rate"
    feed(slow, rng, 6000, slower=4.0)
    assert slow.harm() == "p99 latency"
    figures = slow.figures()
    assert figures["answers"] == {"production": 5400, "canary": 600}
    assert figures["p99 latency"]["difference"] < -0.05


def decisions(rng, production, canary, most, percent=10.0):
    """The canary's decisions until it is taken away, None where it stays; sessions come as they come, with one decision each."""
    watch, n = Watch(Terms(percent=percent)), 0
    for i in rng.integers(0, 2**62, int(1.3 * most * 100.0 / percent)).tolist():
        mine = answers(str(i), 7, percent)
        watch.executed(mine, float(rng.random() < (canary if mine else production)))
        n += mine
        if mine and watch.harm():
            return n
        if n >= most:
            return None
    raise AssertionError("too few sessions")


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("production", [0.9, 0.95])
def test_three_points_worse_goes_before_2000_decisions_and_an_equal_one_stays(production):
    """Of 100 each, at a tenth of the traffic, looking after each decision."""
    rng = np.random.default_rng(2)
    worse = [decisions(rng, production, production - 0.03, 2000) for _ in range(100)]
    equal = [decisions(rng, production, production, 2000) for _ in range(100)]
    gone = [n for n in worse if n is not None]
    stayed = equal.count(None)
    print(
        f"production {production}: worse rolled back {len(gone)} of 100, after {np.median(gone):.0f} in the median; equal {100 - stayed}"
    )
    assert len(gone) >= 95
    assert 100 - stayed <= 5
