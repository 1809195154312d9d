from collections import Counter
from itertools import combinations

import numpy as np

from shgat.progressive.changeset import Changes
from shgat.progressive.correlations import correlations, lead_lag, pair_keys, semantic, spatial, temporal

from .histories import event


def planted(rng, n=400):
    """x and y together in a fifth of the commits, twenty other files on their own."""
    events = []
    for i in range(n):
        together = rng.random() < 0.2
        own = [f"f{k}" for k in np.flatnonzero(rng.random(20) < 0.1)]
        events.append(
            event(i, [*own, *(["x", "y"] if together else [])] or ["z"], "both parsers" if together else f"word{i % 9} z{i % 7}")
        )
    return Changes.of(events)


def test_files_that_were_planted_together_are_found_and_hardly_others():
    changes = planted(np.random.default_rng(0))
    found = spatial(changes)
    assert {found[0].a, found[0].b} == {"x", "y"} or {"x", "y"} in [{f.a, f.b} for f in found]
    (pair,) = [f for f in found if {f.a, f.b} == {"x", "y"}]
    assert pair.n == pair.na == pair.nb == sum("both" in c.message for c in changes.rows)
    assert pair.npmi == 1.0
    assert len(found) <= 4  # of 190 independent pairs, at a false discovery rate of 5 %


def test_pairs_of_rows_are_all_of_them_once():
    rows = [(0, 1, 2), (1, 2), (3,), (0, 2, 4, 5)]
    expected = Counter(a * 10 + b for row in rows for a, b in combinations(row, 2))
    assert Counter(pair_keys(rows, 10).tolist()) == expected


def test_a_label_that_follows_another_is_temporal_as_counted_one_by_one():
    rng, day = np.random.default_rng(1), 86_400
    labels, times, at = [], [], 1_500_000_000
    for _ in range(120):
        at += int(rng.integers(20, 40)) * day
        labels += ["feature", "test"] if rng.random() < 0.7 else ["other"]
        times += [at, at + 2 * day][: len(labels) - len(times)]
    events = [event(i, ["f"], label=la, time=t) for i, (la, t) in enumerate(zip(labels, times, strict=True))]
    found = temporal(Changes.of(events).rows)
    (pair,) = [f for f in found if (f.a, f.b) == ("feature", "test")]
    whole = [i for i, t in enumerate(times) if t + 7 * day <= times[-1]]
    after = {i: {labels[j] for j, u in enumerate(times) if times[i] < u <= times[i] + 7 * day} for i in whole}
    assert pair.n == sum(labels[i] == "feature" and "test" in after[i] for i in whole)
    assert pair.total == len(whole)


def test_what_an_author_goes_on_to_is_found_and_what_an_author_likes_is_not():
    rng = np.random.default_rng(2)
    events, n = [], 0
    for _ in range(150):  # a goes from feature to test; b does everything at random, c only documents
        author = "abc"[rng.integers(3)]
        steps = {"a": ["feature", "test"], "b": [str(k) for k in rng.choice(["feature", "bugfix"], 2)], "c": ["documentation"] * 2}[
            author
        ]
        for k, label in enumerate(steps):
            events.append(event(n, ["f"], label=label, author=author, time=1_500_000_000 + len(events) // 2 * 86_400 + 60 * k))
            n += 1
    found = {(f.a, f.b) for f in lead_lag(Changes.of(events).rows, np.random.default_rng(3))}
    assert ("feature", "test") in found
    assert ("documentation", "documentation") not in found  # whatever the order, c documents
    assert not any("bugfix" in pair for pair in found)


def test_shuffled_histories_have_hardly_any_lead_lag():
    rng = np.random.default_rng(4)
    kept = 0
    for _ in range(20):
        labels = rng.choice(["feature", "test", "bugfix"], 200)
        rows = Changes.of([event(i, ["f"], label=str(la), time=1_500_000_000 + 60 * i) for i, la in enumerate(labels)]).rows
        kept += len(lead_lag(rows, rng, 399))
    assert kept <= 5


def test_files_that_are_spoken_of_in_the_same_words_are_near():
    rng, events = np.random.default_rng(6), []
    for i in range(300):
        topic = int(rng.integers(5))
        file, said = int(rng.integers(4)), rng.choice(12, 4, replace=False)
        events.append(event(i, [f"t{topic}/f{file}"], " ".join(f"word{topic}x{k}" for k in said)))
    found = semantic(Changes.of(events), nearest=2)
    assert len(found) >= 15
    assert all(f.a.partition("/")[0] == f.b.partition("/")[0] for f in found)
    assert all(f.total == 60 for f in found)


def test_a_cap_says_what_it_left_out_and_the_same_seed_gives_the_same():
    changes = planted(np.random.default_rng(5))
    everything, none = correlations(changes, np.random.default_rng(0))
    first, dropped = correlations(changes, np.random.default_rng(0), cap=1)
    assert none == 0
    assert dropped == len(everything) - len(first)
    assert [f for f in everything if f in first] == first
    assert correlations(changes, np.random.default_rng(0))[0] == everything


def test_an_empty_history_has_none():
    assert correlations(Changes.of([]), np.random.default_rng(0)) == ([], 0)
