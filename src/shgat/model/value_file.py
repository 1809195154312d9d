"""Values of sessions in a model's file: an optional part, of one tensor and one entry of the manifest."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._json import none_for_not_finite
from .._types import Float32
from ..errors import InputError
from .session_state import N_FACTS
from .value_network import ValueLayout, ValueNetwork
from .values import LearnedValues

_MOST_GROWTH = 1e30  # of states and actions of length 1 on their way to a value


def to_record(learned: LearnedValues) -> dict[str, Any]:
    """What stands beside the parameters."""
    check(learned)
    return {
        "hidden": list(learned.network.layout.hidden),
        "weight": learned.weight,
        "report": none_for_not_finite(learned.report),
    }


def from_record(record: object, buffer: Float32, d: int) -> LearnedValues:
    """The inverse, for embeddings of d dimensions.

    Raises
    ------
    InputError
        for what is no such record, parameters of another size, and values that could overflow.
    """
    if not isinstance(record, Mapping) or not record.keys() >= {"hidden", "weight"}:
        raise InputError("values are a record with hidden and weight")
    network = ValueNetwork(ValueLayout(3 * d + N_FACTS, d, record["hidden"]), np.array(buffer))
    report = record.get("report")
    if report is not None and not isinstance(report, dict):
        raise InputError("the report of values is a record")
    found = LearnedValues(network, record["weight"], report)
    check(found)
    return found


def check(learned: LearnedValues) -> None:
    """InputError where values could be no numbers."""
    network, growth = learned.network, 1.0
    if not np.isfinite(network.buffer).all():
        raise InputError("its value network holds NaN or infinity")
    for weights, bias in ((("w_state", "w_action"), "b1"), (("w2",), "b2"), (("w3",), "b3"), (("w4",), "b4")):
        rows = sum(np.abs(network[name].astype(np.float64)).reshape(-1, network[name].shape[-1]).sum(axis=1) for name in weights)
        growth = float(np.max(rows)) * growth + float(np.abs(network[bias]).max())
    if not growth < _MOST_GROWTH:
        raise InputError("its value network has weights so large that values could overflow")
