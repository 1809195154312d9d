"""The loss of a batch and its exact gradient through readout and message passing.

    L = L_tools + L_capabilities,  each the mean over the traces that have such targets of
        w [ outcome * InfoNCE(z / tau, y) + (1 - outcome) * sum_t y_t softplus(z_t / tau) ]

InfoNCE is multi-positive over all candidates (van den Oord et al., 2018; y a distribution: the same as KL up to a constant). Tools that ran
together do not compete: each is set against what did not run, as if it had run alone. A failed execution is no positive: it pushes its
tools down.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .._kernels import losses
from .._types import Bool, Float32, Int64
from ..config import SHGATConfig
from ..graph import Catalog, Cooccurrence, Hierarchy, Incidence
from ..model import readout
from ..model.index import passing, stack
from ..model.message_passing import MessagePassing
from ..model.params import Gradient, Params
from .batch import Batch
from .negatives import Negatives
from .targets import Targets

RULED_OUT = np.float32(-1e30)


@dataclass(frozen=True, eq=False)
class Masks:
    """What a training step leaves out of the graph and of the candidates. None: nothing.

    Attributes
    ----------
    hierarchy : the graph without the edges of hidden capabilities
    hidden : (n_capabilities,) capabilities that are no candidates
    tool_bias : (n_tools,) added to the logits inside the loss
    keep_tools, keep_capabilities : (n, 1) factor on each node's offset: 0 where it is dropped, else 1 / (1 - p)
    tool_pool, capability_pool : sorted columns that are candidates, the targets among them
    negatives, rng : draw for each row the negatives that count
    """

    hierarchy: Hierarchy | None = None
    hidden: Bool | None = None
    tool_bias: Float32 | None = None
    keep_tools: Float32 | None = None
    keep_capabilities: Float32 | None = None
    tool_pool: Int64 | None = None
    capability_pool: Int64 | None = None
    negatives: Negatives | None = None
    rng: np.random.Generator | None = None


@dataclass(frozen=True, eq=False)
class StepLoss:
    """loss: the total. td (B,): |outcome - probability mass on the trace's tools|. hit: share of rows whose best tool is a target."""

    loss: float
    td: Float32
    hit: float


@dataclass(frozen=True, eq=False)
class _Candidates:
    """One candidate set of a batch.

    Attributes
    ----------
    rows : rows of X that are candidates, None for all of the kind
    n : their number
    targets : columns are positions in `rows`
    ruled_out : (B, n) or (n,) or None
    bias : (n,) or None
    """

    rows: Int64 | None
    n: int
    targets: Targets
    ruled_out: Bool | None
    bias: Float32 | None


class Objective:
    """Loss and gradient for one catalogue. It holds no parameters: they are passed in, and so is the buffer for the gradient.

    `coordinates` (n_members, r): of level 0's members, for parameters that keep its W_child in a basis of them (see `subspace`).
    `positives`: see `TrainingConfig`.
    """

    def __init__(
        self,
        catalog: Catalog,
        cooccurrence: Cooccurrence | None,
        config: SHGATConfig,
        coordinates: Float32 | None = None,
        positives: Literal["apart", "together"] = "apart",
    ) -> None:
        self.catalog, self.cooccurrence, self.config, self.coordinates = catalog, cooccurrence, config, coordinates
        self._apart = positives == "apart", False  # of tools, of capabilities

    def __call__(
        self,
        params: Params,
        batch: Batch,
        gradient: Gradient,
        *,
        masks: Masks | None = None,
        tau: float = 1.0,
        intent_map: Literal["trained", "fixed", "identity"] = "trained",
    ) -> StepLoss:
        """Loss of the batch; `gradient` is overwritten, zero where the loss does not depend on a parameter.

        With a "fixed" W_intent its gradient is left at zero and not computed; "identity" says that it is the identity besides.
        """
        masks = masks or Masks()
        similarity = self.config.similarity
        hierarchy = masks.hierarchy or self.catalog.hierarchy
        offsets = "tool_offsets" in params
        gradient.begin()
        phases = self.phases(hierarchy, params)
        x, cache = phases.forward(self._start(params, masks), params)
        context = readout.context_mean(x, batch.context) if batch.context.nnz else None
        queries = readout.queries(batch.intents, context, params, similarity, identity=intent_map == "identity")
        kinds = _tool_candidates(batch, masks, hierarchy), _capability_candidates(batch, masks, hierarchy)
        rows = _joined(kinds[0].rows, kinds[1].rows, hierarchy.n_tools, len(x))  # None: all of X, in its order
        nodes = x if rows is None else x[rows]
        keys = readout.keys(nodes, params, similarity)
        d_q, d_keys = np.zeros_like(queries.q.rows), np.empty_like(keys.rows)
        total, results, start = 0.0, [], 0
        for candidates, apart in zip(kinds, self._apart, strict=True):
            own = slice(start, start + candidates.n)
            start += candidates.n
            z = readout.scores(queries.q.rows, keys.rows[own], readout.scale(params, similarity))
            loss, td, hit, d_z = _part(z, candidates, batch, tau, masks, apart)
            total += loss
            results.append((td, hit))
            readout.scores_backward(d_z, z, queries.q.rows, keys.rows[own], params, gradient, similarity, d_q, d_keys[own])
        d_nodes = np.empty_like(nodes) if offsets or phases.learns else None  # None: all that X comes from is frozen
        readout.keys_backward(d_keys, keys, nodes, params, gradient, similarity, d_nodes)
        d_context = readout.queries_backward(d_q, queries, params, gradient, similarity, intent_map == "trained")
        if d_nodes is not None:
            d_x = d_nodes
            if rows is not None:
                d_x = np.zeros_like(x)
                d_x[rows] = d_nodes
            if d_context is not None:
                readout.context_mean_backward(d_context, batch.context, d_x)
            phases.backward(d_x, cache, params, gradient, inputs=offsets)
            if offsets:
                self._offsets_backward(d_x, gradient, masks, hierarchy)
        gradient.finish()
        return StepLoss(total, *results[0])

    def phases(self, hierarchy: Hierarchy, params: Params) -> MessagePassing:
        """Message passing as it is trained: closed gates are kept, since their gradient is what opens them."""
        return passing(hierarchy, self.cooccurrence, params, self.config, training=True, coordinates=self.coordinates)

    def _start(self, params: Params, masks: Masks) -> Float32:
        """Start embeddings with offsets, some of them dropped."""
        if masks.keep_tools is None or masks.keep_capabilities is None or "tool_offsets" not in params:
            return stack(self.catalog, params)
        hierarchy = self.catalog.hierarchy
        x = stack(self.catalog, params, offsets=False)
        x[: hierarchy.n_tools] += params["tool_offsets"] * masks.keep_tools
        x[hierarchy.row_of] += params["capability_offsets"] * masks.keep_capabilities
        return x

    def _offsets_backward(self, d_x: Float32, gradient: Gradient, masks: Masks, hierarchy: Hierarchy) -> None:
        for name, rows, keep in (
            ("tool_offsets", d_x[: hierarchy.n_tools], masks.keep_tools),
            ("capability_offsets", d_x[hierarchy.row_of], masks.keep_capabilities),
        ):
            gradient.beta(name)
            gradient[name][:] = rows if keep is None else rows * keep


def _joined(tools: Int64 | None, capabilities: Int64 | None, n_tools: int, n: int) -> Int64 | None:
    """Rows of X of both kinds, one behind the other; None where that is all of X."""
    if tools is None and capabilities is None:
        return None
    first = np.arange(n_tools) if tools is None else tools
    return np.concatenate([first, np.arange(n_tools, n) if capabilities is None else capabilities])


def _tool_candidates(batch: Batch, masks: Masks, hierarchy: Hierarchy) -> _Candidates:
    if masks.tool_pool is None:
        return _Candidates(None, hierarchy.n_tools, batch.tools, None, masks.tool_bias)
    bias = None if masks.tool_bias is None else masks.tool_bias[masks.tool_pool]
    return _Candidates(masks.tool_pool, len(masks.tool_pool), _moved(batch.tools, masks.tool_pool), None, bias)


def _capability_candidates(batch: Batch, masks: Masks, hierarchy: Hierarchy) -> _Candidates:
    n = hierarchy.n_tools
    columns = hierarchy.row_of - n  # catalogue column -> position among the stacked capabilities
    targets = batch.capabilities
    stacked = Targets(Incidence(targets.incidence.indptr, columns[targets.incidence.indices].astype(np.int32)), targets.values)
    ruled_out = None
    if masks.hidden is not None or batch.ruled_out is not None:
        ruled_out = np.zeros((len(batch.intents), hierarchy.n_capabilities), bool)
        if masks.hidden is not None:
            ruled_out[:, columns[masks.hidden]] = True
        if batch.ruled_out is not None:
            ruled_out[batch.ruled_out.row_of_entry, columns[batch.ruled_out.indices]] = True
    if masks.capability_pool is None:
        return _Candidates(None, hierarchy.n_capabilities, stacked, ruled_out, None)
    pool = np.sort(columns[masks.capability_pool])
    return _Candidates(n + pool, len(pool), _moved(stacked, pool), None if ruled_out is None else ruled_out[:, pool], None)


def _moved(targets: Targets, pool: Int64) -> Targets:
    """The targets as positions in a sorted pool that holds all of them."""
    return Targets(
        Incidence(targets.incidence.indptr, np.searchsorted(pool, targets.incidence.indices).astype(np.int32)), targets.values
    )


def _part(
    z: Float32, candidates: _Candidates, batch: Batch, tau: float, masks: Masks, apart: bool
) -> tuple[float, Float32, float, Float32]:
    """(loss, td (B,), hit, d_z (B, n)) of one candidate set. What is ruled out has probability, and so gradient, exactly 0."""
    targets = candidates.targets
    d_z, rows, mass = np.empty_like(z), np.empty(len(z)), np.empty(len(z), np.float32)
    has = targets.incidence.degrees > 0
    share = batch.weight * np.float32(1.0 / max(1, int(np.count_nonzero(has))))
    logits = z if candidates.bias is None else z + candidates.bias
    excluded = candidates.ruled_out
    if masks.negatives is not None and masks.rng is not None:
        if excluded is not None:
            excluded = np.broadcast_to(excluded, z.shape)
        drawn = masks.negatives.ruled_out(z, targets.incidence, masks.rng, excluded)
        excluded = drawn if excluded is None else drawn | excluded
    if excluded is not None:
        logits = np.where(excluded, RULED_OUT, logits)
    csr = (targets.incidence.indptr, targets.incidence.indices, targets.values)
    losses.info_nce(logits, *csr, share * batch.outcome, tau, d_z, rows, mass, apart)
    if (batch.outcome < 1.0).any():
        losses.push_down(z, *csr, share * (1.0 - batch.outcome), tau, d_z, rows)
    hit = 0.0
    if has.any() and z.shape[1]:
        best = z.argmax(axis=1)[targets.incidence.row_of_entry] == targets.incidence.indices
        hit = float(best.sum() / np.count_nonzero(has))
    return float(rows.sum()), np.abs(batch.outcome - mass), hit, d_z
