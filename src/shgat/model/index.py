"""What answers requests: cached keys and folded maps of one model version. Immutable, so that readers never need a lock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .._kernels import linear
from .._types import Bool, Float32, Float64, Int64
from ..config import SHGATConfig
from ..graph import Catalog, Cooccurrence, Hierarchy
from . import hubs, readout
from .candidates import Candidates, Kind
from .channels import STRETCH, Channels, Fusion, Learned
from .memory import Memory
from .message_passing import Cache, MessagePassing
from .neighbours import Neighbours
from .params import Params
from .state import ModelState
from .values import Values
from .wide import LENGTH, SHARE, wide, words_of

ROUNDING = 1e-5  # of a map that keeps angles, in float32
PRIOR_STRENGTH = 10.0  # observations that the catalogue's mean success rate counts as


@dataclass(frozen=True, eq=False)
class LearnedChannels:
    """What training added, over the catalogue as it is now.

    Attributes
    ----------
    fusion : weights of the channels, and the calibration
    channels : the channels
    unseen : (n_tools,) tools that had no training trace
    """

    fusion: Fusion
    channels: Channels
    unseen: Bool

    @cached_property
    def factors(self) -> dict[str, Float32]:
        """Of the channels, (n_tools,) each."""
        return self.fusion.factors(self.unseen)

    def with_isolated_tools(self, catalog: Catalog) -> "LearnedChannels":
        """The same over a catalogue with more tools at its end, in no capability and without training traces."""
        unseen = np.ones(len(catalog.tools), bool)
        unseen[: len(self.unseen)] = self.unseen
        return replace(self, channels=replace(self.channels, catalog=catalog), unseen=unseen)


@dataclass(frozen=True, eq=False)
class Index:
    """One version, ready to answer.

    Attributes
    ----------
    version : of the model
    state : what it was built from
    tools, capabilities : the candidates of both kinds
    w_query, w_context : (D, d) W_q W_intent and W_q W_context, of a model with words (D, d + 256) the latter
    stretch : |q| / |x| of a W_query that keeps angles, as that of an untrained model does; 0 where it does not
    neighbours : a graph over the keys of the tools that proposes candidates, None where all are scored
    w_words : (256, D) what the words of an intent add to its query, None for a model without words
    scale : from the product of unit query and unit key to z
    shares : (nnz,) mean attention over heads on the way down from capabilities to tools, for the entries of `hierarchy.containing`;
        None where no message passes
    learned : None before training
    """

    version: int
    state: ModelState
    tools: Candidates
    capabilities: Candidates
    w_query: Float32
    w_context: Float32
    scale: float
    shares: Float32 | None
    learned: LearnedChannels | None = None
    w_words: Float32 | None = None
    stretch: float = 0.0
    neighbours: Neighbours | None = None

    @property
    def catalog(self) -> Catalog:
        return self.state.catalog

    @property
    def dimension(self) -> int:
        """d of intents."""
        return self.catalog.dimension

    @property
    def cosine(self) -> bool:
        """Are queries and keys of unit length?"""
        return self.state.config.similarity == "cosine"

    @cached_property
    def channels(self) -> LearnedChannels:
        """What training added; before any training, what evidence is weighed by."""
        if self.learned is not None:
            return self.learned
        learned = Learned.cold_start(self.catalog)
        return LearnedChannels(learned.fusion, *learned.over(self.catalog))

    @cached_property
    def values(self) -> Values | None:
        """What choices are worth within sessions; None where nothing was learned of that."""
        learned, rows = self.state.values, self.catalog.tool_embeddings
        return None if learned is None or rows is None else Values.build(learned.network, rows)

    def candidates(self, kind: Kind) -> Candidates:
        return self.tools if kind == "tools" else self.capabilities

    def hubs(self, memory: Memory) -> dict[str, Float32]:
        """Channel -> (n_tools,) what tools lose in it that did not work for any remembered trace and yet are near to all of them.

        Empty where no tool does. Kept for the memory that was asked for last.
        """
        kept: tuple[Memory, dict[str, Float32]] | None = self.__dict__.get("_hubs_kept")
        if kept is None or kept[0] is not memory:
            kept = self.__dict__["_hubs_kept"] = memory, self._hubs(memory)
        return kept[1]

    def _hubs(self, memory: Memory) -> dict[str, Float32]:
        intents = memory.sample(hubs.MOST)
        if len(intents) < hubs.FEWEST:
            return {}
        unproven = np.ones(len(self.tools.ids), bool)
        unproven[memory.proven] = False
        queries = readout.product(intents, self.w_query)
        if self.cosine:
            queries /= np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-12)
        found = {
            "semantic": hubs.excess(queries, self.tools.keys, unproven, self.scale),
            "cosine": hubs.excess(intents, self.channels.channels.unit, unproven, STRETCH),
        }
        return {name: above for name, above in found.items() if above is not None}


def build(state: ModelState, version: int, maps_of: Index | None = None) -> Index:
    """Message passing, keys and folded maps of one version. `maps_of`: an index with the same W_q, W_intent, W_context, or None."""
    catalog, params, config = state.space, state.params, state.config
    phases = passing(catalog.hierarchy, state.cooccurrence, params, config)
    x, cache = phases.forward(stack(catalog, params), params)
    keys = readout.keys(x, params, config.similarity).rows
    row_of, n = catalog.hierarchy.row_of, len(catalog.tools)
    rates = np.array([np.nan if c.success_rate is None else c.success_rate for c in catalog.capabilities])
    uses = np.array([c.uses for c in catalog.capabilities], np.int64)
    trust = reliability(rates, uses, config.reliability)
    untouched = not phases.hierarchy.levels and state.cooccurrence is None and "tool_offsets" not in params
    assert catalog.tool_embeddings is not None
    tools = catalog.tool_embeddings if untouched else x[:n]  # the same numbers: one copy is enough
    w_query, w_words = (
        _apart(_fold(params.w_q, params["w_intent"]), state) if maps_of is None else (maps_of.w_query, maps_of.w_words)
    )
    stretch = (_stretch(w_query) if w_words is None else 0.0) if maps_of is None else maps_of.stretch
    through = w_query if stretch else None
    return Index(
        version,
        state,
        Candidates.of([t.id for t in catalog.tools], catalog.tool_column, tools, keys[:n], None, through),
        Candidates.of([c.id for c in catalog.capabilities], catalog.capability_column, x[row_of], keys[row_of], trust, through),
        w_query,
        _fold(params.w_q, params["w_context"]) if maps_of is None else maps_of.w_context,
        readout.scale(params, config.similarity),
        _shares(catalog.hierarchy, phases, cache),
        _learned(state),
        w_words,
        stretch,
    )


def with_isolated_tools(index: Index, state: ModelState, version: int, steps: Sequence[int]) -> Index:
    """The index after tools without memberships were appended to the catalogue: their rows are new, nothing else changes.

    `steps`: how many were appended at once. Products of other shapes round otherwise, and what a version answers is not to depend on
    when somebody first asked.
    """
    catalog, n = state.catalog, len(index.tools.ids)
    assert catalog.tool_embeddings is not None
    rows = catalog.tool_embeddings[n:]
    x = wide(rows, words_of(catalog.tools[n:])) if state.config.words else rows  # V->V leaves a tool without neighbours as it is
    parts = np.split(x, np.cumsum(steps)[:-1])
    keys = np.concatenate([readout.keys(part, index.state.params, state.config.similarity).rows for part in parts])
    tools = index.tools.with_more([t.id for t in catalog.tools[n:]], catalog.tool_column, x, keys, index.w_query)
    learned = None if index.learned is None else index.learned.with_isolated_tools(catalog)
    graph = None if index.neighbours is None else index.neighbours.grown(len(tools.ids))
    return replace(index, version=version, state=state, tools=tools, learned=learned, neighbours=graph)


def _learned(state: ModelState) -> LearnedChannels | None:
    return None if state.learned is None else LearnedChannels(state.learned.fusion, *state.learned.over(state.catalog))


def _shares(hierarchy: Hierarchy, phases: MessagePassing, cache: Cache) -> Float32 | None:
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


def stack(catalog: Catalog, params: Params, offsets: bool = True) -> Float32:
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
    coordinates: Float32 | None = None,
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


def _apart(folded: Float32, state: ModelState) -> tuple[Float32, Float32 | None]:
    """The map (D, d + 256) of what a model with words sees as maps (D, d) of embeddings and (256, D) of hashed words, both of length 1."""
    if not state.config.words:
        return folded, None
    d = state.catalog.dimension
    return np.ascontiguousarray(folded[:, :d] / LENGTH), np.ascontiguousarray(folded[:, d:].T * (SHARE / LENGTH))


def _stretch(w: Float32) -> float:
    """c where |W x| = c |x| for all x, to float32's precision; 0 where there is none."""
    if w.shape[0] != w.shape[1]:
        return 0.0
    probes = np.random.default_rng(0).standard_normal((2, len(w))).astype(np.float32)
    first, second = np.linalg.norm(probes @ w.T, axis=1) / np.linalg.norm(probes, axis=1)
    if not abs(first - second) <= ROUNDING * first:  # of nearly every other map these two differ already
        return 0.0
    gram = readout.product(w, w)
    square = float(np.trace(gram, dtype=np.float64)) / len(w)
    gram[np.diag_indices(len(w))] -= np.float32(square)
    return float(np.sqrt(square)) if square > 0.0 and float(np.abs(gram).max()) <= ROUNDING * square else 0.0


def _fold(w_q: Float32, w: Float32) -> Float32:
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


def reliability(rates: Float64, uses: Int64, rule: str) -> Float32 | None:
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
