"""Files of intents: .jsonl and .parquet as files of traces, of which they are the beginning, and .csv with texts alone."""

import csv
from collections.abc import Iterator
from pathlib import Path

from .._files import open_regular, reason
from ..errors import InputError, TraceError
from ..traces.files import read_traces
from ..traces.record import Trace

ENDINGS = (".jsonl", ".parquet", ".csv")
_BETWEEN = " "  # tools of the context in one cell


def read_intents(path: Path, dimension: int | None = None) -> Iterator[tuple[int, Trace | TraceError]]:
    """(line or row number from 1, the intent as a trace without tools, or what is wrong with it), one after the other.

    Columns: `id`; `intent`, its text; `embedding`, where there is one; `context_tools`, which in .csv are parted by blanks. Others are left
    alone.

    Parameters
    ----------
    dimension : that embeddings must have; None: any

    Raises
    ------
    InputError
        for a file that cannot be read, or of another ending.
    """
    if path.suffix not in ENDINGS:
        raise InputError(f"{path.name}: the name of a file of intents ends in {', '.join(ENDINGS)}")
    return _csv(path) if path.suffix == ".csv" else read_traces(path, dimension)


def _csv(path: Path) -> Iterator[tuple[int, Trace | TraceError]]:
    try:
        with open_regular(path) as file:
            lines = csv.DictReader((line.decode("utf-8-sig" if i == 0 else "utf-8") for i, line in enumerate(file)), strict=True)
            missing = {"id", "intent"} - set(lines.fieldnames or ())
            if missing:
                raise InputError(f"{path.name} has no column {sorted(missing)[0]!r}: its first line names id, intent")
            for number, row in enumerate(lines, 1):
                yield number, _row(row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise InputError(f"cannot read {path}: {why}") from None


def _row(row: dict[str, str | None]) -> Trace | TraceError:
    try:
        context = [tool for tool in (row.get("context_tools") or "").split(_BETWEEN) if tool]
        return Trace.from_record({"id": row["id"], "intent": row["intent"] or "", "context_tools": context})
    except TraceError as error:
        return error
