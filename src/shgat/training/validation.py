"""Held-out traces: how they are chosen, and what a model scores on them, always over the whole catalogue."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..graph import Incidence
from ..metrics.ranking import Relevance, per_query
from ..model import readout
from ..model.channels import Channels, log_softmax
from ..model.index import stack
from ..model.params import Floats, Params
from ..traces.columns import Traces
from .objective import RULED_OUT, Objective

ROUTE_WEIGHTS = (0.0, 0.5, 2.0)
BLOCK = 512  # intents scored at a time
Rows = npt.NDArray[np.int64]
Metrics = dict[str, npt.NDArray[np.float64]]


def criterion(metrics: Metrics) -> npt.NDArray[np.float64]:
    """(B,) what validation compares: the mean of Recall@5, NDCG@5 and COMP@5 of each intent; NaN without relevant tools."""
    return np.asarray((metrics["recall@5"] + metrics["ndcg@5"] + metrics["comp@5"]) / 3.0)


def relevance(traces: Traces) -> Relevance:
    """The tools of each successful trace; nothing is relevant to one that failed."""
    worked = traces.outcome >= 0.5
    rows = traces.tools
    keep = worked[rows.row_of_entry]
    kept = rows.keeping(keep)
    return Relevance(kept.indptr, kept.indices)


def logits(objective: Objective, params: Params, unknown: npt.NDArray[np.bool_], traces: Traces) -> tuple[Floats, Floats]:
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

    rows: npt.NDArray[np.float64]
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
    rows: Rows
    cold: npt.NDArray[np.bool_]
    unseen: npt.NDArray[np.bool_]
    channels: Channels

    def score(self, objective: Objective, params: Params, unknown: npt.NDArray[np.bool_]) -> Score:
        """Semantic channel plus the best of three weights of the route."""
        z_tools, z_capabilities = logits(objective, params, unknown, self.traces)
        semantic, route = log_softmax(z_tools), self.channels.route(z_capabilities)
        wanted = relevance(self.traces)
        best: Metrics | None = None
        for weight in ROUTE_WEIGHTS:
            metrics = per_query(semantic + np.float32(weight) * route, wanted, (1, 3, 5, 10))
            if best is None or _mean(criterion(metrics)) > _mean(criterion(best)):
                best = metrics
        assert best is not None
        return Score(criterion(best), by_part(best, self.cold), _mean(best["hit@1"]))


def _mean(values: npt.NDArray[np.float64]) -> float:
    """Over the intents that have a relevant tool; NaN where none has one."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def by_part(metrics: Metrics, cold: npt.NDArray[np.bool_]) -> dict[str, dict[str, float]]:
    """Means over all, warm and cold intents; a part without any intent is left out."""
    parts = {"all": np.ones(len(cold), bool), "warm": ~cold, "cold": cold}
    known = ~np.isnan(metrics["mrr"])
    return {
        part: {**{name: float(values[rows & known].mean()) for name, values in metrics.items()}, "n": int((rows & known).sum())}
        for part, rows in parts.items()
        if (rows & known).any()
    }


@dataclass(frozen=True)
class Folds:
    """How traces are held out.

    Attributes
    ----------
    k : folds for fewer than 500, fewer than 3000, and more traces; one fold holds out at most `largest` traces
    largest : traces held out where there is one fold
    cold_share : share of held-out traces that should need a tool without training traces; whole tools are held out until it is reached
    """

    few: int = 5
    some: int = 3
    largest: int = 1000
    cold_share: float = 0.10

    def split(self, traces: Traces, n_tools: int, rng: np.random.Generator) -> list[tuple[Rows, Rows]]:
        """(training rows, held-out rows) of each fold. With time stamps on all traces, one fold: the latest fifth is held out."""
        n = len(traces)
        timed = n > 0 and not np.isnan(traces.timestamp).any() and len(np.unique(traces.timestamp)) > n // 2
        if timed:
            order = np.argsort(traces.timestamp, kind="stable")
            parts = [order[-min(self.largest, max(8, n // 5)) :]]
        else:
            order = rng.permutation(n)
            k = self.few if n < 500 else self.some if n < 3000 else 1
            parts = np.array_split(order, k) if k > 1 else [order[: self.largest]]
        used = np.bincount(traces.tools.indices, minlength=n_tools) > 0
        deck = [t for t in rng.permutation(n_tools).tolist() if used[t]]
        return [self._with_cold(traces.tools, order, part, deck, n_tools, rng) for part in parts]

    def _with_cold(
        self, tools: Incidence, order: Rows, part: Rows, deck: list[int], n_tools: int, rng: np.random.Generator
    ) -> tuple[Rows, Rows]:
        """Holds out whole tools from the deck, at most 5 % of all, until enough held-out traces need a tool without training traces."""
        training = np.setdiff1d(order, part)
        by_tool = tools.transpose(n_tools)
        extra: list[int] = []
        wanted, taken = self.cold_share * len(part), 0
        while deck and taken < max(1, n_tools // 20) and _cold(tools, training, part, n_tools).sum() + len(extra) < wanted:
            gone = np.intersect1d(by_tool.row(deck.pop()), training)
            taken += 1
            training = np.setdiff1d(training, gone)
            extra += rng.permutation(gone)[: max(1, self.largest // 10)].tolist()
        return training, np.concatenate([part, np.array(extra, np.int64)])


def _cold(tools: Incidence, training: Rows, rows: Rows, n_tools: int) -> npt.NDArray[np.bool_]:
    """(len(rows),) does the trace have a tool that no training trace has?"""
    unseen = unseen_tools(tools, training, n_tools)
    chosen = tools.take(rows)
    return chosen.touching(unseen)


def unseen_tools(tools: Incidence, training: Rows, n_tools: int) -> npt.NDArray[np.bool_]:
    """(n_tools,) tools without a training trace."""
    counts: npt.NDArray[np.int64] = np.bincount(tools.take(training).indices, minlength=n_tools)
    return np.equal(counts, 0)


def cold_share(tools: Incidence, n_tools: int) -> float:
    """How many of the next traces may need a tool that no trace had before: the share of those with a tool that only they have (Good, 1953)."""
    if not tools.n_rows:
        return 0.0
    once = np.bincount(tools.indices, minlength=n_tools) == 1
    return float(tools.touching(once).mean())


def popularity(traces: Traces, training: Rows, held: Rows, n_tools: int) -> Floats:
    """(len(held), n_tools) scores of the ranking that knows only how often each tool was used."""
    counts = np.bincount(traces.tools.take(training).indices, minlength=n_tools).astype(np.float32)
    return np.broadcast_to(counts, (len(held), n_tools)).copy()
