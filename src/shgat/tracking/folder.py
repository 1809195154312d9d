"""Runs in a folder: each a folder of its own with `run.json`, `metrics.jsonl` and `artefacts`."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from .._files import read_lines, reason, write_atomically
from ..errors import InputError, TrackingError
from .contract import Tracker
from .run import STATUSES, Point, Run, artefact_name

_RUN, _METRICS, _ARTEFACTS = "run.json", "metrics.jsonl", "artefacts"
_SILENT = 24 * 3600.0  # seconds after which a run of another machine that says nothing is taken for killed


class FolderTracker(Tracker):
    """Runs in a folder, which is made where there is none. Several processes may write into one.

    Parameters
    ----------
    folder : of the runs
    clock : seconds since the epoch
    """

    def __init__(self, folder: str | Path, *, clock: Callable[[], float] = time.time) -> None:
        self.folder, self.name, self.clock = Path(folder), str(folder), clock

    def begin(self, run: Run) -> None:
        here = self.folder / run.id
        try:
            (here / _ARTEFACTS).mkdir(parents=True)
            self._put(replace(run, tags={**run.tags, "host": os.uname().nodename}))
        except OSError as error:
            raise TrackingError(f"cannot keep runs in {self.folder}: {reason(error)}") from None

    def write(self, run_id: str, points: Sequence[Point]) -> None:
        lines = b"".join(orjson.dumps({"name": p.name, "value": p.value, "step": p.step, "at": p.at}) + b"\n" for p in points)
        try:
            with (self.folder / run_id / _METRICS).open("ab") as file:
                file.write(lines)
        except OSError as error:
            raise TrackingError(f"cannot write {self.folder / run_id / _METRICS}: {reason(error)}") from None

    def keep(self, run_id: str, name: str, data: bytes) -> None:
        write_atomically(self.folder / run_id / _ARTEFACTS / artefact_name(name), data)

    def end(self, run: Run) -> None:
        before = self._read(self.folder / run.id)
        self._put(replace(run, tags=before.tags))

    def runs(self, experiment: str | None = None) -> list[Run]:
        found = []
        for place in self.folder.iterdir() if self.folder.is_dir() else ():
            if (place / _RUN).is_file():
                found.append(self._read(place))
        chosen = [r for r in found if experiment is None or r.experiment == experiment]
        return sorted(chosen, key=lambda r: (-r.started_at, r.id))

    def find(self, run_id: str) -> Run:
        names = sorted(p.name for p in self.folder.iterdir() if (p / _RUN).is_file()) if self.folder.is_dir() else []
        return self._read(self.folder / one_of(names, run_id, self.name))

    def points(self, run_id: str) -> list[Point]:
        path = self.folder / self.find(run_id).id / _METRICS
        if not path.exists():
            return []
        found = []
        for _, line in read_lines(path):
            try:
                value = orjson.loads(line)
                found.append(Point(str(value["name"]), float(value["value"]), int(value["step"]), float(value["at"])))
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                continue  # the line that a killed process was writing
        return found

    def artefact(self, run_id: str, name: str) -> bytes:
        run = self.find(run_id)
        path = self.folder / run.id / _ARTEFACTS / artefact_name(name)
        try:
            return path.read_bytes()
        except OSError:
            raise TrackingError(f"run {run.id} keeps no {name!r}; it keeps {', '.join(run.artefacts) or 'nothing'}") from None

    def _put(self, run: Run) -> None:
        value = {k: v for k, v in run.to_dict().items() if k != "seconds"}
        write_atomically(self.folder / run.id / _RUN, orjson.dumps(value, option=orjson.OPT_INDENT_2))

    def _read(self, place: Path) -> Run:
        try:
            value: dict[str, Any] = orjson.loads((place / _RUN).read_bytes())
            status = value["status"]
            if status not in STATUSES:
                raise InputError(f"status {status!r}")
            run = Run(**{**value, "decisive": tuple(value["decisive"]), "artefacts": tuple(value["artefacts"])})
        except (OSError, ValueError, KeyError, TypeError, InputError) as error:
            raise TrackingError(f"{place / _RUN} is no run: {error}; remove the folder {place}") from None
        return replace(run, status="killed") if run.status == "running" and self._gone(run, place) else run

    def _gone(self, run: Run, place: Path) -> bool:
        """Is nobody left who could end it?"""
        if run.tags.get("host") != os.uname().nodename:
            latest = max(p.stat().st_mtime for p in (place / _RUN, place / _METRICS) if p.exists())
            return self.clock() - latest > _SILENT
        try:
            os.kill(int(run.tags["process"]), 0)
        except ProcessLookupError:
            return True
        except (KeyError, ValueError, PermissionError):
            return False
        return False


def one_of(names: Sequence[str], begun: str, where: str) -> str:
    """The name that is given whole or by its beginning."""
    found = [n for n in names if n == begun] or [n for n in names if begun and n.startswith(begun)]
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} runs begin with" if found else "there is no run"
    raise TrackingError(f"{where}: {what} {begun!r}; `shgat runs list` names them")
