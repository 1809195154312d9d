"""JSON has neither NaN nor infinity, and orjson writes them as null without a word: who writes says which of the two rules holds."""

import math
from collections.abc import Collection, Mapping
from typing import Any

from .errors import InputError


def refuse_not_finite(value: object, where: str, unchecked: Collection[str] = ()) -> None:
    """An InputError that says where a number stands that JSON does not have; values of the keys in `unchecked` are passed over."""
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{where} is {value}, and JSON has no such number")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key not in unchecked:
                refuse_not_finite(item, f"{where}.{key}", unchecked)
    elif isinstance(value, (list, tuple)):
        for position, item in enumerate(value):
            refuse_not_finite(item, f"{where}[{position}]", unchecked)


def none_for_not_finite(value: Any) -> Any:
    """The same JSON values with None for every number that JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: none_for_not_finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [none_for_not_finite(item) for item in value]
    return value
