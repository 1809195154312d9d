"""Records out of a table: a list of mappings, or a frame of pandas, polars or Arrow, without importing any of them."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import InputError


def records_of(table: object, what: str) -> Iterable[Any]:
    """One record a row; a frame's empty cells are fields that the record does not have.

    Raises
    ------
    InputError
        for what is neither a frame nor a list: text, one mapping, a number.
    """
    frame: Any = table
    if hasattr(frame, "to_dicts"):  # polars
        return [_filled(row) for row in frame.to_dicts()]
    if hasattr(frame, "to_pylist"):  # Arrow
        return [_filled(row) for row in frame.to_pylist()]
    if hasattr(frame, "to_dict") and hasattr(frame, "columns"):  # pandas
        return [_filled(row) for row in frame.to_dict("records")]
    if isinstance(table, (str, bytes, Mapping)) or not isinstance(table, Iterable):
        raise InputError(f"{what} are a list of records or a table of pandas, polars or Arrow, not {type(table).__name__}")
    return table


def _filled(row: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items() if not _empty(value)}


def _empty(value: object) -> bool:
    """None, and what pandas puts where a cell is empty: NaN, NaT and NA are no numbers that equal themselves."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ in ("NAType", "NaTType")
