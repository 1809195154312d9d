"""What was known before: the catalogue and the traces as training rows alone would have them.

A catalogue carries what later traces taught: capabilities that were found in them, success rates counted over them, and
the places of tools that nobody had used. Training on a part of the traces has to do without, or the rest leaks into it.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from .. import _check
from .._types import Float64, Int64
from ..graph import Capability, Catalog
from ..graph.records import Origin
from ..traces.columns import Traces
from ..training.targets import CapabilityTargets

Rule = Literal["not-later", "vouched"]


def known(
    catalog: Catalog,
    traces: Traces,
    train: Int64,
    *,
    rule: Rule = "not-later",
    cold: Int64 | None = None,
) -> Catalog:
    """The catalogue that the training rows allow: all tools, and what is known of capabilities.

    Uses and success rates are counted over the training rows. Tools keep their columns.

    Parameters
    ----------
    train : rows of `traces`
    rule : which capabilities are known. "not-later": all but those that only other traces gave rise to, as in `fit`.
        "vouched": those that say that they were declared, or that training traces vouch for, whatever other traces say: for time, where
        nothing later may change anything, and a capability that was never used might have been written later.
    cold : columns of tools that nothing is known of but their text: they stand in no capability
    """
    _check.choice(rule, ("not-later", "vouched"), "rule")
    past = traces.take(train)
    if rule == "vouched":
        declared = np.array([c.origin == "declared" for c in catalog.capabilities], bool)
        hidden = (CapabilityTargets.build(past, catalog).support.degrees == 0) & ~declared
    else:
        mask = np.zeros(len(traces), bool)
        mask[train] = True
        hidden = CapabilityTargets.build(traces, catalog).origins.unknown(mask)
    _ = catalog.dimension  # raises where there are no embeddings
    tools, capabilities = catalog.records()
    gone_tools = set() if cold is None else {catalog.tools[t].id for t in np.asarray(cold).tolist()}
    gone = {c.id for c, hide in zip(catalog.capabilities, hidden.tolist(), strict=True) if hide}
    uses, successes = _counts(past, len(catalog.capabilities))
    ids = set(past.ids.tolist())
    kept = [
        replace(_as_known(c, gone_tools, gone, int(n), float(good)), origin=_origin(c.origin, ids, int(n)))
        for c, n, good in zip(capabilities, uses, successes, strict=True)
        if c.id not in gone
    ]
    return Catalog.from_records(tools, kept)


def moved(traces: Traces, catalog: Catalog, to: Catalog) -> Traces:
    """The traces with the columns of another catalogue of the same tools; a capability that it lacks is named no more."""
    column = np.array([to.capability_column.get(c.id, -1) for c in catalog.capabilities] + [-1], np.int32)
    return replace(traces, capability=column[traces.capability])  # -1 stays -1: it is the last entry


def _counts(traces: Traces, n: int) -> tuple[Int64, Float64]:
    """Uses and summed outcomes of each capability among the traces that name it; (n,) each."""
    named = traces.capability >= 0
    which = traces.capability[named]
    return np.bincount(which, minlength=n).astype(np.int64), np.bincount(which, traces.outcome[named], n).astype(np.float64)


def _origin(origin: Origin, past: set[str], uses: int) -> Origin:
    """As it was known when only the traces `past` were there."""
    if isinstance(origin, tuple):
        return tuple(key for key in origin if key in past) or max(1, uses)
    return max(1, min(origin, uses)) if isinstance(origin, int) else origin


def _as_known(c: Capability, tools: set[str], capabilities: set[str], uses: int, successes: float) -> Capability:
    return replace(
        c,
        tools=tuple(t for t in c.tools if t not in tools),
        capabilities=tuple(m for m in c.capabilities if m not in capabilities),
        uses=uses,
        success_rate=min(1.0, successes / uses) if uses else None,
    )
