"""Adam over named groups of one flat buffer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .._kernels import optim
from .._types import Float32
from ..model.params import Params
from .config import TrainingConfig

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Group:
    """Parameters that share a learning rate and a decay.

    Attributes
    ----------
    names : parameters
    lr_factor : times the schedule's learning rate
    decay : decoupled weight decay, toward zero
    """

    names: tuple[str, ...]
    lr_factor: float = 1.0
    decay: float = 0.0


class Buffered(Protocol):
    """Parameters of a model or of a value network: one flat buffer, and where in it what stands."""

    buffer: Float32

    @property
    def layout(self) -> "Sliced": ...


class Sliced(Protocol):
    """Names and slices of a buffer."""

    @property
    def slices(self) -> Mapping[str, slice]: ...


class Adam:
    """Adam with decoupled decay (Loshchilov and Hutter, 2019) and clipping by the global norm.

    Moments share the layout of the parameters. Parameters in no group are never touched.

    Attributes
    ----------
    m, v : (size,) float32 first and second moments
    step_count : steps taken
    spans : of the parameters that may move
    """

    def __init__(self, params: Buffered, groups: Iterable[Group]) -> None:
        self.m: Float32 = np.zeros_like(params.buffer)
        self.v: Float32 = np.zeros_like(params.buffer)
        self.step_count = 0
        groups = list(groups)
        self.spans = _spans(params, [name for g in groups for name in g.names])
        self._steps = [(s, g.lr_factor, g.decay) for g in groups for s in _spans(params, g.names)]

    def step(self, params: Buffered, gradient: Buffered, lr: float, clip: float) -> float:
        """One step in place; returns the global norm of the gradient before clipping."""
        norm = float(np.sqrt(sum(optim.sum_of_squares(gradient.buffer[s]) for s, _, _ in self._steps)))
        if not np.isfinite(norm):
            raise FloatingPointError("the gradient is not finite")
        self.step_count += 1
        scale = clip / norm if norm > clip else 1.0
        for s, factor, decay in self._steps:
            optim.adam_step(
                params.buffer[s],
                gradient.buffer[s],
                self.m[s],
                self.v[s],
                self.step_count,
                lr * factor,
                BETA1,
                BETA2,
                EPS,
                decay,
                scale,
            )
        return norm


def _spans(params: Buffered, names: Iterable[str]) -> list[slice]:
    """The slices of the names, neighbours joined."""
    spans: list[slice] = []
    for piece in sorted((params.layout.slices[name] for name in names), key=lambda s: int(s.start)):
        if spans and spans[-1].stop == piece.start:
            spans[-1] = slice(spans[-1].start, piece.stop)
        else:
            spans.append(piece)
    return spans


def parameter_groups(params: Params, config: TrainingConfig, context: bool, message_passing: bool) -> dict[str, Group]:
    """What is trained, by group; parameters that the loss cannot reach are in none, so that Adam never touches them."""
    levels = [f"level{k}." for k in range(params.layout.n_levels if message_passing else 0)]
    scale = ("log_scale",) if config.temperature is None else ()  # with a given temperature the loss holds no kappa
    groups = {
        "readout": Group(("w_q", "w_k"), decay=config.weight_decay),
        "intent": Group(
            (("w_intent",) if config.train_intent_map else ()) + (("w_context",) if context else ()), decay=config.weight_decay
        ),
        "attention": Group(
            tuple(k + n for k in levels for n in ("w_child", "w_parent", "a_up", "a_down")), decay=config.weight_decay
        ),
        "scalars": Group(
            (*scale, "residual_logit", "temperature_logit", *(k + n for k in levels for n in ("gate_up", "gate_down"))),
            lr_factor=config.scalar_lr_factor,
        ),
        "offsets": Group(tuple(n for n in ("tool_offsets", "capability_offsets") if n in params), decay=config.offset_decay),
    }
    return {name: group for name, group in groups.items() if group.names}
