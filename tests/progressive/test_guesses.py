import numpy as np
import pytest

from shgat.progressive.changeset import Changes
from shgat.progressive.guesses import FEWEST, WITHIN, Chain, guesses, probabilities, scaling

from .histories import event

LABELS = ("bugfix", "feature", "test")


def history(n=200, seed=0):
    """A feature is followed by a test, and a test by anything; a and b change together."""
    rng = np.random.default_rng(seed)
    events, label = [], "feature"
    for i in range(n):
        label = "test" if label == "feature" else str(rng.choice(LABELS))
        files = ["a", "b"] if rng.random() < 0.4 else [f"f{k}" for k in rng.choice(12, 2, replace=False)]
        events.append(event(i, files, label=label))
    return Changes.of(events)


def test_a_chain_learns_what_follows_what_and_its_shares_are_one():
    chain = Chain(LABELS)
    assert dict(chain.next()) == pytest.approx(dict.fromkeys(LABELS, 1 / 3))
    for _ in range(40):
        for label in ("feature", "test", "bugfix"):
            chain.add(label)
    found = chain.next()
    assert found[0][0] == "feature"
    assert found[0][1] > 0.9
    assert sum(p for _, p in found) == pytest.approx(1.0)


def test_each_guess_turned_out_as_the_history_says():
    changes = history()
    found = guesses(changes, LABELS)
    end = len(changes.rows)
    for g in found:
        if g.kind == "label" and g.row < end:
            assert g.hit == (g.ranked[0][0] == changes.rows[g.row].label)
        if g.kind == "touched" and g.hit is not None:
            assert g.hit == any(g.query in c.paths for c in changes.rows[g.row : g.row + WITHIN])
        if g.kind == "partner" and g.hit is not None:
            assert g.query in changes.rows[g.row].paths
            assert g.hit == (g.ranked[0][0] in changes.rows[g.row].paths)
    assert all(g.hit is None for g in found if g.row == end)
    assert {g.kind for g in found if g.row == end} == {"label", "touched", "partner"}


def test_a_guess_knows_nothing_of_what_comes_after_it():
    changes = history()
    whole, part = guesses(changes, LABELS), guesses(changes.first(100), LABELS)
    assert [(g.kind, g.query, g.ranked) for g in whole if g.row < 100] == [(g.kind, g.query, g.ranked) for g in part if g.row < 100]
    assert [g.ranked for g in part if g.row == 100 and g.kind == "label"] == [
        g.ranked for g in whole if g.row == 100 and g.kind == "label"
    ]


def test_probabilities_are_learned_from_what_turned_out_before():
    found = guesses(history(), LABELS)
    assert scaling(found, "label", FEWEST - 1) is None
    scale = scaling(found, "label", 150)
    later = [g for g in found if g.kind == "label" and g.row >= 150]
    spoiled = [g if g.row < 150 else type(g)(g.kind, g.row, g.query, g.ranked, True, g.known) for g in found]
    assert scaling(spoiled, "label", 150) == scale
    for g in later:
        p = [p for _, p in probabilities(g, scale)]
        assert 0.0 <= min(p) <= max(p) <= 1.0
        assert sum(p) <= 1.0 + 1e-9
