"""Sessions as arrays: what values are learned from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .._types import Bool, Float32, Float64, Int32, Int64
from ..errors import InputError
from ..graph import Incidence
from ..model.session_state import facts, states
from .returns import Ends

_LARGEST_REWARD = 1e6


@dataclass(frozen=True, eq=False)
class Path:
    """All that sessions used, in order: steps, and what was used between or before them.

    Attributes
    ----------
    indptr : (n_sessions + 1,) first entry of each session
    tools : (P,) rows of tools
    outcomes, seconds : (P,) how it went, and what it took
    begin, until : (n_steps,) what each step had before it stands from `begin` to before `until`
    """

    indptr: Int64
    tools: Int32
    outcomes: Float64
    seconds: Float64
    begin: Int64
    until: Int64

    def take(self, sessions: Int64, session: Int64, steps: Int64) -> "Path":
        """Of some sessions; `session` and `steps`: of each of their steps, its session as it is now, and its row."""
        lengths = np.diff(self.indptr)[sessions]
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        moved = indptr[:-1] - self.indptr[sessions]
        rows = np.arange(indptr[-1]) - np.repeat(moved, lengths)
        by = moved[session]
        return Path(
            indptr, self.tools[rows], self.outcomes[rows], self.seconds[rows], self.begin[steps] + by, self.until[steps] + by
        )


@dataclass(frozen=True, eq=False)
class Episodes:
    """Steps of sessions, one session after the other, checked: a bad step is refused by its session and its place in it.

    Attributes
    ----------
    indptr : (n_sessions + 1,) first step of each session
    intents : (k, d) float32
    intent : (n_steps,) row of each step's intent
    actions : (n_steps,) row of the tool that was used
    rewards : (n_steps,) what it brought
    outcomes : (n_steps,) how it went, in [0, 1]
    seconds : (n_steps,) what it took
    terminal : (n_sessions,) did the session come to its end, or was it cut off
    propensity : (n_steps,) probability in (0, 1] with which the tool was chosen, or None: nobody knows
    offered : rows of the tools that each step could choose from, or None: all
    path : all that was used; None: the steps alone
    """

    indptr: Int64
    intents: Float32
    intent: Int32
    actions: Int32
    rewards: Float64
    outcomes: Float64
    seconds: Float64
    terminal: Bool
    propensity: Float64 | None = None
    offered: Incidence | None = None
    path: Path | None = None

    def __post_init__(self) -> None:
        n = len(self.actions)
        if self.indptr[0] != 0 or self.indptr[-1] != n or (np.diff(self.indptr) < 0).any():
            raise InputError(f"indptr of sessions rises from 0 to the number of steps, {n}")
        for name in ("intent", "rewards", "outcomes", "seconds", "propensity"):
            column = getattr(self, name)
            if column is not None and column.shape != (n,):
                raise InputError(f"Episodes.{name} has shape {column.shape}, expected ({n},)")
        if self.terminal.shape != (len(self),):
            raise InputError(f"Episodes.terminal has shape {self.terminal.shape}, expected ({len(self)},)")
        if self.offered is not None and self.offered.n_rows != n:
            raise InputError(f"Episodes.offered has {self.offered.n_rows} rows, expected {n}")
        self._refuse((self.intent < 0) | (self.intent >= len(self.intents)), "has an intent that is not there")
        self._refuse(self.actions < 0, "has no tool")
        self._refuse(~(np.abs(self.rewards) <= _LARGEST_REWARD), f"has a reward beyond {_LARGEST_REWARD:g}")
        self._refuse(~((self.outcomes >= 0.0) & (self.outcomes <= 1.0)), "has an outcome outside [0, 1]")
        self._refuse(~((self.seconds >= 0.0) & (self.seconds <= 1e11)), "took a time below 0 or beyond 1e11 seconds")
        if self.propensity is not None:
            self._refuse(~((self.propensity > 0.0) & (self.propensity <= 1.0)), "has a propensity outside (0, 1]")
        if self.offered is not None:
            self._refuse(~self._was_offered(), "used a tool that it was not offered")

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def n_steps(self) -> int:
        return len(self.actions)

    @cached_property
    def session(self) -> Int64:
        """(n_steps,) the session of each step."""
        return np.asarray(np.repeat(np.arange(len(self)), np.diff(self.indptr)), dtype=np.int64)

    @cached_property
    def ends(self) -> Ends:
        """Which steps are the last of their session, and of which it is known what they led to."""
        return Ends.of(self.indptr, self.terminal)

    @cached_property
    def used(self) -> Path:
        """All that was used."""
        if self.path is not None:
            return self.path
        rows = np.arange(self.n_steps)
        return Path(self.indptr, self.actions, self.outcomes, self.seconds, self.indptr[self.session], rows)

    @cached_property
    def facts(self) -> Float32:
        """(n_steps, N_FACTS) before each step."""
        return facts(self.used.outcomes, self.used.seconds, self.used.begin, self.used.until)

    def states(self, embeddings: Float32) -> Float32:
        """(n_steps, 3 d + N_FACTS) before each step, for tools of these embeddings (n_tools, d)."""
        path = self.used
        return states(self.intents[self.intent], embeddings[path.tools], self.facts, path.begin, path.until)

    def take(self, sessions: npt.NDArray[np.integer] | Sequence[int]) -> "Episodes":
        """Those sessions, in that order."""
        chosen = np.asarray(sessions, np.int64)
        rows, lengths = self.steps_of(chosen), np.diff(self.indptr)[chosen]
        columns = {name: getattr(self, name)[rows] for name in ("intent", "actions", "rewards", "outcomes", "seconds")}
        return replace(
            self,
            indptr=np.concatenate([[0], np.cumsum(lengths)]),
            terminal=self.terminal[chosen],
            propensity=None if self.propensity is None else self.propensity[rows],
            offered=None if self.offered is None else self.offered.take(rows),
            path=None if self.path is None else self.path.take(chosen, np.repeat(np.arange(len(chosen)), lengths), rows),
            **columns,
        )

    def steps_of(self, sessions: Int64) -> Int64:
        """Rows of the steps of those sessions, in that order."""
        lengths = np.diff(self.indptr)[sessions]
        starts = np.concatenate([[0], np.cumsum(lengths)])[:-1]
        return np.asarray(np.arange(int(lengths.sum())) - np.repeat(starts - self.indptr[sessions], lengths))

    def _was_offered(self) -> Bool:
        assert self.offered is not None
        found = np.zeros(self.n_steps, np.bool_)
        found[self.offered.row_of_entry[self.offered.indices == self.actions[self.offered.row_of_entry]]] = True
        return found

    def _refuse(self, bad: Bool, what: str) -> None:
        if bad.any():
            step = int(bad.argmax())
            session = int(np.searchsorted(self.indptr, step, side="right")) - 1
            raise InputError(f"session {session}, step {step - int(self.indptr[session])} {what}")
