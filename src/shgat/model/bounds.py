"""Whether a model's numbers can be computed with. Asked before a model is written and after one was read.

Float32 ends at 3e38, and sums of squares at the root of it. What no training makes, a file can hold: a model is taken if its numbers are
small enough that nothing can overflow, else it is tried.
"""

import numpy as np

from .._check import LARGEST
from .._kernels import readout
from .._types import Float32
from ..errors import InputError
from . import index
from .params import Params
from .state import ModelState

_LARGEST_WEIGHT = 1e12
_LARGEST = {"log_scale": 20.0, "residual_logit": 80.0, "temperature_logit": 20.0, "gate_up": 1e4, "gate_down": 1e4}
_SAFE = 16.0  # decades by which an embedding of size 1 may grow on its way to a key
_SAFE_QUERY = 2.0  # the same from intent to query
_ROOM = 1e17  # of a vector's entries: the sum of the squares of 30 000 of them is a float32


def check(state: ModelState) -> None:
    """InputError where parameters or what was learned could give scores that are not finite."""
    _check_params(state.params)
    if state.cooccurrence is not None:
        _check_range(state.cooccurrence.weights, 0.0, 1e12, "co-occurrence weights")
    if state.learned is not None:
        lengths = np.linalg.norm(state.learned.memory.vectors, axis=1)
        _check_range(lengths, 0.0, 1.01, "lengths of remembered intents")
    query, key = _decades(state)
    if query > _SAFE_QUERY or key > _SAFE:
        _try(state)


def _check_params(params: Params) -> None:
    for name, view in params.items():
        kind = name.split(".")[-1]
        most = LARGEST if kind.endswith("_offsets") else _LARGEST.get(kind, _LARGEST_WEIGHT)
        if not readout.all_at_most(view.reshape(-1), most):
            fault = "hold NaN or infinity" if not np.isfinite(view).all() else f"have an entry larger than {most:g}"
            raise InputError(f"its parameters {fault}: {name}")


def _check_range(values: Float32, low: float, high: float, what: str) -> None:
    if not ((values >= low) & (values <= high)).all():
        raise InputError(f"its {what} lie in [{low:g}, {high:g}], not all do")


def _decades(state: ModelState) -> tuple[float, float]:
    """By how many powers of ten an intent can grow to a query, an embedding to a key: from the largest row sum of each map."""
    growth = {
        name: float(np.log10(1.0 + np.abs(view).reshape(-1, view.shape[-1]).sum(axis=1).max(initial=0.0)))
        for name, view in state.params.items()
        if view.ndim > 1 or "gate" in name
    }
    query = growth["w_q"] + growth["w_intent"]
    offsets = max((growth[name] for name in growth if name.endswith("_offsets")), default=0.0)
    chain = sum(decades for name, decades in growth.items() if name.startswith("level"))
    return query, growth["w_k"] + growth["w_context"] + chain + offsets + np.log10(1.0 + _largest(state))


def _largest(state: ModelState) -> float:
    rows = (state.catalog.tool_embeddings, state.catalog.capability_embeddings)
    return max(float(np.abs(array).max(initial=0.0)) for array in rows if array is not None)


def _try(state: ModelState) -> None:
    """Builds what answers requests, and looks whether it can."""
    with np.errstate(all="ignore"):
        built = index.build(state, 0)
        x = max(float(np.abs(c.x).max(initial=0.0)) for c in (built.tools, built.capabilities))
        keys = max(float(np.abs(c.keys).max(initial=0.0)) for c in (built.tools, built.capabilities))
        query = float(np.abs(built.w_query).sum(axis=1).max()) * LARGEST + float(np.abs(built.w_context).sum(axis=1).max()) * x
        shares = 0.0 if built.shares is None else float(np.abs(built.shares).sum())
        product = 1.0 if built.cosine else keys * query * len(built.w_query)
    if not (x <= _ROOM and keys <= _ROOM and query <= _ROOM and product <= 1e38 and shares < np.inf):  # false for NaN
        raise InputError("its parameters are so large that scores would not be finite")
