"""One run as it goes: figures are handed over, and written by a thread, so that what is measured does not wait for a disk or a server."""

import logging
import math
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self

from ..errors import InputError, ShgatError
from .run import Point, Run, artefact_name

_log = logging.getLogger("shgat")
WAITING = 10_000  # points that wait for the writer at most; what comes in beyond is counted and dropped
_BATCH = 500
_CLOSING = 30.0  # seconds that an end waits for what was handed over


class Writer(Protocol):
    """What keeps a run; see `Tracker`."""

    def write(self, run_id: str, points: Sequence[Point]) -> None: ...

    def keep(self, run_id: str, name: str, data: bytes) -> None: ...

    def end(self, run: Run) -> None: ...


class Recorder:
    """A run that is under way. Safe from any thread.

    A tracker that fails is said once in the log, and stops nothing: what was measured goes on.

    Attributes
    ----------
    run : as it stands
    dropped : points that could not be written
    trouble : why, "" where all is well
    """

    def __init__(self, tracker: Writer, run: Run, clock: Callable[[], float]) -> None:
        self._tracker, self.run, self._clock = tracker, run, clock
        self.dropped, self.trouble = 0, ""
        self._waiting: queue.Queue[Point | None] = queue.Queue(WAITING)
        self._figures: dict[str, float] = {}
        self._kept: list[str] = []
        self._failing = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="shgat-tracking", daemon=True)
        self._thread.start()

    @property
    def id(self) -> str:
        """Of the run."""
        return self.run.id

    def log(self, figures: Mapping[str, float], step: int = 0) -> None:
        """Figures at a step; those that are not finite are left out.

        Raises
        ------
        InputError
            for what is no number, or no name.
        """
        now = self._clock()
        for name, value in figures.items():
            if not isinstance(name, str) or not name or isinstance(value, bool | str) or not hasattr(value, "__float__"):
                raise InputError(f"figures are numbers by name, not {name!r:.60}: {value!r:.60}")
            number = float(value)
            if not math.isfinite(number):
                continue
            self._figures[name] = number
            try:
                self._waiting.put_nowait(Point(name, number, int(step), now))
            except queue.Full:
                self._fail(f"{WAITING} figures wait already", 1)

    def keep(self, name: str, data: bytes) -> None:
        """Keeps an artefact: bytes by name, as of now."""
        name = artefact_name(name)
        try:
            self._tracker.keep(self.run.id, name, data)
            self._kept = [*(n for n in self._kept if n != name), name]
        except (ShgatError, OSError) as error:
            self._fail(str(error), 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end("" if kind is None else kind.__name__)

    def end(self, error: str = "") -> None:
        """Ends the run: completed, or failed by an error of this type. Once; a second call does nothing."""
        if self.run.status != "running":
            return
        try:
            self._waiting.put(None, timeout=_CLOSING)
        except queue.Full:
            self._fail("the writer hangs", self._waiting.qsize())
        self._thread.join(_CLOSING)
        self.run = replace(
            self.run, status="failed" if error else "completed", ended_at=self._clock(), figures=dict(self._figures),
            artefacts=tuple(self._kept), error=error,
        )  # fmt: skip
        try:
            self._tracker.end(self.run)
        except (ShgatError, OSError) as trouble:
            self._fail(str(trouble), 0)

    def _work(self) -> None:
        going = True
        while going:
            batch = [self._waiting.get()]
            while len(batch) < _BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            going = None not in batch
            points = [p for p in batch if p is not None]
            try:
                if points:
                    self._tracker.write(self.run.id, points)
            except Exception as error:  # whatever a server or a disk does: what is measured goes on
                self._fail(str(error), len(points))

    def _fail(self, why: str, lost: int) -> None:
        with self._failing:  # the writer and whoever measures may fail at once
            self.dropped += lost
            first, self.trouble = not self.trouble, self.trouble or why
        if first:
            _log.warning("run %s is not tracked whole: %s", self.run.id, why)
