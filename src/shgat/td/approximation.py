"""What learns step by step: a linear form, or the value network, behind one interface."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .._types import Float32, Float64
from ..model.value_network import ValueNetwork

Point = tuple[Float32, Float32]  # a state (state,) and an action (action,)


class Approximation(Protocol):
    """A value with weights and its gradient by them.

    Attributes
    ----------
    weights : (..., n), changed in place
    binary : are its gradients 0 or 1, as replacing traces need
    """

    binary: bool

    @property
    def weights(self) -> npt.NDArray[Any]: ...

    def value(self, x: Any) -> Any:
        """(...) of x; 0 of None, which stands for the end."""
        ...

    def gradient(self, x: Any) -> npt.NDArray[Any]:
        """(n,) by the weights."""
        ...


class Linear:
    """w . x of features x (n,); leading axes of the weights are variants that learn side by side."""

    def __init__(self, weights: Float64, *, binary: bool = False) -> None:
        self._weights = weights
        self.binary = binary

    @property
    def weights(self) -> Float64:
        return self._weights

    def value(self, x: Float64 | None) -> Any:
        return 0.0 if x is None else self._weights @ x

    def gradient(self, x: Float64) -> Float64:
        return x


class Network:
    """The value network, one state with one action at a time."""

    binary = False

    def __init__(self, network: ValueNetwork) -> None:
        self.network = network
        self._gradient = ValueNetwork(network.layout)

    @property
    def weights(self) -> Float32:
        return self.network.buffer

    def value(self, x: Point | None) -> float:
        return 0.0 if x is None else float(self.network.forward(x[0][None, :], x[1][None, :]).q[0])

    def gradient(self, x: Point) -> Float32:
        states, actions = x[0][None, :], x[1][None, :]
        found = self.network.forward(states, actions)
        self.network.backward(np.ones(1, np.float32), states, actions, found, self._gradient)
        return self._gradient.buffer
