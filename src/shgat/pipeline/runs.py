"""Runs of a pipeline in its state folder: what each step was given, did and found, written whole after every change."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from .._files import open_regular, reason, sha256, write_atomically
from .._json import none_for_not_finite
from ..errors import InputError

OPEN, UNCHANGED = "open", "unchanged"
_FILE = "run.json"


@dataclass
class Step:
    """One step of a run.

    Attributes
    ----------
    status : "running", also where it was killed; "done", "refused", or "failed" where something else went wrong and it may be tried again
    given : fingerprint of what it was given
    began_at, ended_at : seconds since the epoch, the end None while there is none
    tries : how often it was begun
    reason : in words
    facts : JSON values
    """

    status: str
    given: str
    began_at: float
    ended_at: float | None = None
    tries: int = 1
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Run:
    """One run.

    Attributes
    ----------
    id : by the moment it was begun, a later one is greater
    settings : that it was begun with, as JSON values
    begun_at, ended_at : seconds since the epoch, the end None while it is open
    status : "open", "promoted", "refused", "rolled back", "unchanged" (nothing new to learn from) or "given up"
    reason : in words
    steps : by name, in the order in which they were begun
    """

    id: str
    settings: dict[str, Any]
    begun_at: float
    ended_at: float | None = None
    status: str = OPEN
    reason: str = ""
    steps: dict[str, Step] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """How moves of aliases in the log name it."""
        return f"pipeline run {self.id}"

    def done(self, name: str) -> bool:
        """Is a step done?"""
        return name in self.steps and self.steps[name].status == "done"

    def facts(self, name: str) -> dict[str, Any]:
        """What a step found; InputError where it is not done."""
        if not self.done(name):
            raise InputError(f"run {self.id}: {name} is not done yet: shgat pipeline {name}")
        return self.steps[name].facts

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        found: dict[str, Any] = none_for_not_finite(asdict(self))
        return found


class Runs:
    """The runs in a folder, each in one of its own, for their owner alone.

    Parameters
    ----------
    folder : created with the first run
    clock : seconds since the epoch
    """

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self.folder, self.clock = folder, clock

    def all(self) -> list[Run]:
        """Oldest first; InputError that names the file for one that is no run."""
        return list(self._all())

    def latest(self) -> Run | None:
        """The one that was begun last."""
        return next(iter(self.all()[::-1]), None)

    def begin(self, settings: Mapping[str, Any]) -> Run:
        """A new run, written."""
        now = self.clock()
        run = Run(f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%S}-{os.urandom(3).hex()}", dict(settings), now)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.place(run).mkdir(mode=0o700)
        except OSError as error:
            raise InputError(f"state: cannot create {self.folder}: {reason(error)}") from None
        self.save(run)
        return run

    def save(self, run: Run) -> None:
        """Writes a run, whole or not at all."""
        write_atomically(self.place(run) / _FILE, orjson.dumps(run.to_dict(), option=orjson.OPT_INDENT_2))

    def place(self, run: Run) -> Path:
        """The folder of a run."""
        return self.folder / run.id

    def prune(self, keep: int) -> int:
        """Removes all but the newest runs, and of those that found nothing new all but the last; an open one stays. How many went."""
        known = self.all()
        idle = [run for run in known if run.status == UNCHANGED][:-1]
        told = [run for run in known if run not in idle]
        old = [*idle, *(run for run in told[:-keep] if run.status != OPEN)]
        for run in old:
            shutil.rmtree(self.place(run), ignore_errors=True)
        return len(old)

    def _all(self) -> Iterator[Run]:
        found = list[tuple[float, str, Run]]()
        with suppress(FileNotFoundError):
            for folder in self.folder.iterdir():
                if folder.is_dir() and (folder / _FILE).exists():  # else it was killed before it was written
                    run = _read(folder / _FILE)
                    found.append((run.begun_at, run.id, run))
        yield from (run for *_, run in sorted(found, key=lambda item: item[:2]))


def fingerprint(value: object) -> str:
    """SHA-256 of JSON values."""
    return sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def _read(path: Path) -> Run:
    try:
        with open_regular(path) as file:
            record = orjson.loads(file.read())
        steps = {name: Step(**step) for name, step in record.pop("steps").items()}
        return Run(**record, steps=steps)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        why = reason(error) if isinstance(error, OSError) else type(error).__name__
        raise InputError(f"{path} is no run of a pipeline ({why}): remove its folder") from None
