"""Reading and writing files: JSON lines, .npy matrices, atomic replacement. Nothing here ever unpickles."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from .errors import InputError


def read_jsonl(path: Path) -> Iterator[tuple[int, Any]]:
    """(line number, value) of every line that is not blank; a line that is no JSON is an InputError that names it."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    try:
                        yield number, orjson.loads(line)
                    except orjson.JSONDecodeError as error:
                        raise InputError(f"{path.name}, line {number}: not JSON ({error})") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None


def load_matrix(path: Path, *, mmap: bool = False) -> npt.NDArray[Any]:
    """A float array (n, d) from a .npy file; anything else is an InputError."""
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r" if mmap else None)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except Exception as error:  # NumPy's header parser raises whatever its input makes it raise
        raise InputError(f"{path.name} is no readable .npy array: {error}") from None
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind != "f":
        got = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else "an archive"
        raise InputError(f"{path.name} holds {got}, expected floats of shape (n, d)")
    return array


def write_atomically(path: Path, data: bytes) -> None:
    """Replaces `path` by `data` or leaves it as it was: temporary name, fsync, rename, fsync of the folder."""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(f"cannot write {path}: {error.strerror or error}") from None
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
