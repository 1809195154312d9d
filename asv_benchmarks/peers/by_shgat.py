"""shgat's own way through each case."""

import itertools
from collections.abc import Callable

import numpy as np

from shgat import SHGAT
from shgat._kernels import attention, losses, readout, topk
from shgat._kernels import replay as tree_of
from shgat.features.centrality import clustering, pagerank
from shgat.features.member_graph import MemberGraph
from shgat.features.node2vec import Method, Node2VecConfig
from shgat.features.node2vec import node2vec as learned
from shgat.graph import Incidence
from shgat.model import index
from shgat.model.value_network import ValueNetwork
from shgat.traces import Traces
from shgat.training import Examples, Trainer, TrainingConfig
from shgat.training.optim import Adam, Group

from . import cases
from .cases import Phase, ValueCase


def rank(model: SHGAT, kind: str) -> Callable[[np.ndarray], tuple[str, ...]]:
    model.index()
    return lambda x: model.rank(x, 10, kind).ids


def products(model: SHGAT) -> Callable[[np.ndarray], np.ndarray]:
    """The two products of a request in one call: q = W x, z = K q."""
    now = model.index()
    keys = now.tools.keys
    q, z = np.empty(keys.shape[1], np.float32), np.empty(len(keys), np.float32)

    def run(x: np.ndarray) -> np.ndarray:
        readout.score_intent(x, now.w_query, keys, now.scale, True, q, z)
        return z

    return run


def rebuild(model: SHGAT) -> Callable[[], np.ndarray]:
    def run() -> np.ndarray:
        built = index.build(model.state, model.version)
        return np.concatenate([built.tools.keys, built.capabilities.keys])

    return run


def train(model: SHGAT, traces: Traces, epochs: int, batch_size: int) -> Callable[[], float]:
    """Epochs over all traces without validation; returns the last loss."""
    config = TrainingConfig.for_fit(len(traces), TrainingConfig(epochs=epochs, batch_size=batch_size))
    examples = Examples.build(model.catalog, traces)
    rows = np.arange(len(traces))

    def run() -> float:
        trainer = Trainer(examples, model.state.cooccurrence, model.config, model.params, config, rows, 0, provenance=False)
        return trainer.run().losses[-1]

    return run


def add_tool(model: SHGAT) -> Callable[[np.ndarray], None]:
    model.index()
    number = itertools.count()

    def run(row: np.ndarray) -> None:
        model.add_tool({"id": f"new{next(number)}", "embedding": row})
        model.index()

    return run


def attend(case: Phase) -> Callable[[], np.ndarray]:
    heads, d = len(case.a), case.x.shape[1]
    alpha, agg = np.empty((case.incidence.nnz, heads), np.float32), np.empty_like(case.x)
    out, scratch = np.empty_like(case.x), np.empty(2 * d, np.float32)

    def run() -> np.ndarray:
        attention.attend(
            case.s, case.t, case.a, case.incidence.indptr, case.incidence.indices, case.slope, case.gate, case.x, alpha, agg, out,
            scratch,
        )  # fmt: skip
        return out

    return run


def info_nce(z: np.ndarray, targets: np.ndarray) -> Callable[[], np.ndarray]:
    n = len(z)
    indptr, ones = np.arange(n + 1, dtype=np.int32), np.ones(n, np.float32)
    d_z, loss, p = np.empty_like(z), np.empty(n), np.empty(n, np.float32)

    def run() -> np.ndarray:
        losses.info_nce(z, indptr, targets, ones, ones, 0.1, d_z, loss, p)
        return d_z

    return run


def replay(priorities: np.ndarray, uniform: np.ndarray) -> Callable[[], np.ndarray]:
    leaves = 1 << (len(priorities) - 1).bit_length()
    tree, slots = np.zeros(2 * leaves), np.empty(len(uniform), np.int64)
    tree_of.update(tree, np.arange(len(priorities), dtype=np.int64), priorities)

    def run() -> np.ndarray:
        tree_of.find(tree, uniform * tree[1], slots)
        tree_of.update(tree, slots, priorities[slots])
        return slots

    return run


def top_k(scores: np.ndarray, k: int) -> Callable[[], np.ndarray]:
    best, where = np.empty(k, np.float32), np.empty(k, np.int32)

    def run() -> np.ndarray:
        topk.top_k(scores, best, where)
        return where

    return run


def node2vec(graph: MemberGraph, method: Method = "factors") -> Callable[[], np.ndarray]:
    """(n, 64) vectors of length 1; one pass, where it takes passes."""
    config = Node2VecConfig(method=method, epochs=1)
    return lambda: learned(graph, config).vectors


def graph_features(rows: Incidence, n_tools: int) -> Callable[[], np.ndarray]:
    neighbours = cases.joined(rows, n_tools)
    return lambda: np.concatenate([pagerank(neighbours), clustering(rows, n_tools)])


def value(case: ValueCase) -> Callable[[], np.ndarray]:
    """(50,) values of a request's candidates, whose parts are known."""
    network, owner = case.network, np.zeros(len(case.candidates), np.int32)
    parts, item = network.parts(case.candidates), np.arange(len(case.candidates), dtype=np.int32)
    return lambda: network.activations(network.base(case.state), owner, parts, item).q


def learn_values(case: ValueCase, steps: int) -> Callable[[], float]:
    """Adam on mean (q - target)^2 / 2; the last loss."""

    def run() -> float:
        network, gradient = case.network.copy(), ValueNetwork(case.network.layout)
        adam, loss = Adam(network, [Group(tuple(network.layout.shapes))]), 0.0
        for _ in range(steps):
            found = network.forward(case.states, case.actions)
            error = found.q - case.targets
            loss = float(error @ error) / (2 * len(error))
            network.backward(error / np.float32(len(error)), case.states, case.actions, found, gradient)
            adam.step(network, gradient, 1e-3, 1.0)
        return loss

    return run
