"""What keeps runs, behind one contract."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import _ids
from .masking import kept
from .recorder import Recorder
from .run import Experiment, Point, Run


class Tracker(ABC):
    """Keeps runs.

    Attributes
    ----------
    name : where, for people
    clock : seconds since the epoch
    """

    name: str
    clock: Callable[[], float] = time.time

    def run(
        self,
        experiment: Experiment | str = "default",
        *,
        parameters: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Recorder:
        """Begins a run, which is a context: it ends with it, completed or failed.

        Parameters
        ----------
        parameters : what was chosen, nested as it may be; see `shgat.tracking.masking`
        tags : what it was about: fingerprints, versions

        Raises
        ------
        TrackingError
            where it cannot even begin.
        """
        asked = Experiment(experiment) if isinstance(experiment, str) else experiment
        run = Run(
            _ids.new(), asked.name, asked.hypothesis, asked.metrics, started_at=self.clock(), parameters=kept(parameters or {}),
            tags={**{k: str(v) for k, v in kept(tags or {}).items()}, "process": str(os.getpid())},
        )  # fmt: skip
        self.begin(run)
        return Recorder(self, run, self.clock)

    # ---------------------------------------------------------------- what a backend does
    @abstractmethod
    def begin(self, run: Run) -> None:
        """Keeps a run that begins."""

    @abstractmethod
    def write(self, run_id: str, points: Sequence[Point]) -> None:
        """Keeps figures, in order."""

    @abstractmethod
    def keep(self, run_id: str, name: str, data: bytes) -> None:
        """Keeps an artefact, in place of one of that name."""

    @abstractmethod
    def end(self, run: Run) -> None:
        """Keeps how a run ended."""

    @abstractmethod
    def runs(self, experiment: str | None = None) -> list[Run]:
        """All of them, the latest first."""

    @abstractmethod
    def find(self, run_id: str) -> Run:
        """One, by its id or the beginning of it.

        Raises
        ------
        TrackingError
            where there is none, or several begin so.
        """

    @abstractmethod
    def points(self, run_id: str) -> list[Point]:
        """Every figure of a run, in order."""

    @abstractmethod
    def artefact(self, run_id: str, name: str) -> bytes:
        """What was kept.

        Raises
        ------
        TrackingError
            where there is none of that name.
        """
