"""What comes next in a history, said before it comes: raw scores of three kinds of forecast, and how each turned out.

    label    the kind of work of the next commit: a Markov chain of order two, mixed with those of order one and nought
    touched  is a file, one of the twenty that are touched most of late, touched within the next twenty commits?
    partner  the next commit that touches a file and others: which other one is it?

The scores become probabilities by Platt's scaling, fitted on forecasts of the same history that turned out before.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..metrics.calibration import PlattScaling
from .changeset import Changes, Changeset
from .priors import Counts
from .snapshot import asked_of

Kind = Literal["label", "touched", "partner"]
KINDS: tuple[Kind, ...] = ("label", "touched", "partner")
WITHIN = 20  # commits in which a file is touched
LISTED = 20  # files that are asked about, and partners that are named
FEWEST = 30  # forecasts that turned out, from which probabilities are learned
_MOST = 200  # the latest of them that are


@dataclass(frozen=True, slots=True)
class Guess:
    """One forecast before it has a probability.

    Attributes
    ----------
    kind : label, touched or partner
    row : before which it is made
    query : path of the file that is asked about, "" for a label
    ranked : (candidate, score), best first
    hit : did the first candidate come? None: not known yet
    known : row after which that is known
    """

    kind: Kind
    row: int
    query: str
    ranked: tuple[tuple[str, float], ...]
    hit: bool | None
    known: int


class Chain:
    """Which label follows which: P = (n_ab + 2 P_b) / (n_a + 2), and so on down to even shares."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = sorted(names)
        self._counts: dict[tuple[str, ...], Counter[str]] = {}
        self._past: tuple[str, ...] = ()

    def add(self, label: str) -> None:
        """One more."""
        for order in range(len(self._past) + 1):
            self._counts.setdefault(self._past[len(self._past) - order :], Counter())[label] += 1
        self._past = (*self._past, label)[-2:]

    def next(self) -> list[tuple[str, float]]:
        """(label, probability), the likeliest first."""
        p = dict.fromkeys(self._names, 1.0 / max(len(self._names), 1))
        for order in range(len(self._past) + 1):
            counts = self._counts.get(self._past[len(self._past) - order :], Counter())
            total = counts.total()
            p = {name: (counts[name] + 2.0 * share) / (total + 2.0) for name, share in p.items()}
        return sorted(p.items(), key=lambda item: (-item[1], item[0]))


def guesses(changes: Changes, names: Sequence[str]) -> list[Guess]:
    """All that could be said of a history, commit after commit, and before the one that has not come yet.

    Parameters
    ----------
    names : the labels that there are
    """
    found, chain, counts = list[Guess](), Chain(names), Counts(len(changes.first_paths))
    paths, end = list(changes.first_paths), len(changes.rows)
    for row in range(end + 1):
        change = changes.rows[row] if row < end else None
        said = tuple(chain.next())
        found.append(Guess("label", row, "", said, None if change is None else said[0][0] == change.label, row))
        if row % WITHIN == 0 or change is None:
            found += _touched(changes, row, counts, paths)
        found += _partner(changes, row, counts, paths)
        if change is not None:
            chain.add(change.label)
            counts.add(change)
            for file, path in zip(change.files, change.paths, strict=True):
                paths[file] = path
    return found


def _touched(changes: Changes, row: int, counts: Counts, paths: list[str]) -> list[Guess]:
    recency = counts.of_intent("")["recency"]
    alive = np.array(changes.alive(row), np.int64)
    best = alive[np.argsort(-recency[alive], kind="stable")][:LISTED]
    coming = changes.rows[row : row + WITHIN]
    whole = len(coming) == WITHIN
    return [
        Guess(
            "touched",
            row,
            paths[file],
            (("touched", float(np.log(recency[file] + 1e-6))),),
            any(file in c.files for c in coming) if whole else None,
            row + WITHIN - 1,
        )
        for file in best.tolist()
        if recency[file] > 0
    ]


def _partner(changes: Changes, row: int, counts: Counts, paths: list[str]) -> list[Guess]:
    """Of a commit, one of its files leads to the others; before the one that has not come, each of the last one's files does."""
    change: Changeset | None = changes.rows[row] if row < len(changes.rows) else None
    alive = set(changes.alive(row))
    if change is None:
        asking = [f for f in changes.rows[-1].files if f in alive][:LISTED] if changes.rows else []
    else:
        there = [f for f in change.files if f in alive]
        asking = [there[asked_of(change.sha, len(there))]] if len(there) > 1 else []
    found = []
    for file in asking:
        others = np.array(sorted(alive - {file}), np.int64)
        if not len(others):
            continue
        score = counts.of_file(file)["confidence"][others]
        order = np.argsort(-score, kind="stable")[:LISTED]
        ranked = tuple((paths[others[i]], float(np.log(score[i] + 1e-6))) for i in order.tolist())
        hit = None if change is None else int(others[order[0]]) in change.files
        found.append(Guess("partner", row, paths[file], ranked, hit, row))
    return found


def scaling(found: Sequence[Guess], kind: Kind, row: int) -> PlattScaling | None:
    """Score -> probability of the first candidate, from what turned out before a row; None: too few did."""
    past = [g for g in found if g.kind == kind and g.hit is not None and g.known < row][-_MOST:]
    if len(past) < FEWEST:
        return None
    scores = [_logit(g) for g in past]
    return PlattScaling.fit(scores, [float(bool(g.hit)) for g in past])


def probabilities(guess: Guess, scale: PlattScaling) -> list[tuple[str, float]]:
    """(candidate, probability); of a label or a partner those that are not first share what the first one leaves, by their scores."""
    first = float(scale.apply(_logit(guess)))
    names, scores = [name for name, _ in guess.ranked], np.array([s for _, s in guess.ranked])
    if len(names) < 2:
        return [(names[0], first)]
    rest = scores[1:] if guess.kind == "label" else np.exp(scores[1:])
    rest = rest / max(rest.sum(), 1e-12) * (1.0 - first)
    return [(names[0], first), *((name, float(min(p, first))) for name, p in zip(names[1:], rest, strict=True))]


def _logit(guess: Guess) -> float:
    score = guess.ranked[0][1]
    return float(np.log(score / max(1.0 - score, 1e-9))) if guess.kind == "label" else score
