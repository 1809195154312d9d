"""Values in a ranking: where a session has begun, the best candidates change places by what they are worth for the rest of it.

    z_t <- z_t + weight (q_t - mean of q),     of the 50 best by z, the mean over those

What nobody would take anyway is not looked at, so that it costs the same in any catalogue. The weight is 0 unless held-out sessions said that
values help (`shgat.td`).
"""

import numpy as np

from .._kernels import topk
from .._types import Float32, Int32
from .session_state import SessionState
from .values import Values

MOST = 50  # candidates that are looked at


def best(z: Float32, columns: Int32 | None = None) -> Int32:
    """The candidates by z (n,) among the columns, None for all."""
    among = z if columns is None else z[columns]
    k = min(MOST, len(among))
    scores, where = np.empty(k, np.float32), np.empty(k, np.int32)
    topk.top_k(np.ascontiguousarray(among), scores, where)
    return where if columns is None else np.asarray(columns[where], np.int32)


def added(values: Values, weight: float, x: Float32, state: SessionState, tools: Int32) -> Float32:
    """(len(tools),) what is added to their scores, for an intent x (d,)."""
    q = values.of(x, state, tools)
    return np.asarray(np.float32(weight) * (q - q.mean()), np.float32)


def lead(values: Values, weight: float, x: Float32, used: tuple[int, ...], z: Float32, columns: Int32 | None = None) -> None:
    """Adds to z (B, n) of intents x (B, d) what values say after the tools that were used."""
    state = SessionState(used)
    for row, intent in zip(z, x, strict=True):
        tools = best(row, columns)
        if tools.size:
            row[tools] += added(values, weight, intent, state, tools)
