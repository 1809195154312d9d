"""Intents and their texts, as people hold them: checked, and as the model takes them."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .. import _check
from .._types import Float32
from ..errors import InputError


def one(value: object, dimension: int, what: str = "intent") -> Float32:
    """One intent (d,) float32, finite and not zero.

    Parameters
    ----------
    value : anything that is an array of d numbers; (1, d), a sparse row or a table of one row too

    Raises
    ------
    InputError
        for text, another shape, NaN, infinity, an entry beyond 1e15, and for zero: it has no direction to rank by.
    """
    array = _array(value, what)
    if array.ndim == 2 and len(array) == 1:
        array = array[0]
    x = _check.vector(array, dimension, what)
    if not x[0] * x[0] and not x @ x:  # the first entry mostly tells
        raise InputError(f"{what} is zero: it has no direction to rank by")
    return x


def unit(x: Float32 | None) -> Float32 | None:
    """An intent (d,) of length 1; None where there is none."""
    return None if x is None else np.asarray(x / max(float(np.linalg.norm(x.astype(np.float64))), 1e-12), np.float32)


def many(value: object, dimension: int, what: str = "intents") -> Float32:
    """Several intents (B, d) float32, finite; a single one becomes one row. Sparse matrices and tables of numbers are taken too."""
    return _check.matrix(_array(value, what), dimension, what)


def rows(value: object, what: str = "intents") -> list[Any]:
    """Several intents one by one, unchecked: the rows of a matrix or a table, or the items of a list."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise InputError(f"{what} is a list of intents or an array (B, d), not {type(value).__name__}; `rank` takes a single one")
    tabular = hasattr(value, "toarray") or hasattr(value, "__array__")
    found = list(_array(value, what)) if tabular else list(value)
    if any(isinstance(row, (int, float, np.number)) for row in found):
        raise InputError(f"{what} is a list of intents or an array (B, d), not one intent; `rank` takes a single one")
    return found


def text(value: object, what: str = "text") -> str | None:
    """The text of an intent, or None."""
    if value is None or isinstance(value, str):
        return value
    raise InputError(f"{what} is a string or None, not {type(value).__name__}")


def texts(value: object, n: int, what: str = "texts") -> list[str] | None:
    """The texts of n intents, or None."""
    if value is None:
        return None
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise InputError(f"{what} is a list of strings, one for each intent, not {type(value).__name__}")
    found = list(value)
    if len(found) != n:
        raise InputError(f"{what}: {len(found)} for {n} intents")
    for i, item in enumerate(found):
        if not isinstance(item, str):
            raise InputError(f"{what}[{i}] is a string, not {type(item).__name__}")
    return found


def used(value: object, what: str = "context_tools") -> tuple[Any, ...]:
    """Ids of the tools that a session has used before, unchecked; None is none."""
    if value is None:
        return ()
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise InputError(f"{what} is a list of ids, not {value!r:.60}")
    return tuple(value)


def _array(value: object, what: str) -> "np.ndarray[Any, Any]":
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value
    if isinstance(value, (str, bytes)):
        raise InputError(
            f"{what} is an embedding, not text: give what the catalogue's encoder makes of the text, and the words themselves as text="
        )
    try:
        densify = getattr(value, "toarray", None)  # of SciPy's sparse matrices
        array = np.asarray(densify() if callable(densify) else value)
        if array.dtype == object and array.ndim == 1 and len(array):  # a column of vectors
            array = np.stack([np.asarray(row) for row in array])
        return array
    except Exception as error:  # whatever an object that is no array raises
        raise InputError(f"{what} is not an array of numbers ({type(error).__name__})") from None
