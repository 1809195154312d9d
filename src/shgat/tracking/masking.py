"""Parameters as they are kept: flat, JSON, and without what looks like a secret."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import PurePath
from typing import Any

MASK = "***"
_SECRET = re.compile(
    r"(?<![a-z])(api_?key|key|token|secret|password|passwd|credentials?|authorization|cookie)(?![a-z])", re.IGNORECASE
)
_IN_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_LONGEST = 500  # characters of a value


def kept(values: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values flat, joined by dots: numbers, booleans and None as they are, all else as at most 500 characters.

    A value whose name speaks of a key, token, secret or password is masked; so is who logs in by a URL.
    """
    found: dict[str, Any] = {}
    _add(found, "", values)
    return found


def _add(found: dict[str, Any], name: str, value: Any) -> None:
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _add(found, f"{name}.{key}" if name else str(key), inner)
    elif value is None or value == "":
        found[name] = value
    elif _SECRET.search(name):
        found[name] = MASK
    elif isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        found[name] = value
    else:
        text = value.name if isinstance(value, PurePath) else str(value)
        found[name] = _IN_URL.sub(MASK, text)[:_LONGEST]
