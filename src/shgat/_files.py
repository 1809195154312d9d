"""Reading and writing files: JSON lines, .npy matrices, atomic replacement. Nothing here ever unpickles."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from .errors import InputError

_HASHED = 1 << 17  # bytes at a time


def read_jsonl(path: Path) -> Iterator[tuple[int, Any]]:
    """(line number, value) of every line that is not blank; a line that is no JSON is an InputError that names it."""
    for number, line in read_lines(path):
        yield number, parse_line(line, path, number)


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(line number, line) of every line that is not blank."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"cannot read {path}: {_reason(error)}") from None


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
    """A float array of any shape from a .npy file; anything else is an InputError."""
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r" if mmap else None)
    except OSError as error:
        raise InputError(f"cannot read {path}: {_reason(error)}") from None
    except Exception as error:  # NumPy's header parser raises whatever its input makes it raise
        raise InputError(f"{path.name} is no readable .npy array: {' '.join(str(error).split())}") from None
    if not isinstance(array, np.ndarray):
        array.close()
        raise InputError(f"{path.name} holds an archive, expected an array of floats")
    if array.dtype.kind != "f":
        raise InputError(f"{path.name} holds {array.dtype} of shape {array.shape}, expected floats")
    return array


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


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file beside `path`, which takes its place, on the disk, if the block returns; else `path` stays as it was.

    What cannot be written is an InputError that names `path`, inside the block too.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))  # less the umask, as any new file
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot write {path}: {_reason(error)}") from None
    finally:
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
