"""Large arrays that several processes hold once: each lies in a file under the hash of its content, which all of them map.

Whoever needs an array makes it and looks for its file. Where there is one of the same bytes, it is mapped and the own copy let go; where there
is none, it is written first. So nobody has to say which array is whose, versions that share embeddings share their file, and a file that was
altered is not taken. A process holds a shared lock on the files it maps; what nobody holds is removed when the next one is written.
"""

import fcntl
import logging
import mmap
import os
import weakref
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .._files import replacing, sha256
from .._types import Float32
from ..errors import InputError
from ..graph import Catalog
from .index import Index
from .state import ModelState

_log = logging.getLogger("shgat")
LEAST = 4 << 20  # bytes: smaller arrays are not worth a file
SUFFIX = ".array"


_Bytes = npt.NDArray[np.uint8]
_PIECE = 1 << 18  # bytes


class _Map(mmap.mmap):
    """Mapped memory that holds the lock on its file."""


class SharedArrays:
    """Arrays in the files of a folder, which is created when it is needed.

    Parameters
    ----------
    folder : of this user alone; on a file system that can be mapped and locked
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._units: weakref.WeakKeyDictionary[Catalog, Float32] = weakref.WeakKeyDictionary()

    def catalog(self, catalog: Catalog) -> Catalog:
        """The catalogue with its embeddings shared."""
        rows = catalog.tool_embeddings
        if rows is None or (shared := self.array(rows)) is rows:
            return catalog
        found = replace(catalog, tool_embeddings=shared)
        vars(found).update(
            {k: v for k, v in vars(catalog).items() if k in ("hierarchy", "tool_column", "capability_column", "fingerprint")}
        )
        return found

    def state(self, state: ModelState) -> ModelState:
        """The state with its memory shared."""
        learned = state.learned
        if learned is None or (vectors := self.array(learned.memory.vectors)) is learned.memory.vectors:
            return state
        return replace(state, learned=replace(learned, memory=replace(learned.memory, vectors=vectors)))

    def index(self, index: Index) -> Index:
        """The index with embeddings and keys of its tools shared; one of few tools as it is."""
        tools = index.tools
        if tools.keys.nbytes < LEAST:
            return index
        folded = None if tools.folded is None else self.array(tools.folded)
        found = replace(index, tools=replace(tools, x=self.array(tools.x), keys=self.array(tools.keys), folded=folded))
        channels = found.channels.channels
        unit = self._units.get(index.catalog)
        vars(channels)["unit"] = self._units[index.catalog] = self.array(channels.unit) if unit is None else unit
        return found

    def array(self, array: Float32) -> Float32:
        """The same numbers in shared memory, not to be written to; the array itself where it is small, shared already, or cannot be shared."""
        if array.nbytes < LEAST or _is_mapped(array):
            return array
        array = np.ascontiguousarray(array)
        content = array.reshape(-1).view(np.uint8)
        path = self.folder / f"{sha256(content.data)}{SUFFIX}"
        try:
            found = _mapped(path, content)
            if found is None:
                self._write(path, content)
                found = _mapped(path, content)
        except (InputError, OSError, ValueError) as error:
            _log.warning("this process keeps a copy of its own: %s", error)
            return array
        return array if found is None else np.frombuffer(found, np.float32).reshape(array.shape)

    def _write(self, path: Path, content: _Bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for other in self.folder.glob(f"*{SUFFIX}"):
            with suppress(OSError):
                _remove_unheld(other)
        with replacing(path) as temporary:
            content.tofile(temporary)


def _mapped(path: Path, content: _Bytes) -> _Map | None:
    """The file, mapped and locked; None where there is none, or it holds something else."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        kept = False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if not _is_at(path, descriptor):  # it was removed before the lock
                continue
            if os.fstat(descriptor).st_size != len(content):
                path.unlink(missing_ok=True)
                return None
            found = _Map(descriptor, 0, access=mmap.ACCESS_READ)
            if not _same(np.frombuffer(found, np.uint8), content):
                path.unlink(missing_ok=True)
                return None
            weakref.finalize(found, os.close, descriptor).atexit = False
            kept = True
            return found
        finally:
            if not kept:
                os.close(descriptor)


def _same(one: _Bytes, other: _Bytes) -> bool:
    """Piece by piece: no array as large as both is made of it."""
    return all(np.array_equal(one[at : at + _PIECE], other[at : at + _PIECE]) for at in range(0, len(one), _PIECE))


def _remove_unheld(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(path, descriptor):
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _is_mapped(array: Float32) -> bool:
    base: object = array
    while isinstance(base, (np.ndarray, memoryview)):
        base = base.base if isinstance(base, np.ndarray) else base.obj
    return isinstance(base, _Map)
