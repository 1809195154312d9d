"""What to change in a repository, each with the figures that it rests on and a claim that can be measured later.

    mended   commits to a folder are taken back or mended soon after, more often than elsewhere: review it, test it
    tested   features come without tests, more often than other work does: ask for them
    apart    two files of different folders hardly change one without the other: put them together, or something between them

A claim says which figure will be where after how many commits, whether or not anybody follows the advice: one that comes true by itself was
no use, and the share of claims that hold is an upper bound of what the advice is worth.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .._types import Bool
from ..model.words import words
from .association import benjamini_hochberg, measures, p_values
from .changeset import Changes, Changeset
from .correlations import pair_keys
from .events import Record, canonical, digest
from .outcomes import MENDED, outcomes

Kind = Literal["mended", "tested", "apart"]
Priority = Literal["critical", "high", "medium", "low"]
HORIZON = 200  # commits after which a claim is measured
MOST = 20  # of one repository
_FALSE, _LEAST, _PARTS = 0.05, 10, {"test", "tests", "spec", "specs", "testing"}
_TOGETHER = 0.5  # share of the rarer file's commits from which two files are hardly apart


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that can be measured.

    Attributes
    ----------
    metric : mended, tested or apart
    of : folder, or two paths
    now, target : the figure, and where it is to be
    """

    metric: Kind
    of: tuple[str, ...]
    now: float
    target: float

    def measured(self, rows: Sequence[Changeset]) -> tuple[float, int]:
        """(figure, commits that it is of) over some commits."""
        return _figure(self.metric, self.of, rows)

    def holds(self, figure: float) -> bool:
        """Is it where it was to be?"""
        return figure >= self.target if self.metric == "tested" else figure <= self.target


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One, as a decision record has it.

    Attributes
    ----------
    lineage : of the repository
    made_at, split_sha : time and id of the commit after which it was made
    title, context, advice : in words, with the figures
    claim : what is to be measured after `HORIZON` commits
    priority : critical, high, medium or low, by how many commits it is about
    q : rate of false discoveries at which it is kept
    """

    lineage: str
    made_at: int
    split_sha: str
    title: str
    context: str
    advice: str
    claim: Claim
    priority: Priority
    q: float

    @property
    def id(self) -> str:
        """16 digits, of what is claimed and when."""
        return digest(canonical([self.lineage, self.split_sha, self.claim.metric, list(self.claim.of)]))[:16]

    def record(self) -> Record:
        """As it is written: fractions are text."""
        return {
            "kind": "recommendation",
            "id": self.id,
            "lineage": self.lineage,
            "made_at": self.made_at,
            "split_sha": self.split_sha,
            "title": self.title,
            "context": self.context,
            "recommendation": self.advice,
            "claim": {
                "metric": self.claim.metric,
                "of": list(self.claim.of),
                "now": f"{self.claim.now:.6f}",
                "target": f"{self.claim.target:.6f}",
                "commits": HORIZON,
            },
            "priority": self.priority,
            "q": f"{self.q:.6g}",
        }


def recommended(changes: Changes, lineage: str = "") -> list[Recommendation]:
    """Those that the history so far gives reason for, the most urgent first."""
    rows = changes.rows
    if not rows:
        return []
    found = [*_mended(rows), *_tested(rows), *_apart(changes)]
    order = ("critical", "high", "medium", "low")
    made = [
        Recommendation(lineage, rows[-1].time, rows[-1].sha, title, context, advice, claim, _priority(n), q)
        for title, context, advice, claim, n, q in found
    ]
    return sorted(made, key=lambda r: (order.index(r.priority), r.q, r.claim.of))[:MOST]


def judged(made: Recommendation, rows: Sequence[Changeset]) -> tuple[str, float]:
    """("upheld", "refuted" or "open", figure) by the commits that came after; open with too few of them, or none that it is about."""
    if len(rows) < HORIZON:
        return "open", float("nan")
    figure, n = made.claim.measured(rows[:HORIZON])
    if n < 1:
        return "open", float("nan")
    return ("upheld" if made.claim.holds(figure) else "refuted"), figure


_Found = tuple[str, str, str, Claim, int, float]


def _mended(rows: Sequence[Changeset]) -> Iterable[_Found]:
    outcome, known = outcomes(rows)
    bad = outcome <= MENDED
    where: dict[str, list[int]] = {}
    for i in np.flatnonzero(known).tolist():
        for folder in {path.rpartition("/")[0] for path in rows[i].paths} - {""}:
            where.setdefault(folder, []).append(i)
    total, all_bad = int(known.sum()), int(bad[known].sum())
    folders = sorted(f for f, own in where.items() if len(own) >= _LEAST)
    n = np.array([int(bad[where[f]].sum()) for f in folders], np.int64)
    n_a = np.array([len(where[f]) for f in folders], np.int64)
    lift, q = _tests(n, n_a, np.full(len(folders), all_bad, np.int64), total)
    base = all_bad / max(total, 1)
    for folder, k, size, up, rate in zip(folders, n.tolist(), n_a.tolist(), lift.tolist(), q.tolist(), strict=True):
        if k >= 3 and up > 1.2 and rate <= _FALSE:
            now = k / size
            yield (
                f"Review what changes in {folder}",
                f"{k} of {size} commits to {folder} were taken back or mended within three days, {now:.0%}; {base:.0%} of all are.",
                f"Have changes to {folder} reviewed by a second person, and tested where they were mended before.",
                Claim("mended", (folder,), now, max(base, 0.8 * now) if now > base else base), k, rate,
            )  # fmt: skip


def _tested(rows: Sequence[Changeset]) -> Iterable[_Found]:
    features = [c for c in rows if c.label == "feature"]
    with_tests = sum(map(_has_test, features))
    others = [c for c in rows if c.label != "feature"]
    bare, all_bare = len(features) - with_tests, sum(not _has_test(c) for c in rows)
    one, other, both = (np.array([v], np.int64) for v in (len(features), all_bare, bare))
    lift, q = _tests(both, one, other, len(rows))
    if len(features) >= _LEAST and others and lift[0] > 1.05 and q[0] <= _FALSE:
        now = with_tests / len(features)
        yield (
            "Ask for tests with features",
            f"{with_tests} of {len(features)} features came with a test, {now:.0%}; others lack one {lift[0]:.2f} times as often as all work.",
            "Take in a feature only with a test that fails without it.",
            Claim("tested", (), now, min(1.0, now + 0.1)), len(features) - with_tests, float(q[0]),
        )  # fmt: skip


def _apart(changes: Changes) -> Iterable[_Found]:
    rows, size, names = changes.rows, len(changes.last_paths), changes.last_paths
    touched = np.bincount([f for c in rows for f in c.files], minlength=size)
    keys, n = np.unique(pair_keys([c.files for c in rows], size), return_counts=True)
    a, b = keys // max(size, 1), keys % max(size, 1)
    share = n / np.maximum(np.minimum(touched[a], touched[b]), 1)
    frequent = int((touched >= _LEAST).sum())
    lift, q = _tests(n, touched[a], touched[b], len(rows), frequent * (frequent - 1) // 2)
    alive = set(changes.alive(len(rows)))
    for i in np.flatnonzero((n >= _LEAST) & (share >= _TOGETHER) & (lift > 2.0) & (q <= _FALSE)).tolist():
        one, other = int(a[i]), int(b[i])
        paths = names[one], names[other]
        folders = {p.rpartition("/")[0] for p in paths}
        if len(folders) < 2 or any(_PARTS & set(words(p)) for p in paths) or not {one, other} <= alive:
            continue
        yield (
            f"Bring {paths[0]} and {paths[1]} together",
            f"They lie in different folders and changed in {n[i]} commits together, {share[i]:.0%} of those of the rarer one.",
            "Move what they share to one place, or put an interface between them.",
            Claim("apart", paths, float(share[i]), float(share[i]) / 2.0), int(n[i]), float(q[i]),
        )  # fmt: skip


def _tests(
    n: np.ndarray[Any, Any], n_a: np.ndarray[Any, Any], n_b: np.ndarray[Any, Any], total: int, n_tests: int | None = None
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(lift, q)."""
    lift, _, g2 = measures(n, n_a, n_b, total)
    return lift, benjamini_hochberg(np.where(lift > 1.0, p_values(g2), 1.0), n_tests)


def _figure(metric: Kind, of: tuple[str, ...], rows: Sequence[Changeset]) -> tuple[float, int]:
    if metric == "mended":
        outcome, known = outcomes(rows)
        mine: Bool = np.array([any(p.rpartition("/")[0] == of[0] for p in c.paths) for c in rows], bool) & known
        return _share(outcome[mine] <= MENDED)
    if metric == "tested":
        return _share([_has_test(c) for c in rows if c.label == "feature"])
    one, other = ([of[k] in c.paths for c in rows] for k in (0, 1))
    rarer = one if sum(one) <= sum(other) else other
    return _share([x and y for x, y, z in zip(one, other, rarer, strict=True) if z])


def _share(values: Any) -> tuple[float, int]:
    found = np.asarray(values, np.float64)
    return (float(found.mean()) if len(found) else float("nan")), len(found)


def _has_test(change: Changeset) -> bool:
    return any(_PARTS & set(words(path)) for path in change.paths)


def _priority(n: int) -> Priority:
    return "critical" if n >= 100 else "high" if n >= 30 else "medium" if n >= 15 else "low"
