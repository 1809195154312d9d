import math

import numpy as np
import pytest
from scipy import stats

from shgat.errors import InputError
from shgat.progressive.changeset import Changes
from shgat.progressive.generator import Plan, make
from shgat.progressive.learner import Learner
from shgat.progressive.recorded import history
from shgat.progressive.transfer import earlier, spearman, transferred
from shgat.worker.parent import Child

from .histories import event


def test_spearman_is_that_of_scipy():
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, y = rng.integers(0, 5, 8).tolist(), rng.normal(size=8).tolist()
        assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)
    assert math.isnan(spearman(range(3), [1.0, 1.0, 1.0]))


def test_rows_before_a_moment():
    changes = Changes.of([event(i, ["a"], time=1_500_000_000 + i) for i in range(5)])
    assert [earlier(changes, 1_500_000_000 + t) for t in (-1, 0, 3, 9)] == [0, 0, 3, 5]


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(InputError, match="at least one batch"):
        transferred([], [], lambda: Learner(Child()))


@pytest.mark.slow
def test_a_curve_of_each_held_out_repository(tmp_path):
    found = [history(make(tmp_path / f"r{s}.git", Plan(seed=s, commits=200, adversarial=False)).path) for s in (1, 2, 3)]
    seen = []
    with Child() as child:
        curves = transferred(
            [[found[0]], [found[1]]], found[2:], lambda: Learner(child), lambda n, _: seen.append(n), judge=found[0], most=20
        )
    assert seen == [1, 2]
    assert [c.kind for c in curves] == ["file", "intent"]
    for curve in curves:
        assert len(curve.after) == 3
        figures = curve.figures(np.random.default_rng(0))
        assert figures["gain"]["mean"] == pytest.approx(curve.adapted.mean() - curve.scratch.mean())
