"""Channels: the ways in which a tool can be found, each with a score per tool.

    semantic  log softmax of z over tools               route         log(1e-4 + sum of P(c | x) over capabilities c that hold it)
    cosine    20 cos(x, tool's own embedding)           memory        votes of the nearest traces
    lexical   20 BM25 over ids and texts / best         word_memory   votes of the traces that share words
    usage     20 BM25 over ids and texts and the words of the intents they were run for / best

The last three need the intent's text; without one they say nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .._kernels import channels as kernels
from .._types import Bool, Float32, Int32, Int64
from ..graph import Catalog, Hierarchy, Incidence
from . import calibration
from .calibration import Calibration
from .lexical import Bm25, Descriptions
from .memory import Memory, highest
from .readout import product, unit_rows
from .success import SuccessRates
from .words import asked

CHANNELS = ("semantic", "route", "cosine", "lexical", "usage", "memory", "word_memory")
NEED_TEXT = ("lexical", "usage", "word_memory")
ROUTE_FLOOR = 1e-4
NO_CANDIDATE = -1e29  # logits below say: not known
HOME_SHARPNESS = 40.0
STRETCH = 20.0  # cosine and relative BM25 lie in [0, 1]; logits do not


@dataclass(frozen=True, eq=False)
class Channels:
    """The channels of one catalogue and one memory.

    Attributes
    ----------
    catalog : tools and capabilities
    memory : traces that may be remembered
    within : (n_capabilities rows) -> all tools of each capability, members of members included
    """

    catalog: Catalog
    memory: Memory
    within: Incidence

    @classmethod
    def build(cls, catalog: Catalog, memory: Memory) -> "Channels":
        return cls(catalog, memory, Incidence.from_rows(tools_within(catalog.hierarchy)))

    def score(
        self,
        names: Sequence[str],
        x: Float32,
        texts: Sequence[str],
        z_tools: Float32,
        z_capabilities: Float32,
        memory: Memory | None = None,
        without: Sequence[int] | None = None,
    ) -> dict[str, Float32]:
        """Each named channel's scores (B, n_tools) for intents x (B, d) with logits z; z = -1e30: does not count.

        `memory` votes in place of the channels' own, and the rows `without` of it have no vote; see `Memory.votes`.
        """
        voting = self.memory if memory is None else memory
        n = len(self.catalog.tools)
        queries = [asked(text) for text in texts] if any(name in NEED_TEXT for name in names) else []
        makers: dict[str, Callable[[], Float32]] = {
            "semantic": lambda: log_softmax(z_tools),
            "route": lambda: self.route(z_capabilities),
            "cosine": lambda: self.cosine(x),
            "lexical": lambda: np.float32(STRETCH) * self._said.index.relative(queries),
            "usage": lambda: np.float32(STRETCH) * self._usage.relative(queries),
            "memory": lambda: voting.votes(x, n, without),
            "word_memory": lambda: voting.word_votes(queries, n, without),
        }
        return {name: makers[name]() for name in names}

    def route(self, z: Float32) -> Float32:
        """log(1e-4 + sum over capabilities that hold the tool of P(c | x)), P = softmax(z); (B, n_tools) from z (B, n_capabilities)."""
        n = len(self.catalog.tools)
        if z.shape[1] == 0:
            return np.full((len(z), n), np.log(ROUTE_FLOOR), np.float32)
        out, p = np.empty((len(z), n), np.float32), np.empty(z.shape[1], np.float32)
        kernels.route(z, self.within.indices, self.within.row_of_entry, NO_CANDIDATE, ROUTE_FLOOR, p, out)
        return out

    def cosine(self, x: Float32) -> Float32:
        """(B, n_tools) 20 cos of intents (B, d) and the tools' own embeddings."""
        out = product(unit_rows(x), self.unit)
        out *= np.float32(STRETCH)
        return out

    def nearness(self, x: Float32, fused: Float32, memory: Memory | None = None, without: Sequence[int] | None = None) -> Float32:
        """(B,) how near intents x (B, d) are to what is known: the mean of their three highest cosines to traces and leading tools.

        `fused`: (B, n_tools) what ranks the tools; `memory`, `without` as those of `score`.
        """
        voting = self.memory if memory is None else memory
        k = min(calibration.LEADERS, fused.shape[1])
        cosine = np.empty((len(x), k), np.float32)
        for row, scores, unit in zip(cosine, fused, unit_rows(x), strict=True):
            np.dot(self.unit[highest(scores, k)[0]], unit, row)
        return calibration.nearness(voting.closest(x, calibration.CLOSEST, without), cosine)

    @cached_property
    def success(self) -> SuccessRates:
        """Of the tools, from the memory."""
        return SuccessRates.of(self.memory, len(self.catalog.tools))

    @cached_property
    def centre(self) -> Float32:
        """(d,) mean of the tools' unit embeddings."""
        return np.asarray(self.unit.mean(axis=0), np.float32)

    @cached_property
    def unit(self) -> Float32:
        """(n_tools, d) the tools' own embeddings, of length 1."""
        rows = self.catalog.tool_embeddings
        assert rows is not None
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    @property
    def _said(self) -> Descriptions:
        return Descriptions.of(self.catalog, "tools")

    @cached_property
    def _usage(self) -> Bm25:
        documents = [2 * head for head in self._said.heads]
        rows = self.memory.tools
        worked = self.memory.worked.tolist()
        for spoken, start, stop, good in zip(self.memory.terms, rows.indptr[:-1], rows.indptr[1:], worked, strict=True):
            for t in rows.indices[start:stop].tolist() if good else ():
                documents[t] += spoken
        return Bm25(documents)


def tools_within(hierarchy: Hierarchy) -> list[frozenset[int]]:
    """All tools of each capability, members of members included, in catalogue order."""
    within: list[frozenset[int]] = [frozenset()] * hierarchy.n_capabilities
    for c in np.argsort(hierarchy.level_of, kind="stable").tolist():
        inner = (within[m] for m in hierarchy.capabilities_of.row(c).tolist())
        within[c] = frozenset(hierarchy.tools_of.row(c).tolist()).union(*inner)
    return within


def log_softmax(z: Float32) -> Float32:
    """Over the last axis, (B, n)."""
    out = np.empty(z.shape, np.float32)
    kernels.log_softmax(np.ascontiguousarray(z, np.float32), out)
    return out


@dataclass(frozen=True)
class Fusion:
    """Weights of the channels, fused late: for a tool with training traces sum_c w_c s_c, for one without sum_c v_c s_c + bonus.

    Attributes
    ----------
    seen, unseen : non-negative weight of each channel
    bonus : added to every tool without training traces
    calibration : from the log softmax of the fused scores to probabilities
    fitted : were weights and calibration chosen on held-out traces? Else they are those of `cold_start`
    home : cosine to the nearest remembered trace below which an intent is away from all traffic, and is ranked by cosine; None: none is
    """

    seen: dict[str, float]
    unseen: dict[str, float]
    bonus: float
    calibration: Calibration = calibration.STRAIGHT
    fitted: bool = True
    home: float | None = None

    @classmethod
    def cold_start(cls) -> "Fusion":
        """Before anything could be validated: similarity, and cautious votes of what worked.

        Chosen on the training traces of six public sets: with 25 to 400 traces remembered and nothing trained, votes at these weights are
        worth 2 to 20 points of Recall@5, and never cost more than 1.
        """
        weights = {"semantic": 1.0, "memory": 0.3, "word_memory": 0.15}
        return cls(weights, weights, 0.0, fitted=False)

    @classmethod
    def doubted(cls) -> "Fusion":
        """Where held-out traces show nothing that is learned from them: similarity alone, until they do."""
        return cls({"semantic": 1.0}, {"semantic": 1.0}, 0.0, fitted=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Channels with a weight."""
        return tuple(c for c in CHANNELS if self.seen.get(c, 0.0) > 0.0 or self.unseen.get(c, 0.0) > 0.0)

    def combine(self, scores: dict[str, Float32], is_unseen: Bool) -> Float32:
        """Fused scores (B, n_tools); is_unseen (n_tools,) or (B, n_tools)."""
        if is_unseen.ndim == 1:
            return weighted(scores, self.factors(is_unseen))
        fused = np.empty(is_unseen.shape, np.float32)
        for rows in _alike(is_unseen):  # those of one fold: a factor a tool, and none an entry
            fused[rows] = weighted({name: s[rows] for name, s in scores.items()}, self.factors(is_unseen[rows][0]))
        return fused

    def factors(self, is_unseen: Bool) -> dict[str, Float32]:
        """Channel -> what its scores are multiplied by, and "bonus" -> what is added, each of the shape of is_unseen."""
        pairs = {name: (self.seen.get(name, 0.0), self.unseen.get(name, 0.0)) for name in CHANNELS}
        pairs["bonus"] = (0.0, self.bonus)
        return {name: np.where(is_unseen, np.float32(unseen), np.float32(seen)) for name, (seen, unseen) in pairs.items()}

    def probability(self, fused: Float32, nearness: Float32 | None = None) -> Float32:
        """Calibrated probability that the item is right, (B, n); monotone in the fused score within a row.

        `nearness`: (B,) see `Channels.nearness`; None where the intents are known to be of the traffic.
        """
        return self.calibration.probability(log_softmax(fused), nearness)


def at_home(fused: Float32, cosine: Float32, nearest: Float32, home: float) -> Float32:
    """(B, n_tools) log( g P + (1 - g) P_cosine ), g = sigmoid(40 (nearest - home)): what was learned near traffic, cosine away from it.

    Parameters
    ----------
    fused, cosine : (B, n_tools) scores whose softmax is P
    nearest : (B,) cosine of each intent to the nearest trace
    """
    g = 1.0 / (1.0 + np.exp(-HOME_SHARPNESS * (nearest.astype(np.float64) - home)))[:, None]
    mixed = g * np.exp(log_softmax(fused).astype(np.float64)) + (1.0 - g) * np.exp(log_softmax(cosine).astype(np.float64))
    return np.log(np.maximum(mixed, 1e-300)).astype(np.float32)


def weighted(scores: dict[str, Float32], factors: dict[str, Float32]) -> Float32:
    """Fused scores (B, n_tools) from those of some channels and the factors (n_tools,) of all; see `Fusion.factors`."""
    total = np.zeros_like(next(iter(scores.values())))
    total += factors["bonus"]
    for name, s in scores.items():
        kernels.add_weighted(factors[name], s, total)
    return total


def _alike(marked: Bool) -> list[slice] | list[Int64]:
    """The rows of marked (B, n) that are equal, for each kind; all of them as a slice where there is one kind."""
    kinds: dict[bytes, list[int]] = {}
    for i, row in enumerate(marked):
        kinds.setdefault(row.tobytes(), []).append(i)
    return [slice(None)] if len(kinds) == 1 else [np.array(rows, np.int64) for rows in kinds.values()]


@dataclass(frozen=True, eq=False)
class Learned:
    """What training adds to the parameters: which channels count how much, and what was remembered.

    Attributes
    ----------
    fusion : weights
    memory : columns of `memory.tools` are positions in `tool_ids`
    tool_ids : tools of the catalogue it was learned on
    unseen : ids of tools without training traces; a tool that was added later is unseen too
    """

    fusion: Fusion
    memory: Memory
    tool_ids: tuple[str, ...]
    unseen: frozenset[str]

    def over(self, catalog: Catalog) -> tuple[Channels, Bool]:
        """The channels over a catalogue, which may have changed since, and (n_tools,) which tools have no training trace."""
        column = np.array([catalog.tool_column.get(t, -1) for t in self.tool_ids], np.int32)
        old = self.memory.tools
        there = Incidence(old.indptr, column[old.indices]).keeping(column[old.indices] >= 0)
        order = Incidence.from_rows(there.row(i).tolist() for i in range(there.n_rows)) if not _ascending(column) else there
        known = set(self.tool_ids)
        unseen = np.array([t.id in self.unseen or t.id not in known for t in catalog.tools], bool)
        return Channels.build(catalog, replace(self.memory, tools=order)), unseen

    def renamed(self, aliases: Mapping[str, str]) -> "Learned":
        """With the ids that tools have now, where they were learned of by another."""
        taken = set(self.tool_ids)
        now = {t: aliases[t] for t in self.tool_ids if t in aliases and aliases[t] not in taken}
        if not now:
            return self
        return replace(
            self, tool_ids=tuple(now.get(t, t) for t in self.tool_ids), unseen=frozenset(now.get(t, t) for t in self.unseen)
        )

    @classmethod
    def cold_start(cls, catalog: Catalog) -> "Learned":
        """Nothing remembered yet."""
        ids = tuple(t.id for t in catalog.tools)
        return cls(Fusion.cold_start(), Memory.empty(catalog.dimension), ids, frozenset(ids))


def _ascending(column: Int32) -> bool:
    kept = column[column >= 0]
    return bool((np.diff(kept) > 0).all())
