import numpy as np
import pytest

from shgat.progressive.bar import Bench
from shgat.progressive.generator import Plan, make
from shgat.progressive.learning_bars import forecasts, kinds_of_work, links, macro, measures, transfer
from shgat.progressive.questions import names
from shgat.progressive.temporal import Ranked


def bench(tmp_path, n, commits):
    return Bench([make(tmp_path / f"r{s}.git", Plan(seed=s, commits=commits, adversarial=False)).path for s in range(n)], tmp_path)


def test_bars_have_their_names():
    assert list(measures()) == ["B10", "B11", "B12", "B13", "B14"]


def test_forecasts_and_what_cannot_be_measured(tmp_path):
    short = bench(tmp_path, 2, 60)
    found = forecasts(short)
    assert found.reached in (True, False)
    assert "Brier" in found.found
    for bar in (links(short), transfer(short), kinds_of_work(short)):
        assert bar.reached is None
        assert "no repository" in bar.found or "needed" in bar.found


def test_macro_figures_are_of_repositories():
    def of(gain):
        test = {name: np.full(20, 0.5) for name in (*names("file"), "backed off", "prior", "shgat + prior")}
        test["shgat + prior"] = test["shgat + prior"] + gain
        return Ranked("file", {}, {"confidence": 0.6, "shgat + prior": 0.7, "popularity": 0.1}, test)

    found = macro([of(0.1), of(0.2), of(-0.05)], np.random.default_rng(0))
    assert (found["wins"], found["of"]) == (2, 3)
    assert found["mean"] == pytest.approx(0.25 / 3)
    assert found["worst"] == pytest.approx(-0.05)
    assert found["ships"] == {"shgat + prior": 3}


@pytest.mark.slow
def test_links_of_generated_repositories(tmp_path):
    found = links(bench(tmp_path, 2, 200))
    assert found.reached in (True, False)
    assert "of 2" in found.found
