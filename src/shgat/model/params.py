"""The parameters: one contiguous float32 buffer and named views into it, in a fixed order.

The buffer is the unit of the optimiser, the checkpoint, the worker and the hot swap; gradients and moments share its layout.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from .._check import brief
from .._types import Float32
from ..config import SHGATConfig, adaptive_heads, largest_divisor
from ..errors import InputError
from ..graph import Catalog
from .wide import WORDS

SMALL = 4096  # parameters with fewer entries are cleared in each step
IDENTITY_NOISE = 0.01  # of W_child and W_parent at the start, in units of 1 / sqrt(d)


@dataclass(frozen=True)
class Layout:
    """Names and shapes of all parameters, in the order in which they stand in the buffer.

    Attributes
    ----------
    d, n_heads, d_head, n_message_heads : resolved sizes; D = n_heads d_head
    n_levels : levels of capabilities that have message-passing parameters
    attention : "gatv2" or "gat"
    n_tools, n_capabilities : rows of the node offsets; 0 where there are none
    child_rank : columns of level 0's W_child where it is kept in a basis of the frozen tools (`training.subspace`); 0 for all d
    """

    d: int
    n_heads: int
    d_head: int
    n_message_heads: int
    n_levels: int
    attention: str
    n_tools: int = 0
    n_capabilities: int = 0
    child_rank: int = 0

    @classmethod
    def of_size(cls, values: object, size: int) -> "Layout":
        """From JSON values of unknown origin, which have to describe a buffer of `size`; that is known before anything is looped over.

        Raises
        ------
        InputError
            for a field that is missing, unknown or of another type, and for another size.
        """
        needed, optional = {f for f in _FIELDS if f not in _OPTIONAL}, _OPTIONAL
        if not isinstance(values, Mapping) or not needed <= values.keys() <= needed | optional:
            raise InputError(f"a layout has the fields {', '.join(_FIELDS)}, not {brief(values)}")
        for name, value in values.items():
            if name != "attention" and (type(value) is not int or value < (name in _POSITIVE)):
                raise InputError(f"layout: {name} is a whole number of at least {int(name in _POSITIVE)}, not {brief(value)}")
        layout = cls(**values)
        if layout.attention not in ("gatv2", "gat"):
            raise InputError(f"layout: attention is gatv2 or gat, not {brief(layout.attention)}")
        d, heads, vectors = layout.d, layout.n_message_heads, 2 if layout.attention == "gat" else 1
        if d % heads:
            raise InputError(f"layout: n_message_heads = {brief(heads)} does not divide d = {brief(d)}")
        if layout.child_rank:
            raise InputError("layout: child_rank is for training alone, expected 0")
        a_level = 2 * d * d + 2 * vectors * d + 6
        wanted = 2 * d * d + 2 * layout.n_heads * layout.d_head * d + 3 + layout.n_levels * a_level
        wanted += (layout.n_tools + layout.n_capabilities) * d
        if wanted != size:
            raise InputError(f"layout: it describes {brief(wanted)} parameters, there are {size}")
        return layout

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        d, width = self.d, self.d // self.n_message_heads
        attention = (self.n_message_heads * (2 if self.attention == "gat" else 1), width)
        shapes: dict[str, tuple[int, ...]] = {
            "w_intent": (d, d),
            "w_context": (d, d),
            "w_q": (self.n_heads, self.d_head, d),
            "w_k": (self.n_heads, self.d_head, d),
            "log_scale": (1,),
            "residual_logit": (1,),
            "temperature_logit": (1,),
        }
        for k in range(self.n_levels):
            shapes |= {
                f"level{k}.w_child": (d, self.child_rank if k == 0 and self.child_rank else d),
                f"level{k}.w_parent": (d, d),
                f"level{k}.a_up": attention,
                f"level{k}.a_down": attention,
                f"level{k}.gate_up": (3,),  # rho, A, b
                f"level{k}.gate_down": (3,),
            }
        if self.n_tools or self.n_capabilities:
            shapes |= {"tool_offsets": (self.n_tools, d), "capability_offsets": (self.n_capabilities, d)}
        return shapes

    @cached_property
    def slices(self) -> dict[str, slice]:
        start, slices = 0, {}
        for name, shape in self.shapes.items():
            stop = start + prod(shape)
            slices[name] = slice(start, stop)
            start = stop
        return slices

    @property
    def size(self) -> int:
        """Length of the buffer."""
        return sum(prod(shape) for shape in self.shapes.values())


_FIELDS = tuple(Layout.__dataclass_fields__)
_OPTIONAL = {"n_tools", "n_capabilities", "child_rank"}
_POSITIVE = ("d", "n_heads", "d_head", "n_message_heads")


class Params(Mapping[str, Float32]):
    """Named views into one buffer.

    Attributes
    ----------
    layout : names and shapes
    buffer : (layout.size,) float32; a write to it is a write to every view
    """

    def __init__(self, layout: Layout, buffer: Float32 | None = None) -> None:
        self.layout = layout
        self.buffer: Float32 = np.zeros(layout.size, np.float32) if buffer is None else buffer
        if self.buffer.shape != (layout.size,) or self.buffer.dtype != np.float32:
            raise InputError(f"parameters: expected {layout.size} float32, got {self.buffer.dtype} {self.buffer.shape}")
        self._views = {n: self.buffer[s].reshape(layout.shapes[n]) for n, s in layout.slices.items()}

    def __getitem__(self, name: str) -> Float32:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def copy(self) -> "Params":
        """A copy with a buffer of its own."""
        return Params(self.layout, self.buffer.copy())

    def gradient(self) -> "Gradient":
        """A gradient of the same layout, zero everywhere."""
        return Gradient(self.layout)

    @property
    def w_q(self) -> Float32:
        """(D, d), all heads stacked."""
        return self["w_q"].reshape(-1, self.layout.d)

    @property
    def w_k(self) -> Float32:
        """(D, d), all heads stacked."""
        return self["w_k"].reshape(-1, self.layout.d)

    def __reduce__(self) -> Any:
        return Params, (self.layout, self.buffer)


class Gradient(Params):
    """A gradient that is written anew in each step. Matrices are not cleared first: the first product writes, the next ones add.

    `begin`, then for every product into matrix `name` the factor `beta(name)` on what stands there, then `finish`.
    """

    def __init__(self, layout: Layout, buffer: Float32 | None = None) -> None:
        super().__init__(layout, buffer)
        self._matrices = {name for name, view in self.items() if view.size >= SMALL}
        self._waiting: set[str] = set()
        self._dirty = set() if buffer is None else set(self._matrices)

    def begin(self) -> None:
        """Clears what is small; matrices wait for their first product."""
        for name, view in self.items():
            if name not in self._matrices:
                view.fill(0.0)
        self._waiting = set(self._matrices)

    def beta(self, name: str) -> float:
        """0 for the first product into a matrix, 1 for the others."""
        if name in self._waiting:
            self._waiting.remove(name)
            self._dirty.add(name)
            return 0.0
        return 1.0

    def finish(self) -> None:
        """Clears the matrices that no product reached and that still hold an earlier step."""
        for name in self._waiting & self._dirty:
            self[name].fill(0.0)
        self._dirty -= self._waiting


def initial_params(layout: Layout, config: SHGATConfig, rng: "np.random.Generator") -> Params:
    """Parameters with which ranking is cosine: W_q = W_k orthonormal, W_intent = I, W_context = 0, gates closed.

    D = d starts at the identity; D > d at random orthonormal columns; D < d is a random projection (cosine is then approximate).
    """
    params, d = Params(layout), layout.d
    D = layout.n_heads * layout.d_head
    eye = np.eye(d, dtype=np.float32)
    params["w_intent"][:] = eye
    params.w_q[:] = params.w_k[:] = eye if d == D else _orthonormal(D, d, rng)
    params["log_scale"][:] = config.log_scale
    params["residual_logit"][:] = np.log(0.3 / 0.7)
    for k in range(layout.n_levels):
        initialize_level(params, k, rng)
    return params


def initialize_level(params: Params, k: int, rng: "np.random.Generator") -> None:
    """Identity and small noise for level k's maps, small noise for its attention, closed gates."""
    d = params.layout.d
    for name in ("w_child", "w_parent"):
        view = params[f"level{k}.{name}"]
        rng.standard_normal(dtype=np.float32, out=view)
        view *= np.float32(IDENTITY_NOISE / np.sqrt(d))
        view.reshape(-1)[:: d + 1] += np.float32(1.0)
    for name in ("a_up", "a_down"):
        view = params[f"level{k}.{name}"]
        view[:] = 0.1 * rng.standard_normal(view.shape, dtype=np.float32)


def _orthonormal(rows: int, columns: int, rng: "np.random.Generator") -> Float32:
    """(rows, columns) with orthonormal rows or columns, whichever are fewer."""
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return np.asarray(q if rows >= columns else q.T, np.float32)


def resolve_layout(catalog: Catalog, config: SHGATConfig) -> Layout:
    """Sizes of the parameters for a catalogue; InputError where heads do not divide d."""
    d, hierarchy = catalog.dimension + WORDS * config.words, catalog.hierarchy
    adaptive, _ = adaptive_heads(hierarchy.n_tools, hierarchy.n_capabilities, max(hierarchy.max_level, 0))
    heads = config.n_heads or largest_divisor(d, adaptive)
    if config.d_head is None and d % heads:
        raise InputError(f"n_heads = {heads} does not divide d = {d}; give d_head too, or {largest_divisor(d, heads)} heads")
    message_heads = config.n_message_heads or largest_divisor(d, adaptive)
    if d % message_heads:
        raise InputError(f"n_message_heads = {message_heads} does not divide d = {d}")
    n_levels = len(hierarchy.levels) if config.message_passing else 0
    offsets = (hierarchy.n_tools, hierarchy.n_capabilities) if config.node_offsets else (0, 0)
    return Layout(d, heads, config.d_head or d // heads, message_heads, n_levels, config.attention, *offsets)
