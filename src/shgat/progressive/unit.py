"""What is kept of one unit: whole-number counts of its history, in at most 96 KiB.

Everything else that a kernel says is computed from these counts, and only counts of the same history are ever set against each other. What
did not fit is counted too (`dropped`), so that nothing vanishes without a word.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any

import orjson

from ..errors import CorruptError
from .events import CONFIG, VERSION, Record, canonical
from .merkle import leaf

Rank = tuple[int, int, str, str]

BUDGET = 96 << 10  # bytes of a summary
MOST_TOGETHER = 30  # files of a commit that count as touched together
_SHIFT = 32
_HEAD = 4 << 10  # bytes of what is not paths and pairs


class Tally:
    """Counts of the events of one unit, one after another."""

    def __init__(self) -> None:
        self.n = self.merges = 0
        self.first: int | None = None
        self.last: int | None = None
        self.labels: Counter[str] = Counter()
        self.following: Counter[str] = Counter()
        self._before: str | None = None
        self._places: dict[str, int] = {}
        self._touched: Counter[int] = Counter()
        self._pairs: Counter[int] = Counter()
        self._authors: set[str] = set()

    def add(self, event: Record) -> None:
        """One more event."""
        self.n += 1
        self._authors.add(event["ae"])
        time = event["ct"]
        if time is not None:
            self.first = time if self.first is None else min(self.first, time)
            self.last = time if self.last is None else max(self.last, time)
        if len(event["parents"]) > 1:
            self.merges += 1
            return
        names = [label["t"] for label in event["labels"]]
        self.labels.update(names)
        if self._before is not None:
            self.following[f"{self._before} {names[0]}"] += 1
        self._before = names[0]
        if event["truncated"]:
            return
        places = sorted({self._places.setdefault(f["p"], len(self._places)) for f in event["files"]})
        self._touched.update(places)
        if len(places) <= MOST_TOGETHER:
            self._pairs.update((a << _SHIFT) | b for a, b in combinations(places, 2))

    def summary(self, repo: dict[str, Any], unit: str) -> Record:
        """The counts, with what the unit is; the most frequent paths and pairs that fit, ties by name."""
        paths = list(self._places)
        kept_pairs, names, room = [], dict[str, int](), BUDGET - _HEAD
        for minus, a, b in sorted(self._named_pairs(paths)):
            i = names.get(a, len(names))
            j = names.get(b, len(names) + (a not in names))
            pair = [i, j, -minus]
            cost = len(canonical(pair)) + 1 + sum(self._cost(p) for p in (a, b) if p not in names)
            if cost > room:
                break
            room -= cost
            names[a], names[b] = i, j
            kept_pairs.append(pair)
        for minus, path in sorted((-self._touched[self._places[p]], p) for p in paths if p not in names):
            cost = self._cost(path)
            if cost > room or not minus:
                break
            room -= cost
            names[path] = len(names)
        touched = [self._touched[self._places[p]] for p in names]
        return {
            "v": VERSION,
            "unit": unit,
            "config": repo["config"],
            "lineage": repo["lineage"],
            "head": repo["head"],
            "head_time": repo["head_time"],
            "n_commits": self.n,
            "n_merges": self.merges,
            "first": self.first,
            "last": self.last,
            "authors": len(self._authors),
            "files": len(paths),
            "labels": dict(self.labels),
            "following": dict(self.following),
            "paths": list(names),
            "touched": touched,
            "pairs": kept_pairs,
            "dropped": {
                "paths": len(paths) - len(names),
                "touched": self._touched.total() - sum(touched),
                "pairs": len(self._pairs) - len(kept_pairs),
                "together": self._pairs.total() - sum(p[2] for p in kept_pairs),
            },
        }

    def _cost(self, path: str) -> int:
        """Bytes of a path and how often it was touched."""
        return len(canonical(path)) + len(str(self._touched[self._places[path]])) + 2

    def _named_pairs(self, paths: list[str]) -> Iterator[tuple[int, str, str]]:
        """(minus how often, one path, the other path in order)."""
        for key, n in self._pairs.items():
            a, b = paths[key >> _SHIFT], paths[key & ((1 << _SHIFT) - 1)]
            yield (-n, a, b) if a < b else (-n, b, a)

    def cycle(self, repo: dict[str, Any], unit: str, seq: int) -> Record:
        """The record that ends a unit."""
        about = repo | {"n_commits": self.n, "n_merges": self.merges, "first": self.first, "last": self.last}
        return {"v": VERSION, "kind": "cycle", "unit": unit, "seq": seq, "repo": about, "patterns": dict(self.labels)}


def summarised(lines: Iterable[bytes]) -> Record:
    """The summary of a segment's lines: the same as the one that was made when they were written.

    Raises
    ------
    CorruptError
        where no cycle ends them.
    """
    tally = Tally()
    record: Record = {}
    for line in lines:
        record = orjson.loads(line)
        if record.get("kind") == "event":
            tally.add(record)
    if record.get("kind") != "cycle":
        raise CorruptError("the last record of a segment is no cycle, so it is not whole")
    return tally.summary(record["repo"], record["unit"])


def better(one: Record, other: Record) -> Record:
    """Which of two summaries of a lineage stands: that of more commits, then of the later head, then of the greater id. A join: in
    whatever order and however often it is asked, the same one stands."""
    return max((one, other), key=rank)


def rank(summary: Record) -> Rank:
    """What decides which summary of a lineage stands, the last of it the leaf of its canonical bytes."""
    return summary["n_commits"], summary["head_time"], summary["head"], leaf(canonical(summary)).hex()


def checked(summary: Record) -> Record:
    """A summary that can be merged.

    Raises
    ------
    CorruptError
        where it is none, or was made in another way.
    """
    try:
        if summary["v"] != VERSION or summary["config"] != CONFIG:
            raise CorruptError(f"a unit of configuration {summary['config']}, expected {CONFIG}: replay it anew")
        n = len(summary["paths"])
        rank(summary)
        good: bool = n == len(summary["touched"]) and all(0 <= a < n and 0 <= b < n and c > 0 for a, b, c in summary["pairs"])
        good = good and all(type(c) is int and c >= 0 for c in (*summary["labels"].values(), *summary["dropped"].values()))
        good = good and len(summary["lineage"]) == 32
    except (KeyError, TypeError, ValueError):
        good = False
    if not good:
        raise CorruptError("it is no summary of a unit")
    return summary
