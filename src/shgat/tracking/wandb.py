"""Runs in Weights & Biases, offline: files that `wandb sync` sends, and pages of its own to look at them."""

import importlib
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..errors import MissingExtraError, TrackingError
from .contract import Tracker
from .run import Point, Run, artefact_name


class WandbTracker(Tracker):
    """Writes runs for Weights & Biases. Nothing is sent; what was written is looked at there, and not read back here.

    Parameters
    ----------
    folder : that `wandb` writes into
    mode : "offline", or "online" for those who have logged in

    Raises
    ------
    MissingExtraError
        wandb is not installed.
    """

    def __init__(self, folder: str | Path, *, mode: str = "offline", clock: Callable[[], float] = time.time) -> None:
        try:
            self._wandb: Any = importlib.import_module("wandb")
        except ImportError:
            raise MissingExtraError("wandb", "wandb") from None
        self.folder, self.name, self.clock, self._mode = Path(folder), f"wandb {folder}", clock, mode
        self._open: dict[str, Any] = {}

    def begin(self, run: Run) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self._wandb.Settings(silent=True, console="off", disable_git=True, disable_code=True, x_disable_stats=True)
        try:
            self._open[run.id] = self._wandb.init(
                project=run.experiment, id=run.id, notes=run.hypothesis or None, config={**run.parameters, "tags": dict(run.tags)},
                dir=str(self.folder), mode=self._mode, reinit="create_new", settings=settings,
            )  # fmt: skip
        except Exception as error:
            raise TrackingError(f"{self.name}: {error}") from error

    def write(self, run_id: str, points: Sequence[Point]) -> None:
        by_step: dict[int, dict[str, float]] = {}
        for p in points:
            by_step.setdefault(p.step, {})[p.name] = p.value
        for step, figures in by_step.items():
            self._open[run_id].log({**figures, "step": step})

    def keep(self, run_id: str, name: str, data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, artefact_name(name))
            path.write_bytes(data)
            self._open[run_id].save(str(path), base_path=folder, policy="now")

    def end(self, run: Run) -> None:
        going = self._open.pop(run.id)
        going.summary.update(dict(run.figures))
        going.finish(exit_code=1 if run.status == "failed" else 0)

    def runs(self, experiment: str | None = None) -> list[Run]:
        raise self._unread()

    def find(self, run_id: str) -> Run:
        raise self._unread()

    def points(self, run_id: str) -> list[Point]:
        raise self._unread()

    def artefact(self, run_id: str, name: str) -> bytes:
        raise self._unread()

    def _unread(self) -> TrackingError:
        return TrackingError(
            f"{self.name}: what is written for Weights & Biases is read there: wandb sync {self.folder}/wandb/offline-*"
        )
