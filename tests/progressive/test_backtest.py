import numpy as np
import pytest

from shgat.metrics.calibration import brier
from shgat.progressive.backtest import backtests, joined

from .test_guesses import LABELS, history


def test_forecasts_of_a_history_with_a_pattern_are_better_than_its_base_rate():
    found = backtests(history(600), LABELS)
    label = found["label"].figures()
    assert label["brier"] < label["brier_base"] - 0.02
    assert label["ece"] < 0.15
    assert label["resolved"] == label["due"] == label["n"] == 120
    assert found["partner"].figures()["accuracy"] > 0.3


def test_figures_are_of_what_turned_out():
    found = backtests(history(300), LABELS)["touched"]
    assert found.figures()["brier"] == pytest.approx(np.mean((found.p - found.hit) ** 2))
    both = joined([found, found])
    assert len(both.p) == 2 * len(found.p)
    assert brier(both.p, both.hit) == pytest.approx(brier(found.p, found.hit))


def test_a_short_history_has_none():
    assert all(len(b.p) == 0 for b in backtests(history(20), LABELS).values())
    assert joined([]).figures()["n"] == 0
