"""What to do about figures that are beyond their bounds: a record each, to be worked off."""

from collections.abc import Mapping, Sequence
from typing import Any

from .events import Record, canonical, digest
from .figures import SEVERITIES, Severity, breaches

_ADVICE = {
    "pattern_density": ("Few commits have a kind of work", "Learn the kinds from prefixes of messages; see `shgat eval labels`."),
    "correlation_rate": ("Hardly any files go together", "Read more of the histories: short and shallow ones have no pairs."),
    "forecast_accuracy": ("Few forecasts come true", "See which kind fails, and what `shgat eval temporal` says ships."),
    "adr_usefulness": ("Few claims hold", "Follow the advice, or ask for less: claims that never hold claim too much."),
    "entropy": ("Nearly all commits are of one kind", "Read repositories of other kinds, or learn finer kinds of work."),
    "resolved": ("Forecasts that are due are not resolved", "Read the repositories again: `shgat loop run --again`."),
    "brier": ("Forecasts are worse than the base rate", "Decide nothing by their probabilities until more turned out."),
    "ece": ("Probabilities are not what they say", "Histories changed their ways: look at the newest forecasts alone."),
}


def advised(figures: Mapping[str, Any], least: Severity = "low") -> list[Record]:
    """A record for each figure that is beyond its bound by at least a severity, the worst first.

    Keys: `id` (of the figure), `title`, `context`, `recommendation`, `impact`, `severity`, `status`, which is "proposed".
    """
    kept: Sequence[str] = SEVERITIES[: SEVERITIES.index(least) + 1]
    return [
        {
            "kind": "meta-adr",
            "id": digest(canonical(["meta-adr", b["metric"]]))[:16],
            "title": _ADVICE[b["metric"]][0],
            "context": f"{b['metric']} is {b['value']:.3f}, its bound {b['bound']:g}.",
            "recommendation": _ADVICE[b["metric"]][1],
            "impact": f"{b['metric']} back within {b['bound']:g}",
            "severity": b["severity"],
            "status": "proposed",
        }
        for b in breaches(figures)
        if b["severity"] in kept
    ]
