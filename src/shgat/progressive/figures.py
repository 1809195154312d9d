"""Figures of a workspace: what its histories came to, how forecasts and claims turned out, and where that is too little.

What RL4-Trainer called accuracy was a number of correlations over one of forecasts. Here it is a share of forecasts that came true, and
usefulness a share of claims that held.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .backtest import Backtest, backtests, joined
from .changeset import Changes
from .correlations import SUPPORT, correlations
from .forecasts import Book, made
from .guesses import KINDS
from .labels import NAMES
from .recommendations import HORIZON, Recommendation, judged, recommended

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
AT_LEAST = {
    "pattern_density": 0.3,
    "correlation_rate": 0.5,
    "forecast_accuracy": 0.4,
    "adr_usefulness": 0.4,
    "entropy": 1.5,
    "resolved": 0.95,
}
AT_MOST = {"brier": 1.0, "ece": 0.05}  # brier: over that of the base rate


@dataclass
class Tally:
    """What is counted, one history after another.

    Attributes
    ----------
    book : forecasts and what came of them
    seed : of the permutations behind lead-lag
    frequent, paired : files touched three times or more, and those of them that change together with another
    """

    book: Book
    seed: int = 0
    commits: int = 0
    repositories: int = 0
    frequent: int = 0
    paired: int = 0
    made: int = 0
    resolved: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    tests: dict[str, list[Backtest]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    verdicts: Counter[str] = field(default_factory=Counter)
    recommendations: list[Recommendation] = field(default_factory=list)

    def add(self, changes: Changes, lineage: str, latest: bool = True) -> None:
        """One history: forecasts of its lineage that are due are resolved, and new ones are made at its head.

        Parameters
        ----------
        latest : is there no later history of the lineage? Only that one counts in the figures
        """
        self.resolved += self.book.resolve(lineage, changes)
        self.made += self.book.add(made(changes, lineage, NAMES))
        if not latest:
            return
        self.repositories += 1
        self.commits += len(changes.rows)
        self.labels.update(change.label for change in changes.rows)
        found, _ = correlations(changes, np.random.default_rng(self.seed))
        self.kinds.update(c.kind for c in found)
        touched = Counter(file for change in changes.rows for file in change.files)
        frequent = {changes.last_paths[file] for file, n in touched.items() if n >= SUPPORT}
        self.frequent += len(frequent)
        self.paired += len(frequent & {path for c in found if c.kind == "spatial" for path in (c.a, c.b)})
        for kind, test in backtests(changes, NAMES).items():
            self.tests[kind].append(test)
        self.recommendations += recommended(changes, lineage)
        self.verdicts.update(_judged(changes, lineage))

    def figures(self) -> dict[str, Any]:
        """All of it, as JSON values; NaN where nothing turned out."""
        outcomes = Counter(r.outcome for r in self.book.resolutions.values())
        tests = {kind: joined(parts).figures() for kind, parts in self.tests.items()}
        every = joined([b for parts in self.tests.values() for b in parts])
        whole = every.figures()
        said = self.labels.total()
        return {
            "repositories": self.repositories,
            "commits": self.commits,
            "pattern_density": _ratio(said - self.labels["other"], said),
            "correlation_rate": _ratio(self.paired, self.frequent),
            "entropy": _entropy(self.labels),
            "forecast_accuracy": whole["accuracy"],
            "brier": _ratio(whole["brier"], whole["brier_base"]),
            "ece": whole["ece"],
            "resolved": _ratio(every.resolved, every.due),
            "adr_usefulness": _ratio(self.verdicts["upheld"], self.verdicts["upheld"] + self.verdicts["refuted"]),
            "labels": dict(sorted(self.labels.items())),
            "correlations": dict(sorted(self.kinds.items())),
            "backtests": tests,
            "book": {
                "made": len(self.book.forecasts),
                "open": len(self.book.forecasts) - outcomes.total(),
                **dict(sorted(outcomes.items())),
            },
            "claims": {verdict: self.verdicts[verdict] for verdict in ("upheld", "refuted", "open")},
            "recommendations": [r.record() for r in self.recommendations],
        }


def breaches(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Figures that are beyond their bound: name, value, bound, and how bad: by half critical, by two fifths high, by three tenths medium."""
    found = []
    for name, bound, sign in (*((n, b, 1) for n, b in AT_LEAST.items()), *((n, b, -1) for n, b in AT_MOST.items())):
        value = figures.get(name)
        if value is None or math.isnan(value) or sign * (value - bound) >= 0:
            continue
        ratio = value / bound if sign > 0 else bound / value
        severity: Severity = "critical" if ratio < 0.5 else "high" if ratio < 0.6 else "medium" if ratio < 0.7 else "low"
        found.append({"metric": name, "value": value, "bound": bound, "severity": severity})
    return sorted(found, key=lambda b: (SEVERITIES.index(b["severity"]), b["metric"]))


def _judged(changes: Changes, lineage: str) -> Iterable[str]:
    """Verdicts on what would have been recommended at each fifth of the history, by the commits that came after."""
    for part in (0.4, 0.6, 0.8):
        row = int(len(changes.rows) * part)
        if row and len(changes.rows) - row >= HORIZON:
            yield from (judged(r, changes.rows[row:])[0] for r in recommended(changes.first(row), lineage))


def _ratio(a: float, b: float) -> float:
    return a / b if b else float("nan")


def _entropy(counts: Counter[str]) -> float:
    total = counts.total()
    return -sum(n / total * math.log2(n / total) for n in counts.values() if n) if total else float("nan")
