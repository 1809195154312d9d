"""The same model in NumPy: edges gathered, segments reduced by `reduceat`, BLAS for the products."""

from collections.abc import Callable

import numpy as np

from shgat import SHGAT
from shgat.graph import Incidence

from .cases import Phase, ValueCase


def rank(model: SHGAT, kind: str) -> Callable[[np.ndarray], tuple[str, ...]]:
    """Cached keys and folded maps too; what is left is two products and a sort."""
    now = model.index()
    found, w, scale = now.candidates(kind), now.w_query, np.float32(now.scale)

    def run(x: np.ndarray) -> tuple[str, ...]:
        q = w @ x
        z = found.keys @ (q * (scale / np.sqrt(q @ q)))
        k = min(10, len(z))
        best = np.argpartition(-z, k - 1)[:k]
        return tuple(found.ids[i] for i in best[np.argsort(-z[best], kind="stable")])

    return run


def products(model: SHGAT) -> Callable[[np.ndarray], np.ndarray]:
    now = model.index()
    keys, w, z = now.tools.keys, now.w_query, np.empty(len(now.tools.keys), np.float32)
    return lambda x: np.dot(keys, np.dot(w, x), out=z)


def rebuild(model: SHGAT) -> Callable[[], np.ndarray]:
    hierarchy, p, slope = model.catalog.hierarchy, model.params, model.config.slope
    row_of, n = hierarchy.row_of, hierarchy.n_tools
    start = np.empty((n + hierarchy.n_capabilities, model.dimension), np.float32)
    start[:n], start[row_of] = model.catalog.tool_embeddings, model.catalog.capability_embeddings

    def run() -> np.ndarray:
        x = start.copy()
        for k, level in enumerate(hierarchy.levels):
            members, own = x[level.members], x[level.start : level.stop]
            s, t = members @ p[f"level{k}.w_child"].T, own @ p[f"level{k}.w_parent"].T
            x[level.start : level.stop] = _attend(s, t, p[f"level{k}.a_up"], own, p[f"level{k}.gate_up"], level.up, slope)
        for k, level in reversed(list(enumerate(hierarchy.levels))):
            members, own = x[level.members], x[level.start : level.stop]
            s, t = own @ p[f"level{k}.w_parent"].T, members @ p[f"level{k}.w_child"].T
            x[level.members] = _attend(s, t, p[f"level{k}.a_down"], members, p[f"level{k}.gate_down"], level.down, slope)
        keys = x @ p.w_k.T
        keys /= np.linalg.norm(keys, axis=1, keepdims=True)
        return np.concatenate([keys[:n], keys[row_of]])

    return run


def add_tool(model: SHGAT) -> Callable[[np.ndarray], None]:
    now = model.index()
    w_k, keys, rows = now.state.params.w_k, now.tools.keys, now.tools.x

    def run(row: np.ndarray) -> None:
        nonlocal keys, rows
        key = w_k @ row
        keys, rows = np.concatenate([keys, (key / np.linalg.norm(key))[None]]), np.concatenate([rows, row[None]])

    return run


def attend(case: Phase) -> Callable[[], np.ndarray]:
    return lambda: _attend(case.s, case.t, case.a, case.x, case.gate, case.incidence, case.slope)


def _attend(
    s: np.ndarray, t: np.ndarray, a: np.ndarray, x: np.ndarray, gate: np.ndarray, incidence: Incidence, slope: float
) -> np.ndarray:
    heads, width = a.shape
    degrees = incidence.degrees
    filled = degrees > 0
    starts, repeats = incidence.indptr[:-1][filled], degrees[filled]
    sources = s[incidence.indices].reshape(-1, heads, width)
    v = sources + t[incidence.row_of_entry].reshape(-1, heads, width)
    u = np.einsum("ehj,hj->eh", np.where(v > 0, v, np.float32(slope) * v), a)
    alpha = np.exp(u - np.repeat(np.maximum.reduceat(u, starts), repeats, axis=0))
    alpha /= np.repeat(np.add.reduceat(alpha, starts), repeats, axis=0)
    agg = np.add.reduceat(alpha[:, :, None] * sources, starts).reshape(len(starts), -1)
    g = (gate[0] / (1 + np.exp(-(gate[1] * np.log1p(repeats) + gate[2])))).astype(np.float32)[:, None]
    out = x.copy()
    out[filled] = (1 - g) * x[filled] + g * np.where(agg > 0, agg, np.expm1(np.minimum(agg, 0)))
    return out


def info_nce(z: np.ndarray, targets: np.ndarray) -> Callable[[], np.ndarray]:
    rows, tau = np.arange(len(z)), np.float32(0.1)

    def run() -> np.ndarray:
        u = z / tau
        u -= u.max(axis=1, keepdims=True)
        p = np.exp(u)
        total = p.sum(axis=1, keepdims=True)
        _ = (np.log(total[:, 0]) - u[rows, targets]).sum()
        p /= total
        p[rows, targets] -= 1
        p /= tau
        return p

    return run


def replay(priorities: np.ndarray, uniform: np.ndarray) -> Callable[[], np.ndarray]:
    current = priorities.copy()

    def run() -> np.ndarray:
        total = np.cumsum(current)
        slots = np.searchsorted(total, uniform * total[-1], side="right")
        current[slots] = priorities[slots]
        return slots

    return run


def top_k(scores: np.ndarray, k: int) -> Callable[[], np.ndarray]:
    def run() -> np.ndarray:
        best = np.argpartition(scores, len(scores) - k)[len(scores) - k :]
        return best[np.argsort(-scores[best], kind="stable")]

    return run


def value(case: ValueCase) -> Callable[[], np.ndarray]:
    p = {name: case.network[name] for name in case.network.layout.shapes}
    parts = case.candidates @ p["w_action"].T

    def run() -> np.ndarray:
        a = np.maximum(case.state @ p["w_state"].T + p["b1"] + parts, 0.0)
        a = np.maximum(a @ p["w2"].T + p["b2"], 0.0)
        return np.maximum(a @ p["w3"].T + p["b3"], 0.0) @ p["w4"] + p["b4"]

    return run
