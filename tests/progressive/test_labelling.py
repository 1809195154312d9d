import numpy as np

from shgat.progressive.changeset import Changes
from shgat.progressive.labelling import told

from .histories import event


def history(name, n=200, seed=0, start=0):
    rng = np.random.default_rng(seed)
    kinds = (("fix", "crash leak"), ("doc", "explain guide"), ("feat", "option switch"))
    events = []
    for i in range(n):
        word, said = kinds[rng.choice(3, p=[0.6, 0.2, 0.2])]
        message = f"{word}: {rng.choice(said.split())} thing{rng.integers(40)}" if i % 5 else "whatever"
        events.append(event(i, [f"f{rng.integers(9)}.py"], message, time=1_500_000_000 + start + i))
    return Changes.of(events, name)


def test_kinds_are_told_better_than_by_the_majority_and_by_rules():
    (found,) = told([history("one")])
    assert found.labelled == 160
    assert found.macro_f1["shgat"] > 0.9
    assert found.macro_f1["shgat"] > found.macro_f1["rules"]
    assert found.macro_f1["majority"] < 0.5
    assert "others" not in found.macro_f1


def test_other_repositories_teach_what_was_committed_before_the_first_that_is_asked():
    later, earlier = history("later", seed=1, start=10**6), history("earlier", seed=2)
    found = {t.name: t for t in told([later, earlier])}
    assert found["later"].macro_f1["others"] > 0.9
    assert "others" not in found["earlier"].macro_f1


def test_few_labels_are_not_looked_at():
    assert told([history("short", 50)]) == []
