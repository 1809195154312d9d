"""Nested JSON values as tables, whatever is in them: records of one kind as rows, everything else as names with values."""

from collections.abc import Mapping
from typing import Any

from .grid import Grid


def grids(values: Mapping[str, Any]) -> list[Grid]:
    """One table of what stands alone, names of nested values joined by dots, then one for each group of records of one kind."""
    plain, groups = Grid(), list[Grid]()
    plain.add_column("")
    plain.add_column("", prose=True)
    _collect("", values, plain, groups)
    return [g for g in (plain, *groups) if g.rows]


def _collect(name: str, value: Any, plain: Grid, groups: list[Grid]) -> None:
    records = _records(value)
    if records:
        groups.append(_table(name, records))
    elif isinstance(value, Mapping) and value:
        for key, item in value.items():
            _collect(f"{name}.{key}" if name else str(key), item, plain, groups)
    else:
        plain.add_row(name, _said(value))


def _records(value: Any) -> list[dict[str, Any]]:
    """The records of a list, or of a mapping from ids to records; empty for anything else."""
    if isinstance(value, Mapping):
        rows = [{"id": key, **item} for key, item in value.items() if isinstance(item, Mapping)]
        alike = len({frozenset(row) for row in rows}) == 1
        return rows if alike and len(rows) == len(value) > 1 else []
    if isinstance(value, list | tuple) and value and all(isinstance(item, Mapping) for item in value):
        return [dict(item) for item in value]
    return []


def _table(name: str, records: list[dict[str, Any]]) -> Grid:
    grid = Grid(name)
    columns = dict.fromkeys(key for record in records for key in record)
    figures = {key for key in columns if all(isinstance(r.get(key), int | float | None) for r in records)}
    for key in columns:
        grid.add_column(key, "right" if key in figures else "left")
    for record in records:
        grid.add_row(*(_said(record.get(key)) for key in columns))
    return grid


def _said(value: Any) -> str:
    if value is None or value in ({}, [], ()):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return "\n".join(_said(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(item)}" for key, item in value.items())
    return str(value)
