"""Values of a catalogue's tools for sessions: the value network with what every tool contributes computed once a version."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _check
from .._kernels import linear
from .._types import Float32, Int32
from ..errors import InputError
from .session_state import N_FACTS, SessionState
from .value_network import ValueNetwork


@dataclass(frozen=True, eq=False)
class LearnedValues:
    """What training from sessions adds to a model.

    Attributes
    ----------
    network : the value network over the catalogue's embeddings
    weight : of values in the score where a session has begun; 0: they are known, and change no ranking
    report : of the training that made them, as JSON values, or None
    """

    network: ValueNetwork
    weight: float = 0.0
    report: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        _check.number(self.weight, 0.0, 1e6, "weight of values")


@dataclass(frozen=True, eq=False)
class Values:
    """An immutable index over one network and one set of embeddings.

    Attributes
    ----------
    network : the parameters
    parts : (n, h1) of each tool as the action
    last, used : (n, h1) of each tool as the last one used, and as one of those used
    w_intent, w_facts : (h1, d) and (h1, N_FACTS), what is left of the first layer
    """

    network: ValueNetwork
    parts: Float32
    last: Float32
    used: Float32
    w_intent: Float32
    w_facts: Float32

    @classmethod
    def build(cls, network: ValueNetwork, embeddings: Float32) -> "Values":
        """For tools of these embeddings (n, d); InputError where the network is of another dimension."""
        d = embeddings.shape[1]
        if (network.layout.state, network.layout.action) != (3 * d + N_FACTS, d):
            raise InputError(
                f"the value network is for states of {network.layout.state} entries, embeddings of {d} make {3 * d + N_FACTS}"
            )
        blocks = [np.ascontiguousarray(b) for b in np.split(network["w_state"], (d, 2 * d, 3 * d), axis=1)]
        w_intent, w_last, w_used, w_facts = blocks
        last, used = (np.empty((len(embeddings), len(w_last)), np.float32) for _ in range(2))
        linear.project(embeddings, w_last, last)
        linear.project(embeddings, w_used, used)
        return cls(network, network.parts(embeddings), last, used, w_intent, w_facts)

    def base(self, intent: Float32, state: SessionState) -> Float32:
        """(1, h1): what the state contributes."""
        out = np.array(self.network["b1"])[None, :]
        linear.project(intent[None, :], self.w_intent, out, beta=1.0)
        out += self.w_facts @ state.facts()
        if state.used:
            rows = list(state.used)
            out += self.last[rows[-1]] + self.used[rows].mean(axis=0)
        return out

    def of(self, intent: Float32, state: SessionState, tools: Int32 | Sequence[int] | None = None) -> Float32:
        """(m,) values of the tools, all where None, for an intent (d,) that stands where `state` says."""
        item = np.arange(len(self.parts), dtype=np.int32) if tools is None else np.ascontiguousarray(tools, np.int32)
        for rows in (item, np.asarray(state.used, np.int64)):
            if rows.size and not (rows.min() >= 0 and rows.max() < len(self.parts)):
                raise InputError(f"rows of tools lie in [0, {len(self.parts)}), not {rows.min()} to {rows.max()}")
        return self.network.activations(self.base(intent, state), np.zeros(len(item), np.int32), self.parts, item).q
