"""Node2Vec: vectors of tools and capabilities from walks over the graph that they form.

Grover and Leskovec, node2vec: Scalable Feature Learning for Networks, KDD 2016. What walks bring together is near; texts play no part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from .._check import choice, number, positive_integer
from .._check import seed as checked_seed
from .._kernels import walks as kernels
from .._types import Float32, Float64, Int32
from ..errors import InputError
from .member_graph import MemberGraph, Node
from .ppmi import Rows, factors, in_parts

Method = Literal["factors", "skip-gram"]
_TABLE = 1 << 16  # places of the table that negatives are drawn from
_POWER = 0.75  # of a node's frequency among the negatives


@dataclass(frozen=True, kw_only=True)
class Node2VecConfig:
    """Attributes
    ----------
    dimensions : of the vectors; fewer where the graph has fewer nodes, and zeros then
    length : nodes of a walk
    walks : that start at each node
    window : how far apart in a walk two nodes are still near
    p, q : 1 / p is the weight of going back, 1 / q that of going away from the node before; in [0.05, 20]
    method : "factors" of the positive pointwise mutual information, or "skip-gram" with negative sampling
    negatives, epochs, rate : of skip-gram: drawn for each pair, passes over the walks, step at the start
    seed : the same seed gives the same walks, in whatever number of threads
    """

    dimensions: int = 64
    length: int = 15
    walks: int = 40
    window: int = 5
    p: float = 1.0
    q: float = 1.0
    method: Method = "factors"
    negatives: int = 5
    epochs: int = 3
    rate: float = 0.025
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("dimensions", "length", "walks", "window", "negatives", "epochs"):
            positive_integer(getattr(self, name), f"node2vec: {name}")
        for name in ("p", "q"):
            number(getattr(self, name), 0.05, 20.0, f"node2vec: {name}")
        number(self.rate, 1e-6, 1.0, "node2vec: rate")
        choice(self.method, ("factors", "skip-gram"), "node2vec: method")
        checked_seed(self.seed, "node2vec: seed")


@dataclass(frozen=True, eq=False)
class NodeSpace:
    """Where nodes stand. A space grows: what is new is put between what is there, which stays.

    Attributes
    ----------
    nodes : (n,) kind and id of each
    raw : (n, k) float32 vectors as they were learned; zero for a node that is joined with nothing
    contexts : (n, k) float32 by which a new node is placed
    shares : (n,) float64 what each node has of all co-occurrences
    config : that made it
    """

    nodes: tuple[Node, ...]
    raw: Float32
    contexts: Float32
    shares: Float64
    config: Node2VecConfig

    @cached_property
    def vectors(self) -> Float32:
        """(n, k) of length 1; zero for a node that is joined with nothing."""
        return unit(self.raw)

    @cached_property
    def number(self) -> dict[Node, int]:
        """Where each node stands."""
        return {node: i for i, node in enumerate(self.nodes)}

    def of(self, kind: Literal["tool", "capability"], ids: Sequence[str]) -> Float32:
        """(len(ids), k) vectors of some nodes; zero for those that the space does not know."""
        rows = np.array([self.number.get((kind, key), -1) for key in ids], np.int64)
        out = np.zeros((len(rows), self.raw.shape[1]), np.float32)
        out[rows >= 0] = self.vectors[rows[rows >= 0]]
        return out

    def extended(self, graph: MemberGraph, threads: int = 1) -> "NodeSpace":
        """With the nodes that only the graph has, placed by walks of their own; every other vector stays as it is.

        Raises
        ------
        InputError
            for a graph that does not begin with the nodes of this space: MemberGraph.of(catalog, space.nodes).
        """
        n = len(self.nodes)
        if graph.nodes[:n] != self.nodes:
            raise InputError(
                "the graph does not begin with the nodes of the space: make it by MemberGraph.of(catalog, space.nodes)"
            )
        k, new = self.raw.shape[1], len(graph) - n
        raw = np.concatenate([self.raw, np.zeros((new, k), np.float32)])
        contexts = np.concatenate([self.contexts, np.zeros((new, k), np.float32)])
        shares = np.concatenate([self.shares, np.zeros(new)])
        walks = random_walks(graph, self.config, np.arange(n, len(graph), dtype=np.int32), threads)
        if self.config.method == "factors":
            counts = Rows.near(walks, len(graph), self.config.window, n, threads)
            raw[n:] = counts.ppmi(shares).times(contexts, threads)[n:]
        else:
            _skip_gram(walks, self.config, n, _table(shares), raw, contexts)
        return NodeSpace(graph.nodes, raw, contexts, shares, self.config)


def node2vec(graph: MemberGraph, config: Node2VecConfig | None = None, threads: int = 1) -> NodeSpace:
    """Learns a space; the same for one seed, whatever the number of threads."""
    config = config or Node2VecConfig()
    n, k = len(graph), config.dimensions
    walks = random_walks(graph, config, np.arange(n, dtype=np.int32), threads)
    walks = walks[graph.degrees[walks[:, 0]] > 0] if n else walks
    raw, contexts = np.zeros((n, k), np.float32), np.zeros((n, k), np.float32)
    rng = np.random.default_rng(config.seed)
    if config.method == "skip-gram":
        visits = np.bincount(walks.ravel(), minlength=n).astype(np.float64)
        shares = visits / max(visits.sum(), 1.0)
        raw[:] = (rng.random((n, k), np.float32) - 0.5) / k
        raw[graph.degrees == 0] = 0.0
        _skip_gram(walks, config, 0, _table(shares), raw, contexts)
        return NodeSpace(graph.nodes, raw, contexts, shares, config)
    counts = Rows.near(walks, n, config.window, threads=threads)
    sums = counts.sums()
    shares = sums / max(sums.sum(), 1.0)
    u, values = factors(counts.ppmi(shares), k, rng, threads)
    root = np.sqrt(values).astype(np.float32)
    raw[:, : len(root)], contexts[:, : len(root)] = u * root, u / root  # m contexts = raw: a row of its own places a node
    return NodeSpace(graph.nodes, raw, contexts, shares, config)


def random_walks(graph: MemberGraph, config: Node2VecConfig, starts: Int32, threads: int = 1) -> Int32:
    """(len(starts) * walks, length) int32 nodes; -1 after a node without neighbours."""
    each, incidence = config.walks, graph.neighbours
    out = np.empty((len(starts) * each, config.length), np.int32)

    def work(low: int, high: int) -> None:
        part = out[low * each : high * each]
        kernels.walk(incidence.indptr, incidence.indices, starts[low:high], each, config.p, config.q, config.seed, part)

    in_parts(work, 0, len(starts), threads)
    return out


def unit(rows: Float32) -> Float32:
    """(n, k) rows scaled to length 1; zero rows stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    out = np.zeros_like(rows)
    np.divide(rows, lengths, out=out, where=lengths > 0)
    return out


def _table(shares: Float64) -> Int32:
    """Nodes by share^0.75, each as often as a negative is to be it."""
    powers = shares**_POWER
    if not powers.any():
        return np.zeros(0, np.int32)
    ends = np.cumsum(powers / powers.sum())
    size = max(_TABLE, 64 * len(shares))
    return np.searchsorted(ends, (np.arange(size) + 0.5) / size).clip(max=len(shares) - 1).astype(np.int32)


def _skip_gram(walks: Int32, config: Node2VecConfig, first: int, table: Int32, raw: Float32, contexts: Float32) -> None:
    """Moves the vectors from node `first` on, and where that is the first of all the contexts too; one thread, so that it repeats."""
    rng = np.random.default_rng(config.seed)
    steps = np.linspace(config.rate, config.rate / 100, config.epochs + 1)
    scratch = np.empty(raw.shape[1], np.float32)
    for epoch, (high, low) in enumerate(zip(steps[:-1].tolist(), steps[1:].tolist(), strict=True)):
        order = rng.permutation(len(walks))
        seed = config.seed * 1_000_003 + epoch & (1 << 63) - 1
        kernels.skip_gram(
            np.ascontiguousarray(walks[order]),
            config.window,
            table,
            config.negatives,
            high,
            low,
            first,
            seed,
            raw,
            contexts,
            scratch,
        )
