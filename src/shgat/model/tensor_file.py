"""Tensors and a manifest in one safetensors file, with checksums over both: what models and checkpoints are kept in.

safetensors accepts flipped bits, so the manifest, in the file's metadata, holds the SHA-256 of every tensor, and its own stands before it.
"""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import safetensors.numpy

from .._files import open_regular, reason, sha256, size_of
from .._json import refuse_not_finite
from ..errors import ModelFileError

FORMAT = 1
Tensors = dict[str, npt.NDArray[Any]]
_LARGEST_HEADER = 100_000_000  # bytes; safetensors' own limit
_DTYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "|u1"}


def read(path: Path) -> bytearray:
    """The content of a file; ModelFileError where it cannot be read, or its header does not say the size that it has."""
    try:
        with open_regular(path) as file:
            size = size_of(file)
            if size > _memory():
                raise ModelFileError(f"cannot read {path}: it has {size} bytes, more than this machine's memory")
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, _LARGEST_HEADER):
                raise ModelFileError(f"{path} is torn or no shgat file: no header at its start")
            try:
                _layout(orjson.loads(file.read(length)), size - 8 - length)
            except Exception as error:  # whatever a foreign header makes the parser raise
                raise ModelFileError(f"{path} is torn or no shgat file: {_one_line(error)}") from None
            file.seek(0)
            data = bytearray(size)
            if file.readinto(data) != size:
                raise ModelFileError(f"{path} is torn: it became shorter while it was read")
            return data
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ModelFileError(f"cannot read {path}: {reason(error)}") from None


def pack(tensors: Mapping[str, npt.NDArray[Any]], manifest: Mapping[str, Any]) -> bytes:
    """A safetensors file of the tensors and the manifest, with checksums over both. Numbers that are not finite are refused."""
    refuse_not_finite(manifest, "manifest")
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    full = {
        "format": FORMAT,
        "tensors": {n: {"shape": list(a.shape), "dtype": str(a.dtype), "sha256": sha256(_raw(a))} for n, a in arrays.items()},
        **manifest,
    }
    text = orjson.dumps(full)
    return safetensors.numpy.save(arrays, {"shgat": f"{sha256(text)} {text.decode()}"})  # one key: several come in any order


def unpack(data: bytes | bytearray, name: str) -> tuple[Tensors, dict[str, Any]]:
    """(tensors, manifest) of a `pack`; ModelFileError names what does not fit. The tensors are read-only views of the data."""
    view = memoryview(data).toreadonly()
    try:
        length = int.from_bytes(view[:8], "little")
        header = orjson.loads(view[8 : 8 + length])
        checksum, text = header["__metadata__"]["shgat"].encode().split(b" ", 1)
        intact = sha256(text) == checksum.decode()
        manifest: dict[str, Any] = orjson.loads(text)
        described = {key: (tuple(t["shape"]), t["dtype"], t["sha256"]) for key, t in manifest["tensors"].items()}
        content = view[8 + length :]
        layout = _layout(header, len(content))
    except Exception as error:  # whatever a torn header makes the parsers raise
        raise ModelFileError(f"{name} is torn or no shgat file: {_one_line(error)}") from None
    if not intact:
        raise ModelFileError(f"{name} is altered: its manifest does not match its checksum")
    if manifest.get("format") != FORMAT:
        raise ModelFileError(f"{name} has format {manifest.get('format')!r:.100}; this version reads format {FORMAT}")
    if layout.keys() != described.keys():
        raise ModelFileError(f"{name} is altered: its tensors are not those of its manifest")
    tensors: Tensors = {}
    for key, (dtype, shape, start) in layout.items():
        if (shape, str(dtype)) != described[key][:2]:
            raise ModelFileError(f"{name} is altered: tensor {key} is {dtype} {shape}, its manifest says otherwise")
        array = np.frombuffer(content, dtype, math.prod(shape), start).reshape(shape)
        if sha256(_raw(array)) != described[key][2]:
            raise ModelFileError(f"{name} is altered: tensor {key} does not match its checksum")
        tensors[key] = np.require(array, requirements="A")
    return tensors, manifest


def _layout(header: dict[str, Any], size: int) -> dict[str, tuple[np.dtype[Any], tuple[int, ...], int]]:
    """Name -> (dtype, shape, first byte) of each tensor; ValueError unless they follow one another without a gap and fill `size` bytes."""
    found, end = {}, 0
    entries = ((key, entry) for key, entry in header.items() if key != "__metadata__")
    for key, entry in sorted(entries, key=lambda item: tuple(item[1]["data_offsets"])):
        dtype, shape = np.dtype(_DTYPES[entry["dtype"]]), tuple(entry["shape"])
        start, stop = entry["data_offsets"]
        if any(type(n) is not int or n < 0 for n in (*shape, start, stop)) or start != end:
            raise ValueError(f"tensor {key:.100} has no shape, or does not begin where the one before it ends")
        if stop - start != math.prod(shape) * dtype.itemsize:
            raise ValueError(f"tensor {key:.100} has {stop - start} bytes, expected {dtype} {shape}")
        found[key], end = (dtype, shape, start), stop
    if end != size:
        raise ValueError(f"its header describes {end} bytes, {size} follow")
    return found


def _memory() -> int:
    """Bytes of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _raw(array: npt.NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
