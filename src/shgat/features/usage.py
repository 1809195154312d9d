"""How often something was executed, how well and how fast it went, as it was known at one moment."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .._types import Float64, Int64
from ..graph import Catalog
from ..traces.record import SUCCESS

DAY = 86_400.0  # seconds
WINDOWS = (1, 7, 30)  # days
STRENGTH = 5.0  # executions that what is usual counts as, beside the own ones


class Execution(Protocol):
    """What is looked at of a trace."""

    @property
    def tools(self) -> Sequence[str]: ...
    @property
    def capability(self) -> str | None: ...
    @property
    def outcome(self) -> float: ...
    @property
    def duration_ms(self) -> float | None: ...
    @property
    def timestamp(self) -> float | None: ...


@dataclass(frozen=True, eq=False)
class Usage:
    """Figures of n items at one moment. What happened later, and what has no time, changes none of them.

    Attributes
    ----------
    counts : (n, 3) int64 executions in the last 1, 7 and 30 days
    success_rate : (n,) float64, (s + 5 r) / (n + 5) of the s of n executions in 30 days that worked, r the rate of all; NaN where there
        was no execution at all
    duration_ms : (n,) float64 mean of the known durations in 30 days, NaN where none is known
    """

    counts: Int64
    success_rate: Float64
    duration_ms: Float64

    @classmethod
    def of_capabilities(cls, executions: Iterable[Execution], catalog: Catalog, as_of: float) -> "Usage":
        """Of each capability: executions that name it, and those without a name that ran exactly its tools.

        Parameters
        ----------
        as_of : seconds since 1970
        """
        column = catalog.capability_column
        same: dict[frozenset[str], list[int]] = defaultdict(list)
        for i, c in enumerate(catalog.capabilities):
            if c.tools and not c.capabilities:
                same[frozenset(c.tools)].append(i)

        def whose(execution: Execution) -> Sequence[int]:
            if execution.capability is not None:
                return [column[execution.capability]] if execution.capability in column else []
            return same.get(frozenset(execution.tools), [])

        events = ((whose(e), e, e.duration_ms) for e in _known(executions, as_of))
        return cls._counted(events, len(column), as_of)

    @classmethod
    def of_tools(cls, executions: Iterable[Execution], column: Mapping[str, int], as_of: float) -> "Usage":
        """Of each tool: executions that ran it; the duration is known to be its own where it ran alone."""
        events = (
            (
                sorted({column[t] for t in e.tools if t in column}),
                e,
                e.duration_ms if len(e.tools) == 1 else None,
            )
            for e in _known(executions, as_of)
        )
        return cls._counted(events, len(column), as_of)

    @classmethod
    def _counted(cls, events: Iterable[tuple[Sequence[int], Execution, float | None]], n: int, as_of: float) -> "Usage":
        counts = np.zeros((n, len(WINDOWS)), np.int64)
        worked, lasted, timed = np.zeros(n), np.zeros(n), np.zeros(n)
        all_worked = everything = 0
        for rows, execution, duration in events:
            assert execution.timestamp is not None
            good = execution.outcome >= SUCCESS
            everything += 1
            all_worked += good
            inside = [w for w, days in enumerate(WINDOWS) if execution.timestamp > as_of - days * DAY]
            for i in rows:
                counts[i, inside] += 1
                worked[i] += good
                if duration is not None:
                    lasted[i] += duration
                    timed[i] += 1
        usual = all_worked / everything if everything else math.nan
        rate = (worked + STRENGTH * usual) / (counts[:, -1] + STRENGTH)
        return cls(counts, rate, np.divide(lasted, timed, out=np.full(n, np.nan), where=timed > 0))


def _known(executions: Iterable[Execution], as_of: float) -> Iterable[Execution]:
    """Those of the longest window before `as_of`."""
    begin = as_of - WINDOWS[-1] * DAY
    return (e for e in executions if e.timestamp is not None and begin < e.timestamp <= as_of)
