"""How well kinds of work are told from commits: learned, and by the rules; on later commits, and on repositories that were never seen.

The makers' own words (`prefixes`) say what is right, and are taken away before anything is asked.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .changeset import Changes
from .labels import labels
from .patterns import Labelled, learned, macro_f1
from .prefixes import prefixed

FEWEST = 100  # labelled commits of a history that is looked at
LEARNED = 0.8  # part of the labelled commits that is learned from
METHODS = ("naive Bayes", "logistic regression")


@dataclass(frozen=True)
class Told:
    """How well the labels of one history are told.

    Attributes
    ----------
    name : of the repository
    labelled, commits : commits whose makers say what they are, and all
    macro_f1, accuracy : method -> figure on the last fifth of them
    chosen : the method that earlier commits choose
    """

    name: str
    labelled: int
    commits: int
    macro_f1: Mapping[str, float]
    accuracy: Mapping[str, float]
    chosen: str

    def figures(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "labelled": self.labelled,
            "commits": self.commits,
            "macro_f1": dict(self.macro_f1),
            "accuracy": dict(self.accuracy),
            "chosen": self.chosen,
        }


def told(histories: Sequence[Changes]) -> list[Told]:
    """Of each history that has a hundred labelled commits: majority, rules, both methods, the one that is chosen (`shgat`), and what the
    other histories taught, from commits before the first that is asked (`others`)."""
    every = [(changes, Labelled.of(changes.rows)) for changes in histories]
    return [_of_one(changes, data, histories) for changes, data in every if len(data) >= FEWEST]


def _of_one(changes: Changes, data: Labelled, histories: Sequence[Changes]) -> Told:
    cut = int(len(data) * LEARNED)
    before, after = data.part(0, cut), data.part(cut, len(data))
    rows = [change for change in changes.rows if prefixed(change.message)[0]][cut:]
    most = Counter(before.labels).most_common(1)[0][0]
    found = {"majority": [most] * len(after), "rules": [_by_rules(c.message, c.paths, c.added) for c in rows]}
    for method in METHODS:
        found[method] = learned(before, method).predict(after.texts)
    own = learned(before)
    found["shgat"] = found[own.method]
    others = Labelled([], [])
    for other in histories:
        if other is not changes:
            others = others + Labelled.of([c for c in other.rows if c.time < rows[0].time])
    if len(set(others.labels)) > 1:
        found["others"] = learned(others).predict(after.texts)
    f1 = {name: macro_f1(labels_, after.labels) for name, labels_ in found.items()}
    right = {name: sum(a == b for a, b in zip(labels_, after.labels, strict=True)) / len(after) for name, labels_ in found.items()}
    return Told(changes.name, len(data), len(changes.rows), f1, right, own.method)


def _by_rules(message: str, paths: Sequence[str], added: frozenset[int]) -> str:
    """The label that the rules are surest of, of a message without the word that says it."""
    files = [{"p": path, "s": "A" if i < len(added) else "M"} for i, path in enumerate(paths)]
    return str(max(labels(prefixed(message)[1], files), key=lambda label: label["p"])["t"])
