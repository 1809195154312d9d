"""The loss of a batch and its exact gradient through readout and message passing.

    L = L_tools + L_capabilities,  each the mean over the traces that have such targets of
        w [ outcome * InfoNCE(z / tau, y) + (1 - outcome) * sum_t y_t softplus(z_t / tau) ]

InfoNCE is multi-positive over all candidates (van den Oord et al., 2018; y a distribution: the same as KL up to a constant). A failed
execution is no positive: it pushes its tools down.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._kernels import losses
from ..config import SHGATConfig
from ..graph import Catalog, Cooccurrence, Hierarchy, Incidence
from ..model import readout
from ..model.index import passing, stack
from ..model.params import Floats, Params
from .targets import Targets

RULED_OUT = np.float32(-1e30)


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step sees. Targets of capabilities are columns in catalogue order.

    Attributes
    ----------
    intents : (B, d) float32
    context : (B rows) -> tool columns
    tools, capabilities : targets
    outcome, weight : (B,) float32
    ruled_out : (B rows) -> capability columns that are no candidates for the row
    """

    intents: Floats
    context: Incidence
    tools: Targets
    capabilities: Targets
    outcome: Floats
    weight: Floats
    ruled_out: Incidence | None = None


@dataclass(frozen=True, eq=False)
class Masks:
    """What a training step leaves out of the graph and of the candidates. None: nothing.

    Attributes
    ----------
    hierarchy : the graph without the edges of hidden capabilities
    hidden : (n_capabilities,) capabilities that are no candidates
    tool_bias : (n_tools,) added to the logits inside the loss
    keep_tools, keep_capabilities : (n, 1) factor on each node's offset: 0 where it is dropped, else 1 / (1 - p)
    """

    hierarchy: Hierarchy | None = None
    hidden: npt.NDArray[np.bool_] | None = None
    tool_bias: Floats | None = None
    keep_tools: Floats | None = None
    keep_capabilities: Floats | None = None


@dataclass(frozen=True, eq=False)
class StepLoss:
    """loss: the total. td (B,): |outcome - probability mass on the trace's tools|."""

    loss: float
    td: Floats


class Objective:
    """Loss and gradient for one catalogue. It holds no parameters; they are passed in, and so is the buffer for the gradient."""

    def __init__(self, catalog: Catalog, cooccurrence: Cooccurrence | None, config: SHGATConfig) -> None:
        self.catalog, self.cooccurrence, self.config = catalog, cooccurrence, config

    def __call__(
        self,
        params: Params,
        batch: Batch,
        gradient: Params,
        *,
        masks: Masks | None = None,
        tau: float = 1.0,
        intent_map: bool = True,
        capability_weight: float = 1.0,
    ) -> StepLoss:
        """Loss of the batch; `gradient` is overwritten where it has parameters that the loss depends on, and zero elsewhere.

        Without `intent_map` the gradient of W_intent is left at zero and not computed.
        """
        masks = masks or Masks()
        config, similarity = self.config, self.config.similarity
        hierarchy = masks.hierarchy or self.catalog.hierarchy
        n = hierarchy.n_tools
        gradient.buffer.fill(0.0)
        offsets = "tool_offsets" in params
        start = self._start(params, masks) if offsets else stack(self.catalog, params)
        phases = passing(hierarchy, self.cooccurrence, params, config, training=True)
        x, cache = phases.forward(start, params)
        keys = readout.keys(x, params, similarity)
        context = readout.context_mean(x, batch.context) if batch.context.nnz else None
        queries = readout.queries(batch.intents, context, params, similarity)
        factor = readout.scale(params, similarity)

        z_tools = readout.scores(queries.q.rows, keys.rows[:n], factor)
        loss, td, d_tools = _part(z_tools, batch.tools, batch, tau, masks.tool_bias)
        z_caps = readout.scores(queries.q.rows, keys.rows[n:], factor)
        columns = hierarchy.row_of - n
        wanted = Targets(Incidence(batch.capabilities.incidence.indptr, columns[batch.capabilities.incidence.indices].astype(np.int32)),
                         batch.capabilities.values)  # fmt: skip
        scores = _ruled_out(z_caps, batch, masks, columns)
        more, _, d_caps = _part(scores, wanted, batch, tau, None)
        d_caps *= np.float32(capability_weight)

        d_q = np.zeros_like(queries.q.rows)
        d_keys = np.empty_like(keys.rows)
        for rows, d_z, z in ((slice(0, n), d_tools, z_tools), (slice(n, None), d_caps, z_caps)):
            part = readout.Unit(keys.rows[rows], keys.norms[rows])
            d_keys[rows] = readout.scores_backward(d_z, z, queries.q, part, params, gradient, similarity, d_q)
        d_x = np.zeros_like(x)
        readout.keys_backward(d_keys, keys, x, params, gradient, similarity, d_x)
        d_context = readout.queries_backward(d_q, queries, params, gradient, similarity, intent_map)
        if d_context is not None:
            readout.context_mean_backward(d_context, batch.context, d_x)
        phases.backward(d_x, cache, params, gradient, inputs=offsets)
        if offsets:
            self._offsets_backward(d_x, gradient, masks, hierarchy)
        return StepLoss(float(loss + capability_weight * more), td)

    def _start(self, params: Params, masks: Masks) -> Floats:
        """Start embeddings with offsets, some of them dropped."""
        if masks.keep_tools is None or masks.keep_capabilities is None:
            return stack(self.catalog, params)
        kept = Params(params.layout, params.buffer.copy())
        kept["tool_offsets"][:] *= masks.keep_tools
        kept["capability_offsets"][:] *= masks.keep_capabilities
        return stack(self.catalog, kept)

    def _offsets_backward(self, d_x: Floats, gradient: Params, masks: Masks, hierarchy: Hierarchy) -> None:
        for name, rows, keep in (
            ("tool_offsets", d_x[: hierarchy.n_tools], masks.keep_tools),
            ("capability_offsets", d_x[hierarchy.row_of], masks.keep_capabilities),
        ):
            gradient[name][:] = rows if keep is None else rows * keep


def _part(z: Floats, targets: Targets, batch: Batch, tau: float, bias: Floats | None) -> tuple[float, Floats, Floats]:
    """(loss, td (B,), d_z (B, n)) of one candidate set."""
    d_z, rows = np.empty_like(z), np.empty(len(z))
    has = targets.incidence.degrees > 0
    share = batch.weight / np.float32(max(1, np.count_nonzero(has)))
    mass = np.empty(len(z), np.float32)
    csr = (targets.incidence.indptr, targets.incidence.indices, targets.values)
    biased = z if bias is None else z + bias
    losses.info_nce(biased, *csr, share * batch.outcome, tau, d_z, rows, mass)
    if (batch.outcome < 1.0).any():
        losses.push_down(z, *csr, share * (1.0 - batch.outcome), tau, d_z, rows)
    return float(rows.sum()), np.abs(batch.outcome - mass), d_z


def _ruled_out(z: Floats, batch: Batch, masks: Masks, columns: npt.NDArray[np.int64]) -> Floats:
    """z with the candidates that do not count at -1e30: their probability, and so their gradient, is exactly 0."""
    if masks.hidden is None and batch.ruled_out is None:
        return z
    z = z.copy()
    if masks.hidden is not None:
        z[:, columns[masks.hidden]] = RULED_OUT
    if batch.ruled_out is not None:
        z[batch.ruled_out.row_of_entry, columns[batch.ruled_out.indices]] = RULED_OUT
    return z
