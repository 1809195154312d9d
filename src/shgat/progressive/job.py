"""One job: a repository is cloned where it has to be, read into a part, and the clone goes. It touches nothing else."""

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import QuotaError, RepositoryError, ShgatError
from .chain import Owner
from .clone import clone
from .disk import Disk
from .extraction import Extracted, extract
from .history import History
from .segment import Measured


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done.

    Attributes
    ----------
    place, key, name : of the source
    part : path of the segment that it makes
    clone : path of its clone, "" where it is read in place
    most, clone_most : bytes that the two may take
    timeout, tries, backoff : of cloning, see `Settings`
    """

    place: str
    key: str
    name: str
    part: str
    clone: str
    most: int
    clone_most: int
    timeout: float
    tries: int
    backoff: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes
    ----------
    status : read, empty, too_big, failed, or disk where the disk failed
    reason : why it is not read
    attempts, seconds : of it
    extracted : where it is read
    """

    status: str
    reason: str = ""
    attempts: int = 1
    seconds: float = 0.0
    extracted: Extracted | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> "Outcome":
        """Of `to_dict`."""
        e = found["extracted"]
        if e is not None:
            e = Extracted(Owner(**e["owner"]), Measured(**e["measured"]), e["n_commits"], e["summary"])
        return cls(found["status"], found["reason"], found["attempts"], found["seconds"], e)


def perform(task: Task, disk: Disk, wait: Callable[[float], None] = time.sleep) -> Outcome:
    """Does a task. Whatever a repository does to it is an outcome, and no exception."""
    began = time.monotonic()
    attempts, reason, status = 0, "", "failed"
    found: Extracted | None = None
    while attempts < (task.tries if task.clone else 1):
        if attempts:
            wait(task.backoff * 2 ** (attempts - 1))
        attempts += 1
        try:
            found = _read(task, disk)
            status, reason = ("read", "") if found else ("empty", "it has no commit yet")
            break
        except QuotaError as error:
            status, reason = "too_big", str(error)
            break
        except RepositoryError as error:
            reason = str(error)
        except OSError as error:
            status, reason = "disk", f"{error.filename or 'input or output'}: {error.strerror or error}"
            break
        except (ShgatError, ValueError, MemoryError, RecursionError, KeyError, IndexError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"  # what a repository may do to a reader must not end the others
            break
        finally:
            if task.clone:
                shutil.rmtree(task.clone, ignore_errors=True)
    return Outcome(status, reason, attempts, time.monotonic() - began, found)


def _read(task: Task, disk: Disk) -> Extracted | None:
    path = Path(task.clone or task.place)
    if task.clone:
        clone(task.place, path, task.clone_most, task.timeout)
    return extract(History.of(path), Path(task.part), task.key, task.name, disk, task.most)
