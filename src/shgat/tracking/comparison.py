"""Two runs beside each other: what was chosen otherwise, what came of it, and whether that is more than noise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from .._types import Float64
from ..errors import InputError, TrackingError
from ..metrics.resampling import PairedTest, paired_bootstrap
from .contract import Tracker
from .run import Run

PER_TRACE = "per_trace.json"  # the artefact that holds a figure of each held-out trace


@dataclass(frozen=True, eq=False)
class RunComparison:
    """Run b against run a.

    Attributes
    ----------
    parameters, tags : name -> (value in a, value in b) of what differs
    figures : name -> (value in a, value in b), None where a run has none
    tests : metric -> paired bootstrap of b less a over the same traces; empty where they were not measured on the same
    why_not : why there is no test, "" where there is
    """

    a: Run
    b: Run
    parameters: dict[str, tuple[Any, Any]]
    tags: dict[str, tuple[Any, Any]]
    figures: dict[str, tuple[float | None, float | None]]
    tests: dict[str, PairedTest]
    why_not: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        tests = {name: {n: getattr(t, n) for n in t.__slots__} for name, t in self.tests.items()}
        return {
            "a": self.a.to_dict(), "b": self.b.to_dict(), "parameters": self.parameters, "tags": self.tags, "figures": self.figures,
            "tests": tests, "why_not": self.why_not,
        }  # fmt: skip


def per_trace(ids: list[str], figures: Mapping[str, Float64]) -> bytes:
    """The artefact "per_trace.json": what a run has for each held-out trace.

    Parameters
    ----------
    ids : of the traces
    figures : metric -> (n,), NaN where a trace has none
    """
    for name, values in figures.items():
        if len(values) != len(ids):
            raise InputError(f"{name} has {len(values)} figures for {len(ids)} traces")
    rows = {name: [None if np.isnan(v) else float(v) for v in values] for name, values in figures.items()}
    return orjson.dumps({"ids": ids, "figures": rows})


def compare(tracker: Tracker, a: str, b: str, *, seed: int = 0) -> RunComparison:
    """Two runs of a tracker, by id or its beginning.

    The test is over the traces that both were measured on. Where they are not the same ones there is none, and it is said why.
    """
    first, second = tracker.find(a), tracker.find(b)
    tests: dict[str, PairedTest] = {}
    why_not = ""
    try:
        ours, theirs = (_read(tracker, run) for run in (second, first))
        tests = _tested(ours, theirs, seed)
    except TrackingError as error:
        why_not = str(error)
    figures = {n: (first.figures.get(n), second.figures.get(n)) for n in dict.fromkeys((*first.figures, *second.figures))}
    return RunComparison(
        first, second, _differing(first.parameters, second.parameters), _differing(first.tags, second.tags), figures, tests, why_not
    )


def _read(tracker: Tracker, run: Run) -> tuple[list[str], dict[str, Float64]]:
    try:
        value = orjson.loads(tracker.artefact(run.id, PER_TRACE))
        return value["ids"], {
            n: np.array([np.nan if v is None else v for v in row], np.float64) for n, row in value["figures"].items()
        }
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise TrackingError(f"run {run.id}: its {PER_TRACE} cannot be read: {error}") from None


def _tested(
    ours: tuple[list[str], dict[str, Float64]], theirs: tuple[list[str], dict[str, Float64]], seed: int
) -> dict[str, PairedTest]:
    (ids, mine), (others, his) = ours, theirs
    if set(ids) != set(others):
        only = len(set(ids) ^ set(others))
        raise TrackingError(f"they were measured on other traces: {only} of {len({*ids, *others})} are in one of them alone")
    place = {key: i for i, key in enumerate(others)}
    order = np.array([place[key] for key in ids], np.int64)
    found = {}
    for name in mine:
        if name in his and (~np.isnan(mine[name]) & ~np.isnan(his[name][order])).any():
            found[name] = paired_bootstrap(mine[name], his[name][order], rng=np.random.default_rng(seed))
    return found


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {n: (a.get(n), b.get(n)) for n in dict.fromkeys((*a, *b)) if a.get(n) != b.get(n) and n not in ("process", "host")}
