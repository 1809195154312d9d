import numpy as np

from shgat.progressive.changeset import Changes
from shgat.progressive.cochange import LARGEST, SUPPORT, closed_sets

from .histories import event


def history(seed, n=80):
    rng = np.random.default_rng(seed)
    groups = [["a", "b", "c"], ["d", "e"], ["a", "f"]]
    events = []
    for i in range(n):
        files = set(groups[rng.integers(3)]) | {f"x{k}" for k in np.flatnonzero(rng.random(6) < 0.2)}
        events.append(event(i, sorted(files)))
    return Changes.of(events).rows


def test_each_set_is_closed_and_counted_right_and_each_frequent_pair_is_in_its_closure():
    for seed in range(5):
        rows = history(seed)
        members = [set(r.files) for r in rows]
        found = {s.files: s.support for s in closed_sets(rows, 10_000)}
        for files, support in found.items():
            having = [m for m in members if set(files) <= m]
            assert len(having) == support >= SUPPORT
            assert set.intersection(*having) == set(files)
        for a in range(12):
            for b in range(a + 1, 12):
                having = [m for m in members if {a, b} <= m]
                if len(having) >= SUPPORT:
                    closure = tuple(sorted(set.intersection(*having)))
                    assert len(closure) > LARGEST or found[closure] == len(having)


def test_the_most_frequent_stand_first():
    found = closed_sets(history(0), 5)
    assert len(found) == 5
    assert [s.support for s in found] == sorted((s.support for s in found), reverse=True)
    assert closed_sets([]) == []
