"""Message passing: V->V, up through the levels, down again to the tools; and its exact backward.

One forward serves training and inference. All nodes stand in one matrix X = [tools; level 0; level 1; ...], and each phase rewrites
the rows of its targets. Level k has two maps, used in both directions: W_child projects members, W_parent the level's capabilities.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._kernels import attention, cooccurrence, linear
from .._types import Float32
from ..graph.cooccurrence import Cooccurrence
from ..graph.hierarchy import Hierarchy, Level
from ..graph.incidence import Incidence
from .params import Gradient, Params
from .readout import product


@dataclass(frozen=True, eq=False)
class Mixed:
    """V->V and what its backward needs: h, agg, y (n_tools, d); norms, pre_norm (n_tools,); cosine, alpha (nnz,)."""

    h: Float32
    beta: float
    temperature: float
    norms: Float32
    cosine: Float32
    alpha: Float32
    agg: Float32
    pre_norm: Float32
    y: Float32


@dataclass(frozen=True, eq=False)
class Phase:
    """One attention phase and what its backward needs.

    s (n_sources, d), t (n_targets, d) projected rows; x (n_targets, d) the targets before; alpha (nnz, H); agg (n_targets, d);
    out (n_targets, d) the targets after.
    """

    incidence: Incidence
    s: Float32
    t: Float32
    x: Float32
    alpha: Float32
    agg: Float32
    out: Float32


@dataclass(eq=False)
class LevelCache:
    """The two phases of one level.

    children, lower (n_members, d): the members before the up and before the down phase; parents (n_level, d): the level's rows
    before the down phase, which are final by then.
    """

    children: Float32
    up: Phase
    parents: Float32
    lower: Float32
    down: Phase


@dataclass(frozen=True, eq=False)
class Cache:
    """Intermediate values of one forward, for its backward."""

    mixed: Mixed | None
    levels: list[LevelCache]


@dataclass(frozen=True, eq=False)
class MessagePassing:
    """The phases of one graph.

    Attributes
    ----------
    hierarchy, cooccurrence : the graph; None for no V->V
    slope : of LeakyReLU
    coordinates : (n_members, r) of level 0's members in a basis of r columns, where its W_child (d, r) is kept in that basis; else None
    """

    hierarchy: Hierarchy
    cooccurrence: Cooccurrence | None
    slope: float
    coordinates: Float32 | None = None

    @cached_property
    def _widest(self) -> int:
        """The most sources that any target has."""
        incidences = [i for level in self.hierarchy.levels for i in (level.up, level.down)]
        return max((int(i.degrees.max(initial=0)) for i in incidences), default=0)

    def forward(self, x: Float32, params: Params) -> tuple[Float32, Cache]:
        """Final node embeddings, written over x (n_tools + n_capabilities, d), and the cache for `backward`."""
        mixed = None
        if self.cooccurrence is not None:
            mixed = _mix(x[: self.hierarchy.n_tools], self.cooccurrence, params)
            x[: self.hierarchy.n_tools] = mixed.y
        climbed: list[tuple[Float32, Phase]] = []
        for k, level in enumerate(self.hierarchy.levels):
            children = np.take(x, level.members, axis=0)
            before = x[level.start : level.stop].copy()
            seen = self.coordinates if k == 0 and self.coordinates is not None else children
            s, t = product(seen, params[f"level{k}.w_child"]), product(before, params[f"level{k}.w_parent"])
            up = self._attend(level.up, s, t, before, params[f"level{k}.a_up"], params[f"level{k}.gate_up"], params)
            x[level.start : level.stop] = up.out
            climbed.append((children, up))
        levels: list[LevelCache] = []
        for k, level in reversed(list(enumerate(self.hierarchy.levels))):
            children, up = climbed[k]
            shared = level.members_unchanged
            lower = children if shared else np.take(x, level.members, axis=0)
            parents = x[level.start : level.stop]
            s = product(parents, params[f"level{k}.w_parent"])
            t = up.s if shared else product(lower, params[f"level{k}.w_child"])
            down = self._attend(level.down, s, t, lower, params[f"level{k}.a_down"], params[f"level{k}.gate_down"], params)
            x[level.members] = down.out
            levels.insert(0, LevelCache(children, up, parents, lower, down))
        return x, Cache(mixed, levels)

    @property
    def learns(self) -> bool:
        """Has it parameters that dL/dX of the result is needed for?"""
        return bool(self.hierarchy.levels) or self.cooccurrence is not None

    def backward(self, d_x: Float32, cache: Cache, params: Params, gradient: Gradient, inputs: bool) -> None:
        """Adds to `gradient`. d_x (n, d) holds dL/dX of the result; where `inputs`, dL/dX of the start on return.

        Without `inputs` the start embeddings are frozen, and products that only they would need are left out.
        """
        inputs = inputs or cache.mixed is not None
        d_projected = [self._down_backward(k, d_x, cache.levels[k], params, gradient) for k in range(len(cache.levels))]
        for k in reversed(range(len(cache.levels))):
            self._up_backward(k, d_x, *d_projected[k], cache.levels[k], params, gradient, inputs)
        if cache.mixed is not None and self.cooccurrence is not None:
            d_x[: self.hierarchy.n_tools] = _mix_backward(d_x[: self.hierarchy.n_tools], cache.mixed, self.cooccurrence, gradient)

    def _down_backward(self, k: int, d_x: Float32, seen: LevelCache, params: Params, gradient: Gradient) -> tuple[Float32, Float32]:
        """Through level k's down phase; returns the gradients of the projected children and parents, whose products wait for `up`."""
        level = self.hierarchy.levels[k]
        d_out = np.take(d_x, level.members, axis=0)
        d_s, d_t, d_lower = self._attend_backward(d_out, seen.down, k, "down", params, gradient)
        w_parent, w_child = params[f"level{k}.w_parent"], params[f"level{k}.w_child"]
        linear.project_backward_input(d_s, w_parent, d_x[level.start : level.stop], 1.0)
        if not level.members_unchanged:
            _add_weight(d_t, seen.lower, gradient, f"level{k}.w_child")
            linear.project_backward_input(d_t, w_child, d_lower, 1.0)
            d_t = np.zeros_like(d_t)
        d_x[level.members] = d_lower
        return d_t, d_s

    def _up_backward(
        self,
        k: int,
        d_x: Float32,
        d_children: Float32,
        d_parents: Float32,
        seen: LevelCache,
        params: Params,
        gradient: Gradient,
        inputs: bool,
    ) -> None:
        level: Level = self.hierarchy.levels[k]
        rows = slice(level.start, level.stop)
        d_s, d_t, d_before = self._attend_backward(d_x[rows], seen.up, k, "up", params, gradient)
        d_s += d_children
        w_parent, w_child = params[f"level{k}.w_parent"], params[f"level{k}.w_child"]
        both = np.concatenate([d_t, d_parents]), np.concatenate([seen.up.x, seen.parents])  # one product for both phases
        _add_weight(*both, gradient, f"level{k}.w_parent")
        children = self.coordinates if k == 0 and self.coordinates is not None else seen.children
        _add_weight(d_s, children, gradient, f"level{k}.w_child")
        if inputs:
            linear.project_backward_input(d_t, w_parent, d_before, 1.0)
        d_x[rows] = d_before
        if inputs or k > 0:  # level 0 has tools below it, and they are frozen
            d_below = np.empty_like(seen.children)
            linear.project_backward_input(d_s, w_child, d_below)
            d_x[level.members] += d_below

    def _attend(self, incidence: Incidence, s: Float32, t: Float32, x: Float32, a: Float32, gate: Float32, params: Params) -> Phase:
        d = x.shape[1]
        alpha = np.empty((incidence.nnz, params.layout.n_message_heads), np.float32)
        agg, out = np.empty_like(x), np.empty_like(x)
        scratch = np.empty(2 * d, np.float32)
        attention.attend(s, t, a, incidence.indptr, incidence.indices, self.slope, gate, x, alpha, agg, out, scratch)
        return Phase(incidence, s, t, x, alpha, agg, out)

    def _attend_backward(
        self, d_out: Float32, phase: Phase, k: int, way: str, params: Params, gradient: Gradient
    ) -> tuple[Float32, Float32, Float32]:
        """(d_s, d_t, d_x) of a phase; adds to the gradient of its attention vector and gate."""
        d_s, d_t, d_x = np.zeros_like(phase.s), np.zeros_like(phase.t), np.empty_like(phase.x)
        d_gate = np.zeros(3)
        scratch = np.empty(3 * d_x.shape[1] + params.layout.n_message_heads * self._widest, np.float32)
        attention.attend_backward(
            np.ascontiguousarray(d_out), phase.s, phase.t, params[f"level{k}.a_{way}"], phase.incidence.indptr,
            phase.incidence.indices, self.slope, params[f"level{k}.gate_{way}"], phase.x, phase.alpha, phase.agg, d_s, d_t,
            gradient[f"level{k}.a_{way}"], d_gate, d_x, scratch,
        )  # fmt: skip
        gradient[f"level{k}.gate_{way}"][:] += d_gate.astype(np.float32)
        return d_s, d_t, d_x


def _add_weight(d_out: Float32, x: Float32, gradient: Gradient, name: str) -> None:
    linear.project_backward_weight(d_out, x, gradient[name], gradient.beta(name))


def _mix(h: Float32, graph: Cooccurrence, params: Params) -> Mixed:
    n, nnz = len(h), graph.incidence.nnz
    beta = float(1.0 / (1.0 + np.exp(-np.float64(params["residual_logit"][0]))))
    mixed = Mixed(
        h.copy(), beta, float(np.exp(np.float64(params["temperature_logit"][0]))), np.empty(n, np.float32),
        np.empty(nnz, np.float32), np.empty(nnz, np.float32), np.empty_like(h), np.empty(n, np.float32), np.empty_like(h),
    )  # fmt: skip
    cooccurrence.mix(
        mixed.h, graph.incidence.indptr, graph.incidence.indices, graph.weights, beta, mixed.temperature, mixed.norms,
        mixed.cosine, mixed.alpha, mixed.agg, mixed.pre_norm, mixed.y,
    )  # fmt: skip
    return mixed


def _mix_backward(d_y: Float32, m: Mixed, graph: Cooccurrence, gradient: Gradient) -> Float32:
    d_h = np.zeros_like(m.h)
    scratch = np.empty(m.h.shape[1] + int(graph.incidence.degrees.max(initial=0)), np.float32)
    d_beta, d_temperature = cooccurrence.mix_backward(
        np.ascontiguousarray(d_y), m.h, graph.incidence.indptr, graph.incidence.indices, graph.weights, m.beta,
        m.temperature, m.norms, m.cosine, m.alpha, m.agg, m.pre_norm, m.y, d_h, scratch,
    )  # fmt: skip
    gradient["residual_logit"][0] += d_beta * m.beta * (1.0 - m.beta)
    gradient["temperature_logit"][0] += d_temperature * m.temperature
    return d_h
