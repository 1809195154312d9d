"""What answers requests: cached keys and folded maps of one model version. Immutable, so that readers never need a lock."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .._kernels import linear
from ..config import SHGATConfig
from ..graph import Catalog, Cooccurrence, Hierarchy
from . import readout
from .channels import Channels, Fusion, Learned
from .message_passing import Cache, MessagePassing
from .params import Floats, Params

PRIOR_STRENGTH = 10.0  # observations that the catalogue's mean success rate counts as


@dataclass(frozen=True, eq=False)
class Side:
    """Tools, or capabilities, as one request sees them.

    Attributes
    ----------
    ids, column : the items in catalogue order, and the position of each
    x : (n, d) final embeddings
    keys : (n, D) unit keys (as they are for "dot")
    reliability : (n,) factor on the probability scale, or None where it is 1 for all
    twins : (m, 2) columns with the same embedding, (later, first); they take one score, so that rounding never orders them
    """

    ids: list[str]
    column: Mapping[str, int]
    x: Floats
    keys: Floats
    reliability: Floats | None
    twins: npt.NDArray[np.int64]

    def tie(self, z: Floats) -> Floats:
        """z (..., n) with the score of the first of equal items for all of them; in place."""
        if len(self.twins):
            z[..., self.twins[:, 0]] = z[..., self.twins[:, 1]]
        return z

    @cached_property
    def log_reliability(self) -> Floats | None:
        """(n,) what the factor adds to logits."""
        return None if self.reliability is None else np.log(self.reliability)


@dataclass(frozen=True, eq=False)
class Index:
    """One version, ready to answer.

    Attributes
    ----------
    version : of the model
    tools, capabilities : the two sides
    w_query, w_context : (D, d) W_q W_intent and W_q W_context
    scale : from the product of unit query and unit key to z
    shares : (nnz,) mean attention over heads on the way down from capabilities to tools, for the entries of `hierarchy.containing`;
        None where no message passes
    config, params, catalog, cooccurrence : of this version
    learned : weights of the channels, the channels, and (n_tools,) which tools had no training trace; None before training
    """

    version: int
    tools: Side
    capabilities: Side
    w_query: Floats
    w_context: Floats
    scale: float
    shares: Floats | None
    config: SHGATConfig
    params: Params
    catalog: Catalog
    cooccurrence: Cooccurrence | None
    learned: tuple[Fusion, Channels, npt.NDArray[np.bool_]] | None = None

    @cached_property
    def factors(self) -> dict[str, Floats]:
        """Of the channels, (n_tools,) each; nothing before training."""
        if self.learned is None:
            return {}
        fusion, _, unseen = self.learned
        return fusion.factors(unseen)

    @property
    def cosine(self) -> bool:
        """Are queries and keys of unit length?"""
        return self.config.similarity == "cosine"

    def side(self, kind: str) -> Side:
        return self.tools if kind == "tools" else self.capabilities


def build(
    catalog: Catalog,
    cooccurrence: Cooccurrence | None,
    params: Params,
    config: SHGATConfig,
    version: int,
    learned: Learned | None = None,
    maps_of: Index | None = None,
) -> Index:
    """Message passing, keys and folded maps of one version. `maps_of`: an index with the same W_q, W_intent, W_context, or None."""
    phases = passing(catalog.hierarchy, cooccurrence, params, config)
    x, cache = phases.forward(stack(catalog, params), params)
    keys = readout.keys(x, params, config.similarity).rows
    row_of, n = catalog.hierarchy.row_of, len(catalog.tools)
    rates = np.array([np.nan if c.success_rate is None else c.success_rate for c in catalog.capabilities])
    uses = np.array([c.uses for c in catalog.capabilities], np.int64)
    return Index(
        version,
        Side([t.id for t in catalog.tools], catalog.tool_column, x[:n], keys[:n], None, _twins(x[:n])),
        Side([c.id for c in catalog.capabilities], catalog.capability_column, x[row_of], keys[row_of],
             reliability(rates, uses, config.reliability), _twins(x[row_of])),
        _fold(params.w_q, params["w_intent"]) if maps_of is None else maps_of.w_query,
        _fold(params.w_q, params["w_context"]) if maps_of is None else maps_of.w_context,
        readout.scale(params, config.similarity), _shares(catalog.hierarchy, phases, cache), config, params, catalog, cooccurrence,
        None if learned is None else (learned.fusion, *learned.over(catalog)),
    )  # fmt: skip


def with_isolated_tool(
    index: Index, catalog: Catalog, cooccurrence: Cooccurrence | None, params: Params, version: int, learned: Learned | None
) -> Index:
    """The index after a tool without memberships was appended: one new row, nothing else changes."""
    assert catalog.tool_embeddings is not None
    x = catalog.tool_embeddings[-1:]  # V->V leaves a tool without neighbours as it is
    key = readout.keys(x, index.params, index.config.similarity).rows
    old = index.tools
    alike = np.flatnonzero(old.x[:, 0] == x[0, 0])
    equal = alike[(old.x[alike] == x).all(axis=1)][:1]
    twins = np.concatenate([old.twins, np.stack([np.full_like(equal, len(old.ids)), equal], axis=1)])
    tools = Side([*old.ids, catalog.tools[-1].id], catalog.tool_column, np.concatenate([old.x, x]),
                 np.concatenate([old.keys, key]), None, twins)  # fmt: skip
    channels = None if learned is None else (learned.fusion, *learned.over(catalog))
    return replace(index, version=version, tools=tools, catalog=catalog, cooccurrence=cooccurrence, params=params, learned=channels)


def _twins(x: Floats) -> npt.NDArray[np.int64]:
    """(m, 2): each row that repeats an earlier one, and the first row like it."""
    d = x.shape[1]
    probe = np.ascontiguousarray(x[:, [d // 3, 2 * d // 3]] + np.float32(0.0)).view(np.uint64).reshape(-1)  # -0 + 0 is 0
    order = np.argsort(probe, kind="stable")
    again = probe[order[1:]] == probe[order[:-1]]
    candidates = np.unique(np.concatenate([order[1:][again], order[:-1][again]])).tolist()
    first: dict[bytes, int] = {}
    pairs = [(i, first.setdefault((x[i] + np.float32(0.0)).tobytes(), i)) for i in candidates]
    return np.array([p for p in pairs if p[0] != p[1]], np.int64).reshape(-1, 2)


def _shares(hierarchy: Hierarchy, phases: MessagePassing, cache: Cache) -> Floats | None:
    """Mean attention of each tool to the capabilities that list it, as the entries of `hierarchy.containing` stand."""
    if not phases.hierarchy.levels:
        return None
    n = hierarchy.n_tools
    capability_of = np.empty(hierarchy.n_capabilities, np.int64)
    capability_of[hierarchy.row_of - n] = np.arange(hierarchy.n_capabilities)
    tools, capabilities, means = [], [], []
    for level, seen in zip(phases.hierarchy.levels, cache.levels, strict=True):
        targets = level.members[level.down.row_of_entry]
        to_tool = targets < n
        tools.append(targets[to_tool])
        capabilities.append(capability_of[level.start - n + level.down.indices[to_tool]])
        means.append(seen.down.alpha[to_tool].mean(axis=1))
    order = np.lexsort((np.concatenate(capabilities), np.concatenate(tools)))
    return np.asarray(np.concatenate(means)[order], np.float32)


def stack(catalog: Catalog, params: Params, offsets: bool = True) -> Floats:
    """(n_tools + n_capabilities, d): start embeddings (with their offsets), in the order of the stacked nodes."""
    tools, capabilities, row_of = catalog.tool_embeddings, catalog.capability_embeddings, catalog.hierarchy.row_of
    assert tools is not None
    assert capabilities is not None
    x = np.empty((len(tools) + len(capabilities), tools.shape[1]), np.float32)
    x[: len(tools)] = tools
    x[row_of] = capabilities
    if offsets and "tool_offsets" in params:
        x[: len(params["tool_offsets"])] += params["tool_offsets"]
        x[row_of[: len(params["capability_offsets"])]] += params["capability_offsets"]
    return x


def passing(
    hierarchy: Hierarchy,
    cooccurrence: Cooccurrence | None,
    params: Params,
    config: SHGATConfig,
    *,
    training: bool = False,
    coordinates: Floats | None = None,
) -> MessagePassing:
    """The phases that do something: with every gate closed (rho = 0) no level speaks, which is the same and costs nothing.

    While `training`, closed gates are kept: their gradient is what opens them.
    """
    if not config.message_passing or not (training or gates_open(params)):
        hierarchy = replace(hierarchy, levels=())
    return MessagePassing(hierarchy, cooccurrence, config.slope, coordinates)


def gates_open(params: Params) -> bool:
    """Does any gate let messages through? With every rho at 0, message passing is the identity."""
    gates = (params[f"level{k}.gate_{way}"][0] for k in range(params.layout.n_levels) for way in ("up", "down"))
    return any(rho != 0.0 for rho in gates)


def _fold(w_q: Floats, w: Floats) -> Floats:
    """(D, d) W_q W; without a product where W is still what it starts as, zero or the identity."""
    n = len(w)
    if not w.reshape(-1)[:-1].reshape(n - 1, n + 1)[:, 1:].any():  # all but the diagonal
        diagonal = w.reshape(-1)[:: n + 1]
        if not diagonal.any():
            return np.zeros_like(w_q)
        if (diagonal == 1.0).all():
            return w_q.copy()
    out = np.empty_like(w_q)
    linear.project_backward_input(w_q, w, out)
    return out


def reliability(rates: npt.NDArray[np.float64], uses: npt.NDArray[np.int64], rule: str) -> Floats | None:
    """Factors (n,) from success rates (NaN: unknown) and numbers of uses; None where every factor is 1.

    smooth: posterior mean of a Beta prior at the catalogue's mean, relative to that mean, clipped to [0.5, 1.2]; 1 where uses = 0.
    steps: 0.5 below a success rate of 0.5, 1.2 above 0.9, else 1.
    """
    known = np.isfinite(rates)
    factor = np.ones(len(rates))
    if rule == "steps":
        factor[known & (rates < 0.5)] = 0.5
        factor[known & (rates > 0.9)] = 1.2
    elif rule == "smooth" and (uses[known] > 0).any():
        n = np.where(known, uses, 0)
        successes = np.where(known, np.nan_to_num(rates), 0.0) * n
        mean = max(successes.sum() / n.sum(), 1e-6)
        factor = np.clip((PRIOR_STRENGTH * mean + successes) / (PRIOR_STRENGTH + n) / mean, 0.5, 1.2)
    return None if (factor == 1.0).all() else factor.astype(np.float32)
