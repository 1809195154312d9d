"""What a training child hands back, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from .. import _check
from ..errors import InputError, WorkerError


@dataclass(frozen=True, eq=False)
class Result:
    """A training that succeeded.

    Attributes
    ----------
    accepted, reason : were the trained parameters kept, and why (not)
    changed : does the model differ from the one that was sent? The memory of what worked grows in any case
    final_loss : of the last epoch, None where nothing was trained
    final_accuracy : Hit@1 on the examples
    td_errors : trace id -> error in [0, 1], in the order of the examples
    health : baselineAccuracy, bestAccuracy, finalAccuracy, degradationDetected, earlyStopEpoch
    params, params_path : the parameters as JSON values, or the file they were written to
    seconds : spent in the child
    """

    accepted: bool
    changed: bool
    reason: str
    final_loss: float | None
    final_accuracy: float
    td_errors: dict[str, float]
    health: dict[str, Any]
    params: dict[str, Any] | None
    params_path: str | None
    seconds: float

    @classmethod
    def parse(cls, line: bytes) -> "Result":
        """The result of one line; WorkerError for a reported failure, and for a line that is no result."""
        try:
            value = orjson.loads(line)
            if not isinstance(value, Mapping) or not isinstance(value.get("success"), bool):
                raise InputError("a result says whether it was a success")
            if not value["success"]:
                raise WorkerError(f"the training failed: {value.get('error') or 'no reason given'}")
            ids = _check.texts(value["traceIds"], "traceIds")
            td = [_check.number(e, 0.0, 1.0, "tdErrors") for e in value["tdErrors"]]
            loss = value.get("finalLoss")
            return cls(
                value["accepted"] is True, value["changed"] is True, str(value["reason"]),
                None if loss is None else _check.number(loss, -1e9, 1e9, "finalLoss"),
                _check.number(value["finalAccuracy"], 0.0, 1.0, "finalAccuracy"), dict(zip(ids, td, strict=True)),
                dict(value["healthCheck"]), value.get("params"), value.get("paramsPath"),
                _check.number(value["seconds"], 0.0, 1e9, "seconds"),
            )  # fmt: skip
        except (InputError, KeyError, TypeError, ValueError) as error:  # orjson's error is a ValueError
            raise WorkerError(f"the training child broke the protocol: {type(error).__name__}: {error}") from None
