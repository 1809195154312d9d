"""Sessions out of traces, in whatever order these come; and what is wrong with those that are none.

A set whose traces are of no session can be read as sessions too, where each lists its tools in the order in which they ran.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from .. import _check
from ..errors import TraceError
from .record import Trace
from .sessions import End, Session, Step, Used

Faults = Literal["refuse", "skip"]


@dataclass(frozen=True)
class Fault:
    """What is wrong with a session.

    Attributes
    ----------
    session, principal : which one; "" where nobody knows
    step : number of the step, None where it is of no one step
    what : what is wrong, and what to do
    traces : how many traces it has
    """

    session: str
    principal: str
    step: int | None
    what: str
    traces: int

    def __str__(self) -> str:
        if not self.session:
            return self.what
        of = f" of {self.principal!r:.60}" if self.principal else ""
        return f"session {self.session!r:.100}{of}" + ("" if self.step is None else f", step {self.step}") + f": {self.what}"


@dataclass(frozen=True)
class Gathered:
    """Sessions out of traces. Every trace is in a session, in a fault, or among those of no session.

    Attributes
    ----------
    sessions : in the order in which their first traces stand
    skipped : faults of those that were left out
    without : traces that are of no session, or ran no tool
    """

    sessions: list[Session] = field(default_factory=list)
    skipped: list[Fault] = field(default_factory=list)
    without: int = 0


def sessions_of(
    traces: Iterable[Trace | TraceError], *, faults: Faults = "refuse", from_order: bool = False, unended: End = "terminal"
) -> Gathered:
    """The sessions of traces, which may stand in any order.

    The steps of a session go by their numbers; where none has any, by their time stamps; where one has none either, as they stand.

    Parameters
    ----------
    traces : and errors, which spoil the session that they say, or else are a fault of no session
    faults : what to do with a session that is none: "refuse" raises, "skip" leaves it out and names it
    from_order : each trace of no session, with its tools in order, is a session that ended
    unended : how sessions ended that do not say it

    Raises
    ------
    TraceError
        naming session, step and remedy: steps that are missing, twice, or out of the order of time, two ends, an end before the last step, a
        step without a tool, traces that are their own parents or have one id; and what `Trace` refuses.
    """
    _check.choice(faults, ("refuse", "skip"), "faults")
    _check.choice(unended, ("terminal", "truncated"), "unended")
    sorting = _Sorting(from_order)
    for trace in traces:
        if isinstance(trace, TraceError) and trace.session is None and faults == "refuse":
            raise trace
        sorting.take(trace)
    circles, found = _circles(sorting.seen), Gathered(skipped=sorting.spoilt, without=sorting.without)
    for key, its in sorting.members.items():
        made = _session(key, its, unended if key.named else "terminal", circles, sorting.twice.get(key))
        if isinstance(made, Session):
            found.sessions.append(made)
        elif faults == "refuse":
            raise TraceError(f"{made}; pass faults='skip' to leave such sessions out")
        else:
            found.skipped.append(made)
    return found


class _Key(NamedTuple):
    """Of a session. named: does it have a name, or is it one trace of no session?"""

    principal: str
    name: str
    named: bool


class _Sorting:
    """Puts traces to their sessions.

    Attributes
    ----------
    members : what each session is made of, in the order in which the first trace of each came
    spoilt : errors of no session
    without : traces of no session
    seen : id -> trace
    twice : session -> an id that another trace has too
    """

    def __init__(self, from_order: bool) -> None:
        self._from_order = from_order
        self.members: dict[_Key, list[Trace | TraceError]] = {}
        self.spoilt: list[Fault] = []
        self.without = 0
        self.seen: dict[str, Trace] = {}
        self.twice: dict[_Key, str] = {}

    def take(self, trace: Trace | TraceError) -> None:
        key = self._key(trace)
        if isinstance(trace, Trace):
            first = self.seen.setdefault(trace.id, trace)
            if first is not trace:
                self.twice.update((mine, trace.id) for mine in (key, self._key(first)) if mine is not None)
        if key is not None:
            self.members.setdefault(key, []).append(trace)
        elif isinstance(trace, TraceError):
            self.spoilt.append(Fault("", "", None, str(trace), 1))
        else:
            self.without += 1

    def _key(self, trace: Trace | TraceError) -> _Key | None:
        if isinstance(trace, TraceError):
            return None if trace.session is None else _Key(*trace.session, named=True)
        if trace.session:
            return _Key(trace.principal, trace.session, named=True)
        return _Key(trace.principal, trace.id, named=False) if self._from_order and trace.tools else None


def _session(
    key: _Key, traces: Sequence[Trace | TraceError], unended: End, circles: Mapping[str, str], twice: str | None
) -> Session | Fault:
    def fault(step: int | None, what: str) -> Fault:
        return Fault(key.name, key.principal, step, what, len(traces))

    sound = [trace for trace in traces if isinstance(trace, Trace)]
    if len(sound) < len(traces):
        return fault(None, next(str(error) for error in traces if isinstance(error, TraceError)))
    if twice is not None:
        return fault(None, f"two traces have the id {twice!r:.100}: give each its own")
    numbers = _numbers(sound)
    if isinstance(numbers, str):
        return fault(None, numbers)
    ordered = [trace for _, trace in sorted(zip(numbers, sound, strict=True), key=lambda pair: pair[0])]
    wrong = _wrong(sorted(numbers), ordered, circles)
    if wrong is not None:
        return fault(*wrong)
    end = ordered[-1].end or unended
    return Session(key.name, key.principal, _steps(ordered), "truncated" if end == "truncated" else "terminal")


def _numbers(traces: Sequence[Trace]) -> list[int] | str:
    """The place of each trace, or why there is none."""
    steps = [trace.step for trace in traces if trace.step is not None]
    if len(steps) == len(traces):
        return steps
    if steps:
        bare = next(trace.id for trace in traces if trace.step is None)
        return f"trace {bare!r:.100} has no step, and others have: number all of them, or none"
    moments = [trace.timestamp for trace in traces if trace.timestamp is not None]
    if len(moments) < len(traces):
        return list(range(len(traces)))
    places = [0] * len(traces)
    for place, i in enumerate(sorted(range(len(traces)), key=lambda i: moments[i])):
        places[i] = place
    return places


def _wrong(numbers: Sequence[int], traces: Sequence[Trace], circles: Mapping[str, str]) -> tuple[int | None, str] | None:
    """(step, what is wrong) of the first fault of traces in the order of their numbers."""
    ends = [number for number, trace in zip(numbers, traces, strict=True) if trace.end]
    if len(ends) > 1:
        return ends[1], f"it ended at step {ends[0]} already: a session has one end"
    if ends and ends[0] != numbers[-1]:
        return ends[0], f"it ends here, and goes on to step {numbers[-1]}: put the end last, or name what follows another session"
    if numbers[0] > 1:
        return numbers[0], "the steps before it are missing: bring them, or number from 0"
    for i, (number, trace) in enumerate(zip(numbers, traces, strict=True)):
        what = _after(numbers[i - 1], traces[i - 1], number, trace) if i else ""
        if not what and not trace.tools:
            what = f"trace {trace.id!r:.100} ran no tool: name what was run, or leave the trace out"
        if not what and trace.id in circles:
            what = f"trace {trace.id!r:.100} is its own parent by way of {circles[trace.id]!r:.100}: mend parent_id"
        if what:
            return number, what
    return None


def _after(earlier: int, before: Trace, number: int, trace: Trace) -> str:
    """What is wrong with a step after the one before it, "" where nothing is."""
    if number == earlier:
        return f"traces {before.id!r:.100} and {trace.id!r:.100} both are this step: number each once"
    if number > earlier + 1:
        missing = f"step {earlier + 1} is" if number == earlier + 2 else f"steps {earlier + 1} to {number - 1} are"
        return f"{missing} missing before it: bring what is missing, or number without a gap"
    if before.timestamp is not None and trace.timestamp is not None and trace.timestamp < before.timestamp:
        return f"trace {trace.id!r:.100} is earlier than the step before it: number the steps in the order of time"
    return ""


def _circles(traces: Mapping[str, Trace]) -> dict[str, str]:
    """Id of each trace that is its own ancestor -> its parent."""
    found: dict[str, str] = {}
    clear: set[str] = set()
    for start in traces:
        chain: dict[str, None] = {}
        at: str | None = start
        while at is not None and at in traces and at not in clear and at not in chain:
            chain[at] = None
            at = traces[at].parent_id
        if at is not None and at in chain:
            ids = list(chain)
            for key in ids[ids.index(at) :]:
                found[key] = str(traces[key].parent_id)
        clear.update(chain)
    return found


def _steps(traces: Sequence[Trace]) -> tuple[Step, ...]:
    path: list[Used] = []
    known: set[str] = set()
    steps = []
    for trace in traces:
        for tool in trace.context_tools:
            if tool not in known:  # used where no trace was written
                known.add(tool)
                path.append(Used(tool))
        for i, tool in enumerate(trace.tools):
            step = Step(trace, i, path, len(path))
            steps.append(step)
            known.add(tool)
            path.append(Used(tool, step.outcome))
    return tuple(steps)
