"""Arrays in JSON: {"dtype", "shape", "data"}, where data is base64 of little-endian bytes, so that they are exact and a third of digits."""

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check
from .._types import Float32
from ..errors import InputError

_DTYPES = {"float16": "<f2", "float32": "<f4", "float64": "<f8", "int32": "<i4"}


def encode(array: npt.NDArray[Any]) -> dict[str, Any]:
    """An array as JSON values."""
    data = np.ascontiguousarray(array, _DTYPES[array.dtype.name]).tobytes()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": base64.b64encode(data).decode()}


def decode(value: object, what: str) -> npt.NDArray[Any]:
    """The array of an `encode`, to be read only; InputError where it is none. Its shape is compared with its bytes, and nothing is made."""
    if not isinstance(value, Mapping) or value.keys() != {"dtype", "shape", "data"}:
        raise InputError(f"{what} is a record of dtype, shape and data, not {_check.brief(value)}")
    dtype, shape, text = value["dtype"], value["shape"], value["data"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise InputError(f"{what}: dtype is one of {', '.join(_DTYPES)}, not {_check.brief(dtype)}")
    if not isinstance(shape, list) or any(type(n) is not int or n < 0 for n in shape):
        raise InputError(f"{what}: shape is a list of whole numbers, not {_check.brief(shape)}")
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except ValueError:
        data = None
    if data is None:
        raise InputError(f"{what}: data is base64, not {_check.brief(text)}")
    if len(data) != math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize:
        raise InputError(f"{what}: {dtype} of shape {_check.brief(shape)} and {len(data)} bytes do not fit")
    return np.frombuffer(data, _DTYPES[dtype]).reshape(shape)


def floats(value: object, shape: tuple[int, ...], what: str) -> Float32:
    """Finite float32 of a shape, from an `encode` or from nested lists of numbers."""
    array = decode(value, what) if isinstance(value, Mapping) else value
    found = _check.as_float32(array, what)
    if found.shape != shape:
        raise InputError(f"{what} has shape {found.shape}, expected {shape}")
    if not np.isfinite(found).all():
        raise InputError(f"{what} holds NaN or infinity")
    return found


def array(value: object, dtype: str, shape: tuple[int, ...] | None, what: str) -> npt.NDArray[Any]:
    """The array of an `encode` that has to be of a dtype and, where it is given, of a shape."""
    found = decode(value, what)
    if found.dtype.name != dtype or (shape is not None and found.shape != shape):
        raise InputError(f"{what} is {found.dtype} {found.shape}, expected {dtype} {'' if shape is None else shape}")
    return found
