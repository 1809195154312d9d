"""The same model in PyTorch, eager, on one thread: gathers, `scatter_reduce` for the segments, its own BLAS for the products."""

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

from shgat import SHGAT
from shgat.graph import Incidence
from shgat.traces import Traces
from shgat.training import Examples

from .cases import Phase, ValueCase

torch.set_num_threads(1)
torch.set_grad_enabled(False)


def rank(model: SHGAT, kind: str) -> Callable[[np.ndarray], tuple[str, ...]]:
    """Cached keys and folded maps too."""
    now = model.index()
    found = now.candidates(kind)
    keys, w = torch.from_numpy(found.keys.copy()), torch.from_numpy(now.w_query)

    def run(x: np.ndarray) -> tuple[str, ...]:
        q = functional.normalize(torch.mv(w, torch.from_numpy(x)), dim=0)
        best = torch.topk(torch.mv(keys, q), min(10, len(keys))).indices
        return tuple(found.ids[i] for i in best.tolist())

    return run


def products(model: SHGAT) -> Callable[[np.ndarray], torch.Tensor]:
    now = model.index()
    keys, w = torch.from_numpy(now.tools.keys), torch.from_numpy(now.w_query)
    z = torch.empty(len(keys))
    return lambda x: torch.mv(keys, torch.mv(w, torch.from_numpy(x)), out=z)


def rebuild(model: SHGAT) -> Callable[[], np.ndarray]:
    hierarchy, slope = model.catalog.hierarchy, model.config.slope
    p = {name: torch.from_numpy(view.copy()) for name, view in model.params.items()}
    w_k, n, row_of = p["w_k"].reshape(-1, model.dimension), hierarchy.n_tools, torch.from_numpy(hierarchy.row_of)
    levels = [(torch.from_numpy(v.members), slice(v.start, v.stop), _Edges(v.up), _Edges(v.down)) for v in hierarchy.levels]
    start = torch.empty(n + hierarchy.n_capabilities, model.dimension)
    start[:n] = torch.from_numpy(model.catalog.tool_embeddings)
    start[row_of] = torch.from_numpy(model.catalog.capability_embeddings)

    def run() -> np.ndarray:
        x = start.clone()
        for k, (members, own, up, _) in enumerate(levels):
            s, t = x[members] @ p[f"level{k}.w_child"].T, x[own] @ p[f"level{k}.w_parent"].T
            x[own] = _attend(s, t, p[f"level{k}.a_up"], x[own], p[f"level{k}.gate_up"], up, slope)
        for k, (members, own, _, down) in reversed(list(enumerate(levels))):
            s, t = x[own] @ p[f"level{k}.w_parent"].T, x[members] @ p[f"level{k}.w_child"].T
            x[members] = _attend(s, t, p[f"level{k}.a_down"], x[members], p[f"level{k}.gate_down"], down, slope)
        keys = functional.normalize(x @ w_k.T)
        return torch.cat([keys[:n], keys[row_of]]).numpy()

    return run


def train(model: SHGAT, traces: Traces, epochs: int, batch_size: int) -> Callable[[], float]:
    """The same steps by autograd, AdamW (one fused pass) and clipping: message passing once a step, both losses over all candidates."""
    hierarchy, slope, d = model.catalog.hierarchy, model.config.slope, model.dimension
    n, row_of = hierarchy.n_tools, hierarchy.row_of
    levels = [(torch.from_numpy(v.members), slice(v.start, v.stop), _Edges(v.up), _Edges(v.down)) for v in hierarchy.levels]
    start = torch.empty(n + hierarchy.n_capabilities, d)
    start[:n] = torch.from_numpy(model.catalog.tool_embeddings)
    start[torch.from_numpy(row_of)] = torch.from_numpy(model.catalog.capability_embeddings)
    examples = Examples.build(model.catalog, traces)
    rows = np.arange(len(traces))
    batch = examples.batch(rows)
    y_tools, y_caps = torch.zeros(len(rows), n), torch.zeros(len(rows), hierarchy.n_capabilities)
    for y, t, column in ((y_tools, batch.tools, np.arange(n)), (y_caps, batch.capabilities, row_of - n)):
        at = (
            torch.from_numpy(t.incidence.row_of_entry.astype(np.int64)),
            torch.from_numpy(column[t.incidence.indices].astype(np.int64)),
        )
        y[at] = torch.from_numpy(t.values)
    x_all = torch.from_numpy(traces.vectors(rows))
    names = [name for name in model.params if name not in ("w_intent", "w_context", "residual_logit", "temperature_logit")]

    def run() -> float:
        with torch.enable_grad():
            return _train()

    def _train() -> float:
        p = {name: torch.from_numpy(model.params[name].copy()).requires_grad_() for name in names}
        optimizer = torch.optim.AdamW(p.values(), lr=1e-3, weight_decay=0.01, fused=True)
        rng, loss = np.random.default_rng(0), torch.zeros(())
        for _ in range(epochs):
            order = torch.from_numpy(rng.permutation(len(rows)))
            for i in order.split(min(batch_size, max(16, len(rows) // 4))):
                nodes = _passed(start, levels, p, slope)
                noisy = functional.normalize(x_all[i] + torch.randn(len(i), d) * (0.5 / d**0.5), dim=1)
                q = functional.normalize(noisy @ p["w_q"].reshape(-1, d).T, dim=1)
                k = functional.normalize(nodes @ p["w_k"].reshape(-1, d).T, dim=1)
                z = torch.exp(p["log_scale"]) * (q @ k.T)
                loss = -sum(
                    (y[i] * functional.log_softmax(part, 1)).sum() for y, part in ((y_tools, z[:, :n]), (y_caps, z[:, n:]))
                ) / len(i)
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(p.values(), 1.0)
                optimizer.step()
        return float(loss)

    return run


def _passed(start: torch.Tensor, levels: list, p: dict[str, torch.Tensor], slope: float) -> torch.Tensor:
    """Message passing without writing in place, so that autograd can follow."""
    x = start
    for k, (members, own, up, _) in enumerate(levels):
        s, t = x[members] @ p[f"level{k}.w_child"].T, x[own] @ p[f"level{k}.w_parent"].T
        new = _attend(s, t, p[f"level{k}.a_up"], x[own], p[f"level{k}.gate_up"], up, slope)
        x = torch.cat([x[: own.start], new, x[own.stop :]])
    for k, (members, own, _, down) in reversed(list(enumerate(levels))):
        s, t = x[own] @ p[f"level{k}.w_parent"].T, x[members] @ p[f"level{k}.w_child"].T
        new = _attend(s, t, p[f"level{k}.a_down"], x[members], p[f"level{k}.gate_down"], down, slope)
        x = x.index_copy(0, members, new)
    return x


def add_tool(model: SHGAT) -> Callable[[np.ndarray], None]:
    now = model.index()
    w_k, keys, rows = (torch.from_numpy(a.copy()) for a in (now.state.params.w_k, now.tools.keys, now.tools.x))

    def run(row: np.ndarray) -> None:
        nonlocal keys, rows
        x = torch.from_numpy(row)
        keys, rows = torch.cat([keys, functional.normalize(torch.mv(w_k, x), dim=0)[None]]), torch.cat([rows, x[None]])

    return run


def attend(case: Phase) -> Callable[[], np.ndarray]:
    s, t, a, x, gate = (torch.from_numpy(v) for v in (case.s, case.t, case.a, case.x, case.gate))
    edges = _Edges(case.incidence)
    return lambda: _attend(s, t, a, x, gate, edges, case.slope).numpy()


class _Edges:
    """Incidence as index tensors: targets, sources (nnz,), degrees (n_targets,)."""

    def __init__(self, incidence: Incidence) -> None:
        self.targets = torch.from_numpy(incidence.row_of_entry.astype(np.int64))
        self.sources = torch.from_numpy(incidence.indices.astype(np.int64))
        self.degrees = torch.from_numpy(incidence.degrees.astype(np.float32))[:, None]


def _attend(
    s: torch.Tensor, t: torch.Tensor, a: torch.Tensor, x: torch.Tensor, gate: torch.Tensor, edges: _Edges, slope: float
) -> torch.Tensor:
    heads, width = a.shape
    sources = s[edges.sources].reshape(-1, heads, width)
    v = sources + t[edges.targets].reshape(-1, heads, width)
    u = (functional.leaky_relu(v, slope) * a).sum(dim=2)
    into = edges.targets[:, None].expand(-1, heads)
    top = u.new_full((len(x), heads), -torch.inf).scatter_reduce(0, into, u, "amax")
    alpha = torch.exp(u - top[edges.targets])
    alpha = alpha / alpha.new_zeros(len(x), heads).index_add(0, edges.targets, alpha)[edges.targets]
    agg = x.new_zeros(x.shape).index_add(0, edges.targets, (alpha[:, :, None] * sources).reshape(-1, heads * width))
    g = gate[0] * torch.sigmoid(gate[1] * torch.log1p(edges.degrees) + gate[2])
    return torch.where(edges.degrees > 0, (1 - g) * x + g * functional.elu(agg), x)


def info_nce(z: np.ndarray, targets: np.ndarray) -> Callable[[], np.ndarray]:
    logits, wanted = torch.from_numpy(z), torch.from_numpy(targets.astype(np.int64))
    rows = torch.arange(len(z))

    def run() -> np.ndarray:
        log_p = functional.log_softmax(logits / 0.1, dim=1)
        _ = -log_p[rows, wanted].sum()
        d_z = log_p.exp_()
        d_z[rows, wanted] -= 1
        return d_z.div_(0.1).numpy()

    return run


def replay(priorities: np.ndarray, uniform: np.ndarray) -> Callable[[], np.ndarray]:
    given, mass = torch.from_numpy(priorities), torch.from_numpy(uniform)
    current = given.clone()

    def run() -> np.ndarray:
        total = torch.cumsum(current, 0)
        slots = torch.searchsorted(total, mass * total[-1], right=True)
        current[slots] = given[slots]
        return slots.numpy()

    return run


def top_k(scores: np.ndarray, k: int) -> Callable[[], np.ndarray]:
    values = torch.from_numpy(scores)

    def run() -> np.ndarray:
        return torch.topk(values, k).indices.numpy()

    return run


def value(case: ValueCase) -> Callable[[], np.ndarray]:
    """The parts of the candidates are known here too."""
    p = {name: torch.from_numpy(case.network[name].copy()) for name in case.network.layout.shapes}
    state, parts = torch.from_numpy(case.state), torch.from_numpy(case.candidates) @ p["w_action"].T

    def run() -> np.ndarray:
        a = torch.relu(torch.addmm(p["b1"], state, p["w_state"].T) + parts)
        a = torch.relu(torch.addmm(p["b2"], a, p["w2"].T))
        return (torch.relu(torch.addmm(p["b3"], a, p["w3"].T)) @ p["w4"] + p["b4"]).numpy()

    return run


def learn_values(case: ValueCase, steps: int) -> Callable[[], float]:
    """By autograd, AdamW (one fused pass) without decay, and clipping."""
    states, actions, targets = (torch.from_numpy(x) for x in (case.states, case.actions, case.targets))

    def run() -> float:
        shapes = case.network.layout.shapes
        p = {name: torch.from_numpy(case.network[name].copy()).requires_grad_() for name in shapes}
        adam, loss = torch.optim.AdamW(p.values(), lr=1e-3, weight_decay=0.0, fused=True), torch.zeros(())
        with torch.enable_grad():
            for _ in range(steps):
                a = torch.relu(torch.addmm(p["b1"], states, p["w_state"].T) + actions @ p["w_action"].T)
                a = torch.relu(torch.addmm(p["b2"], a, p["w2"].T))
                q = torch.relu(torch.addmm(p["b3"], a, p["w3"].T)) @ p["w4"] + p["b4"]
                loss = ((q - targets) ** 2).mean() / 2
                adam.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(p.values(), 1.0)
                adam.step()
        return float(loss.detach())

    return run
