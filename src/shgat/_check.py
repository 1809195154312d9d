"""Checks of user input, one place for each question. They return what they checked, as the array the kernels take."""

import reprlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

import numpy as np

from ._kernels import readout
from ._types import Float32
from .errors import InputError

_LATEST = 1e11  # seconds since 1970
LARGEST = 1e15  # of a vector's entries: beyond it, sums of squares overflow float32


_SHOWN = 100  # characters of a value in a message
_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = 80
_brief.maxlevel = 2


def brief(value: object) -> str:
    """What a message shows of a value: its repr, in one line and at most 100 characters, however large the value is."""
    try:
        shown = " ".join(_brief.repr(value).split())
    except Exception:  # of a value that cannot show itself
        shown = object.__repr__(value)
    if not shown.isprintable():
        shown = shown.encode("ascii", "backslashreplace").decode()
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN // 2 - 2]}...{shown[-_SHOWN // 2 + 2 :]}"


def vector(value: object, dimension: int | None, what: str) -> Float32:
    """A finite float32 vector of `dimension` (None: of any), or an InputError that names `what`."""
    array = as_float32(value, what)
    if array.shape != (array.size if dimension is None else dimension,):
        raise InputError(f"{what} has shape {array.shape}, expected ({'d' if dimension is None else dimension},)")
    if not readout.all_at_most(array, LARGEST):
        i = int(np.argmin(np.abs(array) <= LARGEST))
        _refuse(float(array[i]), what, f"at position {i}")
    return array


def matrix(value: object, dimension: int, what: str) -> Float32:
    """A finite float32 matrix (B, dimension); a single vector becomes one row."""
    array = as_float32(value, what)
    if array.ndim == 1:
        array = array[None, :]
    if array.ndim != 2 or array.shape[1] != dimension:
        raise InputError(f"{what} has shape {array.shape}, expected (B, {dimension})")
    if not readout.all_at_most(array.reshape(-1), LARGEST):
        row = int(np.argmin((np.abs(array) <= LARGEST).all(axis=1)))
        _refuse(float(array[row][np.argmin(np.abs(array[row]) <= LARGEST)]), what, f"in row {row}")
    return array


def _refuse(entry: float, what: str, place: str) -> NoReturn:
    if not np.isfinite(entry):
        raise InputError(f"{what} holds NaN or infinity {place}")
    raise InputError(f"{what} has an entry of size {abs(entry):.3g} {place}, at most {LARGEST:g} can be used")


def as_float32(value: object, what: str) -> Float32:
    """A C-ordered float32 array of numbers; null, text and ragged lists are refused."""
    if isinstance(value, np.ndarray) and value.dtype == np.float32 and value.flags.c_contiguous:
        return value
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError
        with np.errstate(over="ignore"):  # an overflow becomes infinity, which the finite check names
            return np.ascontiguousarray(array, dtype=np.float32)
    except (TypeError, ValueError):
        raise InputError(f"{what} is not an array of numbers") from None


def number(value: object, low: float, high: float, what: str) -> float:
    """A finite number in [low, high]; null and booleans are refused."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError(f"{what} is a number, not {brief(value)}")
    if not low <= value <= high:  # false for NaN
        raise InputError(f"{what} lies in [{low:g}, {high:g}], not {brief(value)}")
    return float(value)


def moment(value: object, what: str) -> float:
    """Seconds since 1970, from a number, a datetime, or ISO 8601; without a time zone it is UTC.

    A number of more than 1e11 counts milliseconds, one of more than 1e14 microseconds, one of more than 1e17 nanoseconds: as seconds
    they would lie after the year 5138. What lies there all the same is refused.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise InputError(f"{what} {brief(value)} is not ISO 8601") from None
    if isinstance(value, datetime):
        seconds = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    else:
        seconds = number(value, -_LATEST * 1e9, _LATEST * 1e9, what)
        while abs(seconds) > _LATEST:
            seconds /= 1000.0
    return number(seconds, -_LATEST, _LATEST, what)


def positive_integer(value: object, what: str) -> int:
    """A whole number >= 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise InputError(f"{what} is a whole number of at least 1, not {brief(value)}")
    return int(value)


def seed(value: object, what: str = "seed") -> int:
    """A whole number >= 0."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise InputError(f"{what} is a whole number of at least 0, not {brief(value)}")
    return int(value)


def flag(value: object, what: str) -> bool:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise InputError(f"{what} is True or False, not {brief(value)}")
    return bool(value)


def choice(value: object, allowed: Sequence[str], what: str) -> Any:
    """One of the allowed words."""
    if not isinstance(value, str) or value not in allowed:
        raise InputError(f"{what} is one of {', '.join(allowed)}, not {brief(value)}")
    return value


def text(value: object, what: str) -> str:
    """A non-empty string."""
    if not isinstance(value, str) or not value:
        raise InputError(f"{what} is a non-empty string, not {brief(value)}")
    return writable(value, what)


def storable_text(value: object, what: str) -> str:
    """A non-empty string that every database can hold: PostgreSQL refuses U+0000."""
    string = text(value, what)
    if "\0" in string:
        raise InputError(f"{what} holds U+0000 at position {string.index(chr(0))}")
    return string


def storable_texts(value: object, what: str) -> tuple[str, ...]:
    """A list of them."""
    return tuple(storable_text(item, what) for item in texts(value, what))


def writable(value: str, what: str) -> str:
    """A string that UTF-8 can write: half of a surrogate pair could be neither saved nor printed."""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InputError(f"{what} holds a lone surrogate: {brief(value)}") from None
    return value


def texts(value: object, what: str) -> list[str]:
    """A list of non-empty strings."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise InputError(f"{what} is a list of strings, not {brief(value)}")
    return [text(item, f"{what}[{i}]") for i, item in enumerate(value)]
