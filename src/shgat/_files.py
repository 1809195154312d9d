"""Reading and writing files: JSON lines, .npy matrices, atomic replacement. Nothing here ever unpickles.

Everything that reads a file of the user's opens it by `open_regular`: a FIFO would wait for ever, a device may never end.
"""

import errno
import hashlib
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from .errors import InputError

LONGEST_LINE = 64 << 20  # bytes
_HASHED = 1 << 17  # bytes at a time
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_regular(path: Path) -> BufferedReader:
    """The file, for reading.

    Raises
    ------
    OSError
        at once for a folder, FIFO, socket or device, and for a file that has content but no size, as those of /proc: nobody knows
        where it ends.
    ValueError
        for a name that no file can have.
    """
    _refuse_special(path, path.stat().st_mode)  # first: to open a device may already do something
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    file = os.fdopen(descriptor, "rb")
    try:
        found = os.fstat(descriptor)
        _refuse_special(path, found.st_mode)
        if not found.st_size and file.peek(1):
            raise OSError(errno.EINVAL, "it has content but no size, expected a file on a disk", str(path))
    except BaseException:
        file.close()
        raise
    return file


def size_of(file: BufferedReader) -> int:
    """Bytes of an open file."""
    return os.fstat(file.fileno()).st_size


def _refuse_special(path: Path, mode: int) -> None:
    for is_kind, name in _KINDS:
        if is_kind(mode):
            raise OSError(errno.EINVAL, f"it is {name}, expected a regular file", str(path))


def read_jsonl(path: Path) -> Iterator[tuple[int, Any]]:
    """(line number, value) of every line that is not blank; a line that is no JSON is an InputError that names it."""
    for number, line in read_lines(path):
        yield number, parse_line(line, path, number)


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(line number, line) of every line that is not blank."""
    try:
        with open_regular(path) as file:
            number = 0
            while line := file.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE:
                    raise InputError(f"{path.name}, line {number}: longer than {LONGEST_LINE >> 20} MiB")
                if line.strip():
                    yield number, line
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot read {path}: {reason(error)}") from None


def parse_line(line: bytes, path: Path, number: int) -> Any:
    """The JSON value of one line, or an InputError that names it."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path.name}, line {number}: not JSON ({error})") from None


def load_matrix(path: Path, *, mmap: bool = False) -> npt.NDArray[Any]:
    """A float array (n, d) from a .npy file; anything else is an InputError."""
    array = load_array(path, mmap=mmap)
    if array.ndim != 2:
        raise InputError(f"{path.name} holds {array.dtype} of shape {array.shape}, expected floats of shape (n, d)")
    return array


def load_array(path: Path, *, mmap: bool = False) -> npt.NDArray[Any]:
    """A float array of any shape from a .npy file; anything else is an InputError, before memory is taken for it."""
    try:
        with open_regular(path) as file:
            return _array(file, path, mmap)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot read {path}: {reason(error)}") from None


def _array(file: BufferedReader, path: Path, mmap: bool) -> npt.NDArray[Any]:
    try:
        if file.peek(2)[:2] == b"PK":
            raise InputError(f"{path.name} holds an archive, expected an array of floats")
        version = np.lib.format.read_magic(file)
        if version not in _HEADERS:
            raise InputError(f"{path.name} is no readable .npy array: version {version}")
        header: tuple[tuple[int, ...], bool, np.dtype[Any]] = _HEADERS[version](file)
        shape, fortran, dtype = header
        n = math.prod(map(int, shape))
        if dtype.kind != "f":
            kind = "is no readable .npy array: it holds pickled objects" if dtype.hasobject else f"holds {dtype} of shape {shape}"
            raise InputError(f"{path.name} {kind}, expected floats")
        start, there = file.tell(), size_of(file) - file.tell()
        if min(shape, default=0) < 0 or n * dtype.itemsize > there:
            raise InputError(f"{path.name} is no readable .npy array: its header says {shape} of {dtype}, and {there} bytes follow")
        order: Any = "F" if fortran else "C"
        if mmap and n:
            return np.memmap(file, dtype, "r", start, shape, order)
        return np.fromfile(file, dtype, n).reshape(shape, order=order)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # NumPy's header parser raises whatever its input makes it raise
        raise InputError(f"{path.name} is no readable .npy array: {' '.join(str(error).split())}") from None


_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def sha256(*parts: bytes | memoryview) -> str:
    """SHA-256 of the parts one after another, as hexadecimal digits.

    Other threads of the same core get their turn every 128 KiB: an event loop should not wait until a whole model is hashed.
    """
    digest = hashlib.sha256()
    for part in parts:
        view = memoryview(part)
        for start in range(0, len(view), _HASHED):
            digest.update(view[start : start + _HASHED])
            if len(view) > _HASHED:
                os.sched_yield()
    return digest.hexdigest()


def reason(error: Exception) -> str:
    """Why a file could not be read or written, without its name."""
    return str(getattr(error, "strerror", None) or error)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file beside `path`, which takes its place, on the disk, if the block returns; else `path` stays as it was.

    A symbolic link stays: the file it points at is replaced. What cannot be written is an InputError that names `path`, inside the
    block too, and so is a path where a folder, FIFO or device stands.
    """
    temporary: Path | None = None
    try:
        target = Path(os.path.realpath(path)) if path.name else path
        with suppress(FileNotFoundError):
            _refuse_special(path, target.stat().st_mode)
        temporary = target.with_name(f".{target.name}.{os.urandom(6).hex()}")
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))  # less the umask, as any new file
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
        _sync_folder(target.parent)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot write {path}: {reason(error)}") from None
    finally:
        if temporary is not None:
            with suppress(OSError, ValueError):
                temporary.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Replaces `path` by `data` or leaves it as it was."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def _sync_folder(folder: Path) -> None:
    """The new name is on the disk, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
