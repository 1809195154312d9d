"""What is kept of a version beside its file: from what it came, what it is made of, and how good it was."""

from typing import Any

from .._json import none_for_not_finite
from ..shgat import SHGAT

FIGURES = ("accepted", "reason", "n_traces", "seed", "validation", "comparisons", "weights", "choices", "min_scores")


def facts_of(model: SHGAT, trained_at: float, parent: int | None = None) -> dict[str, Any]:
    """The facts about a model, as JSON values.

    Returns
    -------
    trained_at : seconds since the epoch
    parent : number of the version that training went on from, None where it began anew or nobody knows
    config : `SHGATConfig`
    catalog : fingerprint of ids and memberships
    encoder : what made the embeddings, "" where nobody said
    metrics : the figures of its `TrainReport`; empty for a model that was never trained
    """
    report = model.report or {}
    return {
        "trained_at": trained_at,
        "parent": parent,
        "config": model.config.to_dict(),
        "catalog": model.catalog.fingerprint,
        "encoder": model.catalog.encoder,
        "metrics": none_for_not_finite({name: report[name] for name in FIGURES if name in report}),
    }


def difference(a: Any, b: Any, name: str = "") -> dict[str, tuple[Any, Any]]:
    """name -> (value in a, value in b) of everything that is not the same in two nested JSON values; names of nested values joined by dots."""
    if isinstance(a, dict) and isinstance(b, dict):
        found: dict[str, tuple[Any, Any]] = {}
        for key in dict.fromkeys((*a, *b)):
            found |= difference(a.get(key), b.get(key), f"{name}.{key}" if name else str(key))
        return found
    return {} if a == b else {name: (a, b)}
