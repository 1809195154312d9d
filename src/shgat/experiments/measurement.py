"""What a ranker does on traces: where the needed tools rank among the whole catalogue, streamed in blocks of intents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from .._types import Bool, Float32, Float64, Int64
from ..bulk import Carried
from ..errors import InputError
from ..executor import Executor, Serial, Task, Tell
from ..graph import Catalog
from ..graph.incidence import Incidence
from ..metrics.ranking import criterion, per_query_from_ranks, ranks_of_relevant
from ..shgat import SHGAT
from ..traces.columns import Traces

KS = (1, 3, 5, 10)
BLOCK = 512  # intents scored at a time
S = TypeVar("S")


@dataclass(frozen=True, eq=False)
class Measurement:
    """One ranker on B intents.

    Attributes
    ----------
    relevance : the tools that each intent needed
    ranks : (nnz,) 1-based, aligned with `relevance.indices`
    metrics : name -> (B,) float64, NaN where an intent needs nothing
    cold : (B,) does the intent need a tool without training traces? None where nothing was trained
    """

    relevance: Incidence
    ranks: Int64
    metrics: dict[str, Float64]
    cold: Bool | None = None

    @property
    def criterion(self) -> Float64:
        """(B,) the mean of Recall@5, NDCG@5 and COMP@5, by which training chooses and gates decide."""
        return criterion(self.metrics)

    @property
    def parts(self) -> dict[str, Bool]:
        """(B,) masks of "all", "warm" and "cold" intents that need something; a part without any is left out."""
        known = self.relevance.degrees > 0
        masks = {"all": known}
        if self.cold is not None:
            masks |= {"warm": known & ~self.cold, "cold": known & self.cold}
        return {part: mask for part, mask in masks.items() if mask.any()}

    @classmethod
    def pooled(cls, measurements: Sequence["Measurement"]) -> "Measurement":
        """Several as one, rows in their order; the cold mask only where all have one."""
        if not measurements:
            raise InputError("there is no measurement to pool")
        together = Incidence.stacked([m.relevance for m in measurements])
        metrics = {name: np.concatenate([m.metrics[name] for m in measurements]) for name in measurements[0].metrics}
        cold = [m.cold for m in measurements if m.cold is not None]
        everywhere = np.concatenate(cold) if len(cold) == len(measurements) else None
        return cls(together, np.concatenate([m.ranks for m in measurements]), metrics, everywhere)


def measure(
    model: SHGAT,
    traces: Traces,
    *,
    unseen: Bool | None = None,
    ks: Sequence[int] = KS,
    block: int = BLOCK,
    executor: Executor | None = None,
) -> Measurement:
    """A model on successful traces, with the text of each intent and the tools used before it.

    Parameters
    ----------
    traces : of the model's catalogue; one that failed needs nothing and counts nowhere
    unseen : (n_tools,) tools without training traces, None: as the model says
    ks : cut-offs
    block : intents scored at a time; memory is that of (block, n_tools) scores
    executor : where blocks are scored at once, None for here; the ranks are the same
    """
    cold = unseen_tools(model) if unseen is None else unseen
    ground = Carried(model), traces
    return _measured(_ranks_by_model, ground, traces, cold, ks, block, executor)


def measure_cosine(
    catalog: Catalog,
    traces: Traces,
    *,
    unseen: Bool | None = None,
    ks: Sequence[int] = KS,
    block: int = BLOCK,
) -> Measurement:
    """Frozen cosine on successful traces: cos(intent, the tool's own embedding).

    Parameters
    ----------
    unseen : (n_tools,) tools that are cold for the model it stands beside, or None
    """
    unit = np.asarray(catalog.tool_embeddings, np.float32)
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    return _measured(_ranks_by_cosine, (unit, traces), traces, unseen, ks, block, None)


def left_out(traces: Traces) -> list[str]:
    """Which traces no metric counts, and why: a sentence, or none where all of them count."""
    counted = int(np.count_nonzero(traces.relevant.degrees))
    idle = int(np.count_nonzero(traces.tools.degrees == 0))
    failed = len(traces) - counted - idle
    if not failed + idle:
        return []
    why = [*([f"{failed} failed"] if failed else []), *([f"{idle} ran no tool"] if idle else [])]
    return [
        f"{counted} of {len(traces)} traces count in the metrics: {' and '.join(why)}, and say not which tool would have been right."
    ]


def unseen_tools(model: SHGAT) -> Bool | None:
    """(n_tools,) tools without a training trace, or None for a model that learned nothing."""
    learned = model.index().learned
    return None if learned is None else learned.unseen


def scores(model: SHGAT, traces: Traces, rows: Int64) -> Float32:
    """(len(rows), n_tools) scores by which the model ranks for these traces."""
    x, texts = traces.vectors(rows), [str(traces.texts[i]) for i in rows.tolist()]
    if not traces.context.nnz or not model.params["w_context"].any():  # context changes nothing
        return model.score(x, texts=texts)
    ids = model.tool_ids
    groups: dict[tuple[int, ...], list[int]] = {}
    for position, row in enumerate(rows.tolist()):
        groups.setdefault(tuple(traces.context.row(row).tolist()), []).append(position)
    out = np.empty((len(rows), len(ids)), np.float32)
    for columns, at in groups.items():
        out[at] = model.score(x[at], texts=[texts[i] for i in at], context_tools=[ids[c] for c in columns])
    return out


def _measured(
    task: Task[S, Int64, Int64],
    ground: S,
    traces: Traces,
    unseen: Bool | None,
    ks: Sequence[int],
    block: int,
    executor: Executor | None,
) -> Measurement:
    if block < 1:
        raise InputError(f"block is at least 1, not {block}")
    wanted = traces.relevant
    if not wanted.indices.size:
        raise InputError(f"none of the {len(traces)} traces succeeded with a tool: there is nothing to find")
    executor = executor or Serial()
    blocks = [np.arange(start, min(start + block, wanted.n_rows)) for start in range(0, wanted.n_rows, block)]
    ranks = np.concatenate(list(executor.map(task, executor.share(ground), blocks)))
    cold = None if unseen is None else wanted.touching(unseen)
    return Measurement(wanted, ranks, per_query_from_ranks(ranks, wanted, ks), cold)


def _ranks_by_model(ground: tuple[Carried, Traces], rows: Int64, _tell: Tell) -> Int64:
    """A task for an executor: where the tools that these traces needed stand."""
    carried, traces = ground
    return ranks_of_relevant(scores(carried.model, traces, rows), traces.take(rows).relevant)


def _ranks_by_cosine(ground: tuple[Float32, Traces], rows: Int64, _tell: Tell) -> Int64:
    unit, traces = ground
    return ranks_of_relevant(np.asarray(traces.vectors(rows) @ unit.T, np.float32), traces.take(rows).relevant)
