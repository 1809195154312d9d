"""A session: one piece of work in order, a step each time that a tool was run. A view of its traces, read only.

A step is one tool. A trace that ran several in order is as many steps; what came of it is known with the last of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .._types import Float32
from .record import SUCCESS, Trace

End = Literal["terminal", "truncated"]


class Used(NamedTuple):
    """A tool that was used, and how it went: 0 to 1, or None where that is not known, or not of this tool alone."""

    tool: str
    outcome: float | None = None


@dataclass(frozen=True, eq=False)
class Step:
    """One tool that was run.

    Attributes
    ----------
    trace : the trace that it is of
    at : which of the trace's tools it is, from 0; what came of the trace is known with the last
    path : all that the session used, in order
    before : how many of `path` were used before it
    """

    trace: Trace
    at: int
    path: Sequence[Used]
    before: int

    @property
    def chosen(self) -> str:
        """Id of the tool."""
        return self.trace.tools[self.at]

    @property
    def last(self) -> bool:
        """Is it the last tool of its trace?"""
        return self.at == len(self.trace.tools) - 1

    @property
    def intent(self) -> str:
        """What was asked for."""
        return self.trace.intent

    @property
    def embedding(self) -> Float32 | None:
        """(d,) of the intent."""
        return self.trace.embedding

    @property
    def context(self) -> tuple[Used, ...]:
        """The tools used so far, the latest last, and how they went."""
        return tuple(self.path[: self.before])

    @property
    def offered(self) -> tuple[str, ...]:
        """Ids of what was offered, best first; () where nobody said."""
        return self.trace.offered

    @property
    def propensity(self) -> float | None:
        """Chance with which it would be chosen; of several tools of one trace it is that of the first."""
        return self.trace.propensity if self.at == 0 else None

    @property
    def outcome(self) -> float | None:
        """0 (failed) to 1 (worked), None before the last tool of a trace."""
        return self.trace.outcome if self.last else None

    @property
    def succeeded(self) -> bool:
        """Did the trace that it is of work?"""
        return self.trace.outcome >= SUCCESS

    @property
    def duration_ms(self) -> float | None:
        """Milliseconds of the trace, known with its last tool."""
        return self.trace.duration_ms if self.last else None

    @property
    def rating(self) -> float | None:
        """What people said of the trace, 1 to 5, known with its last tool."""
        return self.trace.rating if self.last else None


@dataclass(frozen=True, eq=False)
class Session:
    """One piece of work, read only.

    Attributes
    ----------
    name, principal : whose it is; two principals may have sessions of one name
    steps : in order, at least one
    end : "terminal", nothing follows, or "truncated", what followed is not known
    """

    name: str
    principal: str
    steps: tuple[Step, ...]
    end: End

    @property
    def path(self) -> tuple[Used, ...]:
        """All that was used: the context of what would follow."""
        return tuple(self.steps[0].path)

    def after(self) -> Step:
        """What would follow, as a step whose context is all that was used; its own tool and outcome are those of the last step."""
        last = self.steps[-1]
        return Step(last.trace, last.at, last.path, len(last.path))

    @property
    def tools(self) -> tuple[str, ...]:
        """Ids of what was run, in order."""
        return tuple(step.chosen for step in self.steps)
