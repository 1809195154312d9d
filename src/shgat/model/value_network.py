"""The value network: what an action in a state is worth for the rest of a session.

    Q(s, a) = w4 . relu(W3 relu(W2 relu(W_s s + W_a e_a + b1) + b2) + b3) + b4

s is the state (`session_state`), e_a the embedding of the action. The first layer is a sum of two products, so that the part of every
action is computed once a version and that of a state once a request.
"""

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from .. import _check
from .._kernels import linear, value
from .._types import Float32, Int32
from ..errors import InputError

HIDDEN = (256, 128, 64)
_LARGEST_SIDE = 1_000_000


@dataclass(frozen=True)
class ValueLayout:
    """Names and shapes of the network's parameters, in the order in which they stand in the buffer.

    Attributes
    ----------
    state, action : dimensions of s and e
    hidden : units of the three layers
    """

    state: int
    action: int
    hidden: tuple[int, int, int] = HIDDEN

    def __post_init__(self) -> None:
        if not isinstance(self.hidden, (tuple, list)) or len(self.hidden) != 3:
            raise InputError(f"ValueLayout.hidden is three layers' units, not {_check.brief(self.hidden)}")
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for name, size in (("state", self.state), ("action", self.action), *(("hidden", units) for units in self.hidden)):
            _check.number(_check.positive_integer(size, f"ValueLayout.{name}"), 1, _LARGEST_SIDE, f"ValueLayout.{name}")

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        h1, h2, h3 = self.hidden
        return {
            "w_state": (h1, self.state),
            "w_action": (h1, self.action),
            "b1": (h1,),
            "w2": (h2, h1),
            "b2": (h2,),
            "w3": (h3, h2),
            "b3": (h3,),
            "w4": (h3,),
            "b4": (1,),
        }

    @cached_property
    def slices(self) -> dict[str, slice]:
        start, slices = 0, {}
        for name, shape in self.shapes.items():
            slices[name] = slice(start, start + prod(shape))
            start += prod(shape)
        return slices

    @property
    def size(self) -> int:
        """Length of the buffer."""
        return sum(prod(shape) for shape in self.shapes.values())


class ValueNetwork:
    """The network's parameters as named views into one buffer, and its two directions.

    Attributes
    ----------
    layout : names and shapes
    buffer : (layout.size,) float32
    """

    def __init__(self, layout: ValueLayout, buffer: Float32 | None = None) -> None:
        self.layout = layout
        self.buffer: Float32 = np.zeros(layout.size, np.float32) if buffer is None else buffer
        if self.buffer.shape != (layout.size,) or self.buffer.dtype != np.float32:
            raise InputError(f"value network: expected {layout.size} float32, got {self.buffer.dtype} {self.buffer.shape}")
        self._views = {n: self.buffer[s].reshape(layout.shapes[n]) for n, s in layout.slices.items()}

    @classmethod
    def initial(cls, layout: ValueLayout, rng: np.random.Generator) -> "ValueNetwork":
        """Weights of variance 2 / inputs (He et al., 2015), and values that start near 0."""
        network = cls(layout)
        for name in ("w_state", "w_action", "w2", "w3", "w4"):
            view = network[name]
            # The embeddings of states and actions have length 1, not a variance of 1 an entry.
            scale = 1.0 if name in ("w_state", "w_action") else (2.0 / view.shape[-1]) ** 0.5
            view[...] = scale * rng.standard_normal(view.shape, dtype=np.float32)
        network["w4"][...] *= np.float32(0.1)
        return network

    def __getitem__(self, name: str) -> Float32:
        return self._views[name]

    def _layers(self) -> tuple[Float32, Float32, Float32, Float32, Float32, Float32]:
        """What follows the first layer."""
        return self["w2"], self["b2"], self["w3"], self["b3"], self["w4"], self["b4"]

    def copy(self) -> "ValueNetwork":
        """A copy with a buffer of its own."""
        return ValueNetwork(self.layout, self.buffer.copy())

    def __reduce__(self) -> Any:
        return ValueNetwork, (self.layout, self.buffer)

    def base(self, states: Float32) -> Float32:
        """(R, h1) = states (R, state) W_s^T + b1."""
        out = np.tile(self["b1"], (len(states), 1))
        linear.project(states, self["w_state"], out, beta=1.0)
        return out

    def parts(self, actions: Float32) -> Float32:
        """(n, h1) = actions (n, action) W_a^T."""
        out = np.empty((len(actions), self.layout.hidden[0]), np.float32)
        linear.project(actions, self["w_action"], out)
        return out

    def activations(self, base: Float32, owner: Int32, parts: Float32, item: Int32) -> "Activations":
        """The rows (owner_i of `base`, item_i of `parts`), forward."""
        found = Activations.of(len(owner), self.layout.hidden)
        value.forward(base, owner, parts, item, *self._layers(), found.a1, found.a2, found.a3, found.q)
        return found

    def forward(self, states: Float32, actions: Float32) -> "Activations":
        """Row i of the states (m, state) with row i of the actions (m, action)."""
        rows = np.arange(len(states), dtype=np.int32)
        return self.activations(self.base(states), rows, self.parts(actions), rows)

    def backward(self, d_q: Float32, states: Float32, actions: Float32, found: "Activations", gradient: "ValueNetwork") -> None:
        """Writes into `gradient` that of sum_i d_q_i q_i, of what `forward` found."""
        m, rows = len(d_q), np.arange(len(d_q), dtype=np.int32)
        scratch = Activations.of(m, self.layout.hidden)
        d_base, d_parts = np.zeros_like(found.a1), np.zeros_like(found.a1)
        weights = self["w2"], self["w3"], self["w4"]
        a, d = (found.a1, found.a2, found.a3), (scratch.a1, scratch.a2, scratch.a3)
        value.backward(d_q, rows, rows, *weights, *a, *d, d_base, d_parts, *gradient._layers())
        linear.project_backward_weight(d_base, states, gradient["w_state"])
        linear.project_backward_weight(d_parts, actions, gradient["w_action"])
        gradient["b1"][...] = d_base.sum(axis=0)


@dataclass(frozen=True, eq=False)
class Activations:
    """What a forward pass leaves for the backward one.

    Attributes
    ----------
    a1, a2, a3 : (m, units) after each layer's relu
    q : (m,) values
    """

    a1: Float32
    a2: Float32
    a3: Float32
    q: Float32

    @classmethod
    def of(cls, m: int, hidden: tuple[int, int, int]) -> "Activations":
        """Room for m rows."""
        h1, h2, h3 = hidden
        return cls(
            np.empty((m, h1), np.float32), np.empty((m, h2), np.float32), np.empty((m, h3), np.float32), np.empty(m, np.float32)
        )
