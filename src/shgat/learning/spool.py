"""Where arrays lie on their way to the training child and back."""

import errno
import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .. import _fork
from ..errors import ShgatError, StoreError, WorkerError

_log = logging.getLogger("shgat")
_Result = TypeVar("_Result")
MEMORY = Path("/dev/shm")
_PREFIX = "shgat-ranker-"
_LOCK = ".lock"  # in each folder; whose process has it locked owns the folder, in whatever PID namespace
_LEAST_FREE = 1 << 20  # bytes; a place with less is full
_UNFIT = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EIO}


@dataclass(frozen=True)
class _Folder:
    path: Path
    lock: int  # descriptor


class Spool:
    """Folders for arrays on their way to the child and back: in memory where there is room, else on the disk.

    The places are tried in turn for each piece of work, so that one that is full, or was removed, or cannot be written to, ends nothing.
    What a killed process left behind is removed by the next one.

    Parameters
    ----------
    beside : the last place, None for none
    """

    def __init__(self, beside: Path | None = None) -> None:
        self._beside = beside
        self._folders: dict[Path, _Folder] = {}  # place -> the folder there
        _fork.renew(self)

    def tried(self, work: Callable[[Path], _Result]) -> _Result:
        """What `work` makes of the first folder that has room for it; the folder is the same from one piece of work to the next.

        Raises
        ------
        WorkerError
            where no place is fit; whatever `work` raises for other reasons.
        """
        failure: Exception | None = None
        for place in self._places():
            try:
                folder = self._folder(place)
            except OSError as error:
                failure = error
                continue
            try:
                return work(folder)
            except (OSError, ShgatError) as error:
                if place not in self._folders or not _unfit(folder, error):  # not in there: `remove` was called meanwhile
                    raise
                _log.warning("there is no room in %s, the next place is tried: %s", place, error)
                failure = error
            self._drop(place)
        raise WorkerError(f"there is no place to train in, neither in memory nor on the disk: {failure}") from failure

    def remove(self) -> None:
        """Removes the folders."""
        for place in list(self._folders):
            self._drop(place)

    def after_fork(self) -> None:
        """The folders are the parent's."""
        for folder in self._folders.values():
            with suppress(OSError):
                os.close(folder.lock)
        self._folders = {}

    def _places(self) -> Iterator[Path]:
        """Each once."""
        given = (MEMORY, Path(tempfile.gettempdir()), self._beside)
        yield from dict.fromkeys(place for place in given if place is not None and os.access(place, os.W_OK))

    def _folder(self, place: Path) -> Path:
        known = self._folders.get(place)
        if known is not None and (known.path / _LOCK).exists():
            return known.path
        if known is None:
            _remove_left(place)
        self._drop(place)
        path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._folders[place] = _Folder(path, lock)
        return path

    def _drop(self, place: Path) -> None:
        folder = self._folders.pop(place, None)
        if folder is not None:
            shutil.rmtree(folder.path, ignore_errors=True)
            os.close(folder.lock)


def _unfit(folder: Path, error: Exception) -> bool:
    """Is the place at fault?"""
    if isinstance(error, StoreError):
        return False
    if not folder.exists() or (isinstance(error, OSError) and error.errno in _UNFIT):
        return True
    words = [os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)]
    return any(word in str(error) for word in words) or shutil.disk_usage(folder).free < _LEAST_FREE


def _remove_left(place: Path) -> None:
    """The folders there whose owner is gone; one without a lock is being made, or is somebody else's."""
    for left in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            lock = os.open(left / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(lock)
