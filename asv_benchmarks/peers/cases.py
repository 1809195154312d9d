"""The inputs: seeded, so that every contender gets the same."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from shgat import SHGAT, Capability, Catalog, SHGATConfig, Tool
from shgat.features.member_graph import MemberGraph
from shgat.graph import Incidence
from shgat.model.session_state import N_FACTS
from shgat.model.value_network import ValueLayout, ValueNetwork
from shgat.traces import Traces

RHO = 0.3  # how far the gates of message passing are open


@dataclass(frozen=True, eq=False)
class Phase:
    """One attention phase over projected rows s (n_sources, d), t (n_targets, d); a (heads, d / heads); x (n_targets, d)."""

    s: np.ndarray
    t: np.ndarray
    a: np.ndarray
    x: np.ndarray
    gate: np.ndarray
    incidence: Incidence
    slope: float = 0.2


def embeddings(n: int, d: int, seed: int = 0) -> np.ndarray:
    """(n, d) rows of length 1."""
    rows = np.random.default_rng(seed).standard_normal((n, d), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def intent(d: int) -> np.ndarray:
    return embeddings(1, d, seed=7)[0]


@cache
def catalog(n_tools: int, n_capabilities: tuple[int, ...], d: int) -> Catalog:
    """Capabilities of each level over 2 to 8 members of the level below."""
    rng = np.random.default_rng(1)
    tools = [Tool(f"tool{i}", embedding=row) for i, row in enumerate(embeddings(n_tools, d, 2))]
    rows = iter(embeddings(sum(n_capabilities), d, 3))
    below = [t.id for t in tools]
    capabilities: list[Capability] = []
    for level, count in enumerate(n_capabilities):
        made = []
        for i in range(count):
            members = tuple(rng.choice(below, min(len(below), int(rng.integers(2, 9))), replace=False).tolist())
            tools_of, capabilities_of = ((), members) if level else (members, ())
            made.append(Capability(f"level{level}.{i}", tools=tools_of, capabilities=capabilities_of, embedding=next(rows)))
        capabilities += made
        below = [c.id for c in made]
    return Catalog.from_records(tools, capabilities)


def model(
    n_tools: int = 58, n_capabilities: tuple[int, ...] = (85, 16, 4), d: int = 1024, n_heads: int = 8, d_head: int = 64
) -> SHGAT:
    """A model whose gates are open, so that every phase speaks. W_intent is the identity, where training leaves it by default."""
    model = SHGAT.from_catalog(catalog(n_tools, n_capabilities, d), SHGATConfig(n_heads=n_heads, d_head=d_head))
    for k in range(model.params.layout.n_levels):
        model.params[f"level{k}.gate_up"][:] = model.params[f"level{k}.gate_down"][:] = (RHO, 1.0, 0.0)
    model.invalidate()
    return model


def phase(n_targets: int, n_sources: int, degree: int, heads: int, width: int) -> Phase:
    rng = np.random.default_rng(5)
    d = heads * width
    rows = [rng.choice(n_sources, degree, replace=False).tolist() for _ in range(n_targets)]
    s, t, x = embeddings(n_sources, d, 6), embeddings(n_targets, d, 7), embeddings(n_targets, d, 8)
    a = rng.standard_normal((heads, width), dtype=np.float32)
    return Phase(s, t, a, x, np.array([RHO, 1.0, 0.0], np.float32), Incidence.from_rows(rows))


def logits(rows: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """z (rows, n) and the target of each row (rows,) int32."""
    rng = np.random.default_rng(9)
    return 5 * rng.standard_normal((rows, n), dtype=np.float32), rng.integers(0, n, rows, dtype=np.int32)


def priorities(n: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Priorities (n,) and uniform numbers in [0, 1) (batch,), float64."""
    rng = np.random.default_rng(10)
    return rng.random(n) + 0.01, rng.random(batch)


def scores(n: int) -> np.ndarray:
    return np.random.default_rng(11).standard_normal(n, dtype=np.float32)


def traces(model: SHGAT, n: int, seed: int = 3) -> Traces:
    """n traces, each a noisy copy of the embedding of a capability whose tools it ran."""
    rng = np.random.default_rng(seed)
    capabilities = [c for c in model.catalog.capabilities if c.tools]
    column = model.catalog.capability_column
    rows = model.catalog.capability_embeddings
    records = []
    for i in range(n):
        chosen = capabilities[rng.integers(len(capabilities))]
        x = rows[column[chosen.id]] + rng.standard_normal(model.dimension) * (0.5 / np.sqrt(model.dimension))
        records.append({"id": f"x{i}", "embedding": x, "tools": list(chosen.tools), "capability": chosen.id})
    return Traces.from_records(records, model.catalog)


@dataclass(frozen=True, eq=False)
class Members:
    """Which tools capabilities hold, as rows, and links (tool, capability) that were held out of them beside pairs that are none."""

    rows: Incidence
    graph: MemberGraph
    linked: np.ndarray
    strangers: np.ndarray

    def auc(self, vectors: np.ndarray) -> float:
        """How often a held-out link has a larger cosine than a pair that is none."""
        n_tools = len(self.graph) - self.rows.n_rows
        a, b = ((vectors[pairs[:, 0]] * vectors[n_tools + pairs[:, 1]]).sum(axis=1) for pairs in (self.linked, self.strangers))
        return float((a[:, None] > b).mean())


def members(n_tools: int, n_capabilities: int, n_groups: int) -> Members:
    """Capabilities of 3 to 11 tools, nine in ten of one group; one in seven of a capability's links is held out."""
    rng = np.random.default_rng(12)
    group = rng.integers(n_groups, size=n_tools)
    kept, linked, strangers = [], [], []
    for c in range(n_capabilities):
        own = np.flatnonzero(group == rng.integers(n_groups))
        chosen = rng.choice(own, min(len(own), int(rng.integers(3, 12))), replace=False)
        other = rng.random(len(chosen)) < 0.1
        chosen = np.unique(np.where(other, rng.integers(n_tools, size=len(chosen)), chosen))
        out = rng.random(len(chosen)) < 1 / 7
        kept.append(chosen[~out].tolist())
        linked += [(t, c) for t in chosen[out].tolist()]
        strangers += [(t, c) for t in rng.integers(n_tools, size=int(out.sum())).tolist() if t not in chosen]
    rows = Incidence.from_rows(kept)
    tools: list[tuple[str, str]] = [("tool", f"t{i}") for i in range(n_tools)]
    nodes = (*tools, *(("capability", f"c{i}") for i in range(n_capabilities)))
    known = rows.transpose(n_tools).degrees > 0  # of the others nothing can be told
    pairs = [np.array([p for p in found if known[p[0]]], np.int64).reshape(-1, 2) for found in (linked, strangers)]
    return Members(rows, MemberGraph(nodes, joined(rows, n_tools)), *pairs)


def joined(rows: Incidence, n_tools: int) -> Incidence:
    """Neighbours of the tools, then of the capabilities, of which each row holds the tools."""
    up = rows.transpose(n_tools)
    return Incidence.stacked([Incidence(up.indptr, up.indices + np.int32(n_tools)), rows])


@dataclass(frozen=True, eq=False)
class ValueCase:
    """A value network, a request's state with its candidates, and a batch to learn from."""

    network: ValueNetwork
    state: np.ndarray  # (1, s)
    candidates: np.ndarray  # (50, d)
    states: np.ndarray  # (m, s)
    actions: np.ndarray  # (m, d)
    targets: np.ndarray  # (m,)


def values(d: int = 384, m: int = 256) -> ValueCase:
    layout = ValueLayout(3 * d + N_FACTS, d)
    network = ValueNetwork.initial(layout, np.random.default_rng(0))
    targets = np.random.default_rng(1).random(m, dtype=np.float32)
    state, states = embeddings(1, layout.state, 4), embeddings(m, layout.state, 5)
    return ValueCase(network, state, embeddings(50, d, 6), states, embeddings(m, d, 8), targets)
