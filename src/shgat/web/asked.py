"""Bodies of the paths that have to be fast, checked by hand: a model of a thousand numbers would cost more than to rank."""

import binascii
import difflib
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from .._check import brief
from .._types import Float32
from ..errors import InputError
from ..model import intents

MOST = 1000  # items of an answer
RANK = frozenset({
    "embedding", "embedding_base64", "text", "kind", "top_k", "context_tools", "candidates", "servers", "tags", "exclude", "rules",
    "session", "principal", "order", "min_score", "explain",
})  # fmt: skip
WHY_NOT = frozenset({"embedding", "embedding_base64", "text", "tool", "context_tools", "principal"})
OF_STEP = ("session", "step", "end", "rating")
FEEDBACK = frozenset({"decision_id", "capability_id", "tools", "outcome", "duration_ms", "error", "principal", *OF_STEP})
KINDS = ("tools", "capabilities", "sets")
_NUMBERS = frozenset({int, float})
_LISTS = ("context_tools", "candidates", "servers", "tags", "exclude")


def fields(body: Any, allowed: Collection[str], required: Collection[str] = ()) -> dict[str, Any]:
    """The members of a body that is an object: no others than allowed, none of the required ones missing."""
    if not isinstance(body, dict):
        raise InputError(f"the body is an object, not {brief(body)}")
    strange = next((name for name in body if name not in allowed), None)
    if strange is not None:
        near = difflib.get_close_matches(strange, list(allowed), 1)
        raise InputError(f"unknown member {strange!r:.80}" + (f"; did you mean {near[0]!r}?" if near else ""))
    missing = next((name for name in required if name not in body), None)
    if missing is not None:
        raise InputError(f"the member {missing!r} is missing")
    return body


def vector(given: Mapping[str, Any], dimension: int) -> Float32 | None:
    """The embedding (d,) float32 that a body holds, as numbers or as base64 of little-endian float32; None where there is none.

    Parameters
    ----------
    dimension : of the catalogue
    """
    numbers, packed = given.get("embedding"), given.get("embedding_base64")
    if numbers is None and packed is None:
        return None
    if numbers is not None and packed is not None:
        raise InputError("give embedding or embedding_base64, not both")
    if packed is not None:
        return intents.one(_unpacked(packed), dimension, "embedding_base64")
    if not isinstance(numbers, list):
        raise InputError(f"embedding is a list of {dimension} numbers, not {brief(numbers)}")
    if not _NUMBERS.issuperset(map(type, numbers)):  # NumPy takes booleans, null and digits in quotes for numbers
        raise InputError(f"embedding is a list of {dimension} numbers, and holds something else")
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and refused as that
        array = np.array(numbers, np.float32)
    return intents.one(array, dimension, "embedding")


def _unpacked(packed: Any) -> Float32:
    if not isinstance(packed, str):
        raise InputError(f"embedding_base64 is a string, not {brief(packed)}")
    try:
        data = binascii.a2b_base64(packed)
    except ValueError:
        data = b""
    # What is not of the alphabet is passed over by the decoder, so that bytes are missing; its strict mode takes ten times as long.
    if not data or len(packed) % 4 or len(data) != 3 * (len(packed) // 4) - packed[-2:].count("="):
        raise InputError("embedding_base64 is no base64 (the standard alphabet, with padding)")
    if len(data) % 4:
        raise InputError(f"embedding_base64 holds {len(data)} bytes, which are no float32 numbers")
    return np.frombuffer(data, "<f4")


def options(given: Mapping[str, Any]) -> dict[str, Any]:
    """What `Ranker.rank` takes besides intent, number and kind, and what is null left out."""
    found: dict[str, Any] = {}
    for name in _LISTS:
        if given.get(name) is not None:
            found[name] = strings(given[name], name)
    for name in ("rules", "session", "principal", "order", "min_score", "explain", "text"):
        if given.get(name) is not None:
            found[name] = given[name]
    if isinstance(found.get("rules"), dict):
        found["rules"] = {name: value for name, value in found["rules"].items() if value is not None}
    elif "rules" in found:
        raise InputError(f"rules is an object, not {brief(found['rules'])}")
    for name in ("session", "principal"):
        if isinstance(found.get(name), float):
            found[name] = whole(found[name], name)
    return found


def of_step(given: Mapping[str, Any]) -> dict[str, Any]:
    """What `Ranker.feedback` takes of the step that it is in a session."""
    found = {name: given[name] for name in OF_STEP if given.get(name) is not None}
    return {name: whole(value, name) if name in ("session", "step") else value for name, value in found.items()}


def strings(value: Any, name: str) -> list[str]:
    """A list of strings."""
    if not isinstance(value, list):
        raise InputError(f"{name} is a list of strings, not {brief(value)}")
    wrong = next((item for item in value if not isinstance(item, str)), None)
    if wrong is not None or None in value:
        raise InputError(f"{name} is a list of strings, and holds {brief(wrong)}")
    return value


def top_k(given: Mapping[str, Any], default: int = 10) -> int:
    """How many items, 1 to 1000."""
    value = given.get("top_k")
    value = default if value is None else whole(value, "top_k")
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        raise InputError(f"top_k is a whole number from 1 to {MOST}, not {brief(value)}")
    return value


def whole(value: Any, name: str) -> Any:
    """JSON knows one kind of number: 32.0 is 32."""
    if isinstance(value, float):
        if not value.is_integer():
            raise InputError(f"{name} is a whole number, not {value!r}")
        return int(value)
    return value
