"""Held-out traces: how they are chosen, and what a model scores on them, always over the whole catalogue."""

from dataclasses import dataclass

import numpy as np

from .._types import Bool, Float32, Float64, Int64
from ..graph import Incidence
from ..metrics.ranking import criterion, per_query_from_ranks, ranks_of_relevant
from ..model import readout
from ..model.channels import Channels, log_softmax
from ..model.index import stack
from ..model.params import Params
from ..traces.columns import Traces
from .objective import RULED_OUT, Objective

ROUTE_WEIGHTS = (0.0, 0.5, 2.0)
BLOCK = 512  # intents scored at a time
Metrics = dict[str, Float64]


def logits(objective: Objective, params: Params, unknown: Bool, traces: Traces) -> tuple[Float32, Float32]:
    """z of the tools (B, n_tools) and of the capabilities (B, n_capabilities), catalogue order, unknown ones at -1e30."""
    catalog, config = objective.catalog, objective.config
    hierarchy = catalog.hierarchy.hiding(unknown) if unknown.any() else catalog.hierarchy
    x, _ = objective.phases(hierarchy, params).forward(stack(catalog, params), params)
    keys = readout.keys(x, params, config.similarity)
    context = readout.context_mean(x, traces.context) if traces.context.nnz else None
    q = readout.queries(traces.vectors(np.arange(len(traces))), context, params, config.similarity).q.rows
    z = readout.scores(q, keys.rows, readout.scale(params, config.similarity))
    n = hierarchy.n_tools
    z_capabilities = np.ascontiguousarray(z[:, hierarchy.row_of])
    z_capabilities[:, unknown] = RULED_OUT
    return np.ascontiguousarray(z[:, :n]), z_capabilities


@dataclass(frozen=True, eq=False)
class Score:
    """A validation. rows (B,) criterion of each intent; metrics by part; hit_at_1 over all."""

    rows: Float64
    metrics: dict[str, dict[str, float]]
    hit_at_1: float

    @property
    def value(self) -> float:
        return _mean(self.rows)

    def worse_than(self, other: "Score") -> bool:
        """Is it worse by more than the standard error of the paired difference?"""
        difference = (self.rows - other.rows)[~np.isnan(self.rows)]
        if len(difference) == 0:
            return False
        return bool(difference.mean() < -difference.std() / np.sqrt(len(difference)))


@dataclass(frozen=True, eq=False)
class Held:
    """Traces held out of a run.

    Attributes
    ----------
    traces : in the order of `rows`
    rows : their rows among all traces
    cold : (B,) does the intent need a tool that no training trace has?
    unseen : (n_tools,) tools without training traces
    channels : with the memory of the training part only
    """

    traces: Traces
    rows: Int64
    cold: Bool
    unseen: Bool
    channels: Channels

    def score(self, objective: Objective, params: Params, unknown: Bool) -> Score:
        """Semantic channel plus the best of three weights of the route."""
        z_tools, z_capabilities = logits(objective, params, unknown, self.traces)
        semantic, route = log_softmax(z_tools), self.channels.route(z_capabilities)
        wanted = self.traces.relevant
        found = [ranks_of_relevant(semantic + np.float32(weight) * route, wanted) for weight in ROUTE_WEIGHTS]
        values = [_mean(criterion(per_query_from_ranks(ranks, wanted, (5,)))) for ranks in found]
        chosen = 0
        for i, value in enumerate(values):
            chosen = i if value > values[chosen] else chosen
        best = per_query_from_ranks(found[chosen], wanted, (1, 3, 5, 10))
        return Score(criterion(best), by_part(best, self.cold), _mean(best["hit@1"]))


def _mean(values: Float64) -> float:
    """Over the intents that have a relevant tool; NaN where none has one."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def by_part(metrics: Metrics, cold: Bool) -> dict[str, dict[str, float]]:
    """Means over all, warm and cold intents; a part without any intent is left out."""
    parts = {"all": np.ones(len(cold), bool), "warm": ~cold, "cold": cold}
    known = ~np.isnan(metrics["mrr"])
    return {
        part: {**{name: float(values[rows & known].mean()) for name, values in metrics.items()}, "n": int((rows & known).sum())}
        for part, rows in parts.items()
        if (rows & known).any()
    }


def unseen_tools(tools: Incidence, training: Int64, n_tools: int) -> Bool:
    """(n_tools,) tools without a training trace."""
    counts: Int64 = np.bincount(tools.take(training).indices, minlength=n_tools)
    return np.equal(counts, 0)


def cold_share(tools: Incidence, n_tools: int) -> float:
    """How many of the next traces may need a tool that no trace had before: the share of those with a tool that only they have (Good, 1953)."""
    if not tools.n_rows:
        return 0.0
    once = np.bincount(tools.indices, minlength=n_tools) == 1
    return float(tools.touching(once).mean())


def popularity(traces: Traces, training: Int64, held: Int64, n_tools: int) -> Float32:
    """(len(held), n_tools) scores of the ranking that knows only how often each tool was used."""
    counts = np.bincount(traces.tools.take(training).indices, minlength=n_tools).astype(np.float32)
    return np.broadcast_to(counts, (len(held), n_tools)).copy()
