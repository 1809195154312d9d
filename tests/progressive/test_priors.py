import math

import numpy as np
import pytest

from shgat.progressive.changeset import Changes
from shgat.progressive.priors import BY_FILE, BY_INTENT, Counts, logs

from .histories import event


def counted(n=60, seed=0):
    rng = np.random.default_rng(seed)
    events = [
        event(i, sorted(f"f{k}" for k in rng.choice(9, rng.integers(1, 5), replace=False)), f"w{i % 5} all") for i in range(n)
    ]
    rows = Changes.of(events).rows
    counts = Counts(9)
    for row in rows:
        counts.add(row)
    return rows, counts


def test_counts_are_those_of_the_commits_one_by_one():
    rows, counts = counted()
    touched = np.array([sum(f in r.files for r in rows) for f in range(9)], float)
    fading = np.array([sum(2.0 ** ((i - 60) / 200) for i, r in enumerate(rows) if f in r.files) for f in range(9)])
    both = np.array([sum(2 in r.files and f in r.files for r in rows) for f in range(9)], float)
    both[2] = 0
    found = counts.of_file(2)
    assert set(found) == set(BY_FILE)
    assert found["popularity"] == pytest.approx(touched)
    assert found["recency"] == pytest.approx(fading)
    assert found["confidence"] == pytest.approx((both + 2 * fading / fading.sum()) / (touched[2] + 2))
    assert found["cosine"] == pytest.approx(both / np.sqrt(touched[2] * touched))
    mine = [
        (2.0 ** ((i - 60) / 200) / (len(r.files) - 1), r.files) for i, r in enumerate(rows) if 2 in r.files and len(r.files) > 1
    ]
    weighted = [sum(w for w, files in mine if f in files) for f in range(9)]
    weighted[2] = 0
    assert found["cochange"] == pytest.approx(weighted)


def test_words_lead_to_the_files_that_they_were_said_of():
    rows, counts = counted()
    found = counts.of_intent("w3 unheard")
    assert set(found) == set(BY_INTENT)
    having = [r for r in rows if "w3" in r.message]
    expected = [math.log(61 / len(having)) * sum(f in r.files for r in having) / len(having) for f in range(9)]
    assert found["words"] == pytest.approx(expected)
    assert counts.of_intent("")["words"].sum() == 0


def test_fading_goes_on_when_units_begin_anew():
    counts = Counts(2)
    rows = Changes.of([event(i, ["a", "b"] if i % 2 else ["a"]) for i in range(2010)]).rows
    for row in rows:
        counts.add(row)
    expected = [sum(2.0 ** ((i - 2010) / 200) for i in range(2010) if f == 0 or i % 2) for f in range(2)]
    assert counts.of_intent("")["recency"] == pytest.approx(expected)
    assert counts.of_file(0)["cochange"][1] == pytest.approx(expected[1])


def test_logs_are_of_shares_among_the_candidates():
    found = logs({"a": np.array([1.0, 3.0, 0.0, 9.0]), "b": np.zeros(4)}, ["a", "b"], np.array([0, 1, 2]))
    assert found.shape == (2, 3)
    assert np.exp(found[0]) == pytest.approx(np.array([0.25, 0.75, 0.0]) + 0.01 / 3)
    assert np.exp(found[1]) == pytest.approx([0.01 / 3] * 3)
