"""The pipeline: its steps in order, one at a time, each once; what was interrupted goes on where it was."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConflictError, InputError, ShgatError
from ..registry import StoreRegistry
from ..registry.facts import difference
from ..store import Store
from ..store.claims import LEASE
from .canary import serve_canary
from .comparison import compare
from .deployment import promote, take_back, take_canary
from .evaluation import evaluate
from .page import write_page
from .registration import register
from .runs import OPEN, UNCHANGED, Run, Runs, Step, fingerprint
from .settings import Settings
from .settings_file import store_url
from .tracked import track
from .training import train
from .validation import unchanged, validate_data
from .work import CANDIDATE, WHO, Outcome, Work

STEPS: dict[str, Callable[[Work], Outcome]] = {
    "validate-data": validate_data, "train": train, "evaluate": evaluate, "compare": compare, "register": register, "canary": serve_canary,
    "promote": promote,
}  # fmt: skip
FIRST = "validate-data"
REPORT = "report.html"
_PATIENCE = LEASE + 2.0  # seconds: the lock of a holder that was killed has ended by then
_AGAIN = 0.5  # seconds between tries


@dataclass(frozen=True)
class Event:
    """Something that happened in a run, for those who watch it: a terminal, a tracker.

    Attributes
    ----------
    run : its id
    step : its name, "" for the run as a whole
    kind : "begun", "said", "done", "refused", "failed" or "ended"
    message : in words
    at : seconds since the epoch
    facts : of the step, or `Run.to_dict` of a run that ended
    """

    run: str
    step: str
    kind: str
    message: str
    at: float
    facts: dict[str, Any] = field(default_factory=dict)


class Pipeline:
    """Validates data, trains, evaluates, compares, registers, serves a canary, and promotes what has proved itself.

    Runs lie in the state folder, the lock is a claim of the store. Whatever is killed, and wherever: run again, it comes to the same end, with
    one version, one canary and one promotion.

    Parameters
    ----------
    settings : see `Settings`
    clock : seconds since the epoch
    sleep : waits so many seconds
    on_event : called with each `Event`, in this thread
    runs : the journal; None: in the state folder
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        on_event: Callable[[Event], object] | None = None,
        runs: Runs | None = None,
    ) -> None:
        self.settings, self.clock, self._sleep = settings, clock, sleep
        self._on_event = on_event or (lambda event: None)
        self.runs = Runs(settings.state, clock) if runs is None else runs
        self._owner = f"pipeline, process {os.getpid()}, {uuid.uuid4().hex}"

    def run(self, *, again: bool = False) -> Run:
        """Every step that is not done yet, up to the end or to a gate that says no.

        Parameters
        ----------
        again : give an open run up, and learn anew though nothing is new

        Raises
        ------
        ConflictError
            another process is at it.
        ShgatError
            something failed that is no gate; run again, it goes on there.
        """
        with self._opened() as store:
            work = self._current(store, again)
            for name in STEPS:
                if work.run.status == OPEN and not work.run.done(name):
                    self._step(work, name, again)
            return work.run

    def step(self, name: str, *, again: bool = False) -> Run:
        """One step of the open run, where it is not done yet. The first one begins a run where none is open; after a run has ended the others
        do nothing.

        Raises
        ------
        InputError
            for a step that is none, and where an earlier one is not done.
        """
        if name not in STEPS:
            raise InputError(f"there is no step {name!r:.60}: it is one of {', '.join(STEPS)}")
        with self._opened() as store:
            latest = self.runs.latest()
            if name != FIRST and latest is None:
                raise InputError(f"there is no run yet: shgat pipeline {FIRST}")
            if name != FIRST and latest is not None and latest.status != OPEN:
                return latest
            work = self._current(store, again)
            if not work.run.done(name):
                self._step(work, name, again)
            return work.run

    def rollback(self, *, who: str, why: str = "") -> Run:
        """Takes away what the latest run put in place: its canary, and its version where that is in production. Needs no lock, so that nobody
        has to wait for a canary that is being watched.

        Raises
        ------
        InputError
            where nothing of it stands.
        """
        run = self.runs.latest()
        if run is None:
            raise InputError("there is no run yet, and nothing to take back")
        with closing(Store.open(store_url(self.settings), clock=self.clock)) as store:
            work = self._work(store, run)
            moves = take_back(work, who, why)
            told = [m for m in work.registry.moves() if m.why.startswith(run.tag) and m.action in ("rollback", "clear")]
            if not moves and (not told or run.status == "rolled back"):
                raise InputError(f"nothing of run {run.id} stands: neither its canary nor its version in production")
            with store.claimed(self._owner, self._lock) as mine:
                if mine:  # else the process that watches the run writes it down
                    self._close(work, "rolled back", (moves or told)[0].why)
        return run

    def _step(self, work: Work, name: str, again: bool) -> None:
        run = work.run
        before = [*STEPS][: [*STEPS].index(name)]
        for other in before:
            if not run.done(other):
                raise InputError(f"run {run.id}: {other} comes before {name}: shgat pipeline {other}")
        if not work.store.claim(self._owner, self._lock):  # this process slept longer than its claim lasts
            raise self._elsewhere(work.store)
        former = run.steps.get(name)
        given = fingerprint([name, run.settings, *((run.steps[o].given, run.steps[o].facts) for o in before[-1:])])
        step = run.steps[name] = Step("running", given, self.clock(), tries=1 if former is None else former.tries + 1)
        self.runs.save(run)
        self._tell(run, name, "begun")
        try:
            outcome = STEPS[name](work)
        except (ShgatError, OSError) as error:
            step.status, step.reason, step.ended_at = "failed", str(error), self.clock()
            self.runs.save(run)
            self._tell(run, name, "failed", step.reason)
            raise
        step.status, step.ended_at = "done" if outcome.passed else "refused", self.clock()
        step.reason, step.facts = outcome.reason, outcome.facts
        closes = outcome.closes or ("" if outcome.passed else "refused")
        if name == FIRST and outcome.passed and not again and (same := unchanged(run, self.runs.all())) is not None:
            closes, outcome = UNCHANGED, Outcome(True, f"nothing is new since run {same.id}, which ended: {same.status}")
        if closes:
            self._close(work, closes, outcome.reason)
        else:
            self.runs.save(run)
        self._tell(run, name, step.status, step.reason, step.facts)
        if closes:
            self._tell(run, "", "ended", f"{run.status}: {run.reason}", run.to_dict())

    def _close(self, work: Work, status: str, reason: str) -> None:
        """The end of a run: its page, its journal, and what need not be kept."""
        run, keep = work.run, self.settings.keep
        run.status, run.reason, run.ended_at = status, reason, self.clock()
        write_page(work.folder / REPORT, run)
        if self.settings.track is not None and status != UNCHANGED:
            track(self.settings.track, run, (work.folder / REPORT).read_bytes())
        if run.done("register"):
            (work.folder / CANDIDATE).unlink(missing_ok=True)  # the registry has it
        self.runs.save(run)
        if run.done("register"):
            work.store.prune(keep_models=keep.versions)
        self.runs.prune(keep.runs)

    def _current(self, store: Store, again: bool) -> Work:
        """The open run, where it was begun with the same settings, or a new one."""
        settings, latest = self.settings.to_dict(), self.runs.latest()
        if latest is not None and latest.status == OPEN:
            changed = difference(latest.settings, settings)
            if not again and not changed:
                return self._work(store, latest)
            if not again:
                name, (then, now) = next(iter(changed.items()))
                raise InputError(
                    f"run {latest.id} is open and was begun with {name} = {then!r:.60}, which is {now!r:.60} now: finish it with the former "
                    "settings, or give it up and begin anew with --again"
                )
            work = self._work(store, latest)
            take_canary(work, WHO, "given up")
            self._close(work, "given up", "begun anew")
        return self._work(store, self.runs.begin(settings))

    def _work(self, store: Store, run: Run) -> Work:
        def say(message: str) -> None:
            name = next(reversed(run.steps), "")
            self._tell(run, name, "said", message)

        return Work(self.settings, store, StoreRegistry(store, self.settings.user), self.runs, run, self._sleep, say)

    def _tell(self, run: Run, step: str, kind: str, message: str = "", facts: dict[str, Any] | None = None) -> None:
        self._on_event(Event(run.id, step, kind, message, self.clock(), facts or {}))

    @property
    def _lock(self) -> str:
        return f"shgat: pipeline of {self.settings.user}"

    def _elsewhere(self, store: Store) -> ConflictError:
        return ConflictError(f"{store.url}: another process runs the pipeline of {self.settings.user!r}: wait until it has ended")

    @contextmanager
    def _opened(self) -> Iterator[Store]:
        """The store, held by this process alone."""
        with closing(Store.open(store_url(self.settings), clock=self.clock)) as store:
            deadline = time.monotonic() + _PATIENCE
            while True:
                with store.claimed(self._owner, self._lock) as mine:
                    if mine:
                        yield store
                        return
                if time.monotonic() >= deadline:
                    raise self._elsewhere(store)
                time.sleep(_AGAIN)
