"""Own executions count where held-out ones say that they serve the principal better, and never where they do not."""

import numpy as np
import pytest

from shgat.learning.trial import FIRST, KEPT, Trial
from shgat.model.own import TRUSTS

N = 40


def played(trial, n, gain, rng, noise=1.0):
    """n executions whose tool the shared scores know as well as `noise` lets them, and own ones by `gain` better."""
    for _ in range(n):
        ran = int(rng.integers(N))
        shared = noise * rng.standard_normal(N).astype(np.float32)
        mixed = [shared.copy() for _ in TRUSTS]
        for row, part in zip(mixed, (0.3, 0.6, 1.0), strict=True):
            row[ran] += part * gain
        trial.add(shared, mixed, [ran])
    return trial


def test_it_passes_where_own_executions_help_and_says_by_how_much():
    trial = played(Trial(), 60, 3.0, np.random.default_rng(0))
    assert trial.verdict.passed
    assert "better than shared" in trial.verdict.reason
    assert trial.trust == TRUSTS[2]  # the more the better
    figures = trial.figures()
    assert figures["own"] > figures["shared"]
    assert figures["own_log_likelihood"] > figures["shared_log_likelihood"]


def test_it_does_not_where_they_change_nothing_or_do_harm():
    assert not played(Trial(), 200, 0.0, np.random.default_rng(0)).verdict.passed
    harmed = played(Trial(), 200, -3.0, np.random.default_rng(0))
    assert not harmed.verdict.passed
    assert harmed.trust == TRUSTS[0]  # the less the better
    assert Trial().trust == TRUSTS[0]
    assert Trial().figures() == {}


def test_it_waits_for_enough():
    trial = played(Trial(), FIRST - 1, 9.0, np.random.default_rng(0))
    assert not trial.verdict.passed
    assert "too early" in trial.verdict.reason
    assert played(trial, 1, 9.0, np.random.default_rng(1)).verdict.passed


def test_chance_alone_seldom_passes():
    passed = 0
    for seed in range(60):
        rng, trial = np.random.default_rng(seed), Trial()
        for _ in range(45):  # three verdicts
            shared = rng.standard_normal(N).astype(np.float32)
            trial.add(shared, [shared + 0.5 * rng.standard_normal(N).astype(np.float32) for _ in TRUSTS], [int(rng.integers(N))])
        passed += trial.verdict.passed
    assert passed <= 6


def test_what_helped_once_and_does_no_more_is_found_out_in_bounded_memory():
    trial, rng = played(Trial(), 100, 4.0, np.random.default_rng(0)), np.random.default_rng(1)
    assert trial.verdict.passed
    played(trial, 400, -4.0, rng)
    assert not trial.verdict.passed
    assert trial.n == 500
    assert trial.bytes == KEPT * 7 * 4


@pytest.mark.parametrize("ran", [[3], [3, 5, 39]])
def test_several_tools_are_one_execution(ran):
    trial = Trial()
    shared = np.zeros(N, np.float32)
    better = shared.copy()
    better[ran] = 5.0
    trial.add(shared, [better] * 3, ran)
    assert trial.n == 1
    assert trial.figures()["own"] == pytest.approx(1.0)
