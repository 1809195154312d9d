"""The same plan gives the same repository, and what is planted is there."""

from collections import Counter
from itertools import combinations

import pytest

from shgat.errors import InputError, RepositoryError
from shgat.progressive.events import events
from shgat.progressive.generator import Plan, make
from shgat.progressive.history import History


def test_the_same_plan_the_same_ids(tmp_path):
    heads = [History.of(make(tmp_path / f"{i}.git", Plan(seed=s, commits=30)).path).head for i, s in enumerate((1, 1, 2))]
    assert heads[0] == heads[1] != heads[2]


def test_groups_change_together_and_drift(tmp_path):
    planted = make(tmp_path / "r.git", Plan(seed=3, commits=200, adversarial=False))
    pairs = Counter()
    found = list(events(History.of(planted.path)))
    for e in found[1:]:
        pairs.update(combinations(sorted(f["p"] for f in e["files"]), 2))
    inside = {pair for group in planted.groups for pair in combinations(sorted(group), 2)}
    assert {pair for pair, _ in pairs.most_common(len(inside))} == inside
    half = len(found) // 2
    later = Counter(f["p"] for e in found[half + 10 :] for f in e["files"])
    assert sum(later[p] for p in planted.groups[0]) < sum(later[p] for p in planted.groups[-1])
    assert planted.reverted
    assert planted.renamed


def test_mistakes(tmp_path):
    with pytest.raises(InputError):
        Plan(seed=-1)
    with pytest.raises(InputError):
        Plan(commits=0)
    (tmp_path / "file").write_text("x")
    with pytest.raises(RepositoryError):
        make(tmp_path / "file", Plan())
