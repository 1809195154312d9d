"""Files of traces by the ending of their name: .jsonl or .csv (embeddings in the .npy of its stem, or inline), or .parquet."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np

from .. import _check
from ..errors import InputError, TraceError
from ..graph import Catalog
from .columns import Columns, Texts, Traces, Unknown
from .jsonl import JsonLines
from .record import Trace


def read_traces(path: str | Path, dimension: int | None = None) -> Iterator[tuple[int, Trace | TraceError]]:
    """(line or row number from 1, the trace or what is wrong with it), one after the other.

    Parameters
    ----------
    dimension : that embeddings must have; None: any

    Raises
    ------
    InputError
        for a file that cannot be read, or a matrix that is not aligned with its lines.
    """
    path = Path(path)
    return _format(path).read(path, dimension)  # type: ignore[no-any-return]


def write_traces(path: str | Path, traces: Iterable[Trace], dimension: int | None) -> int:
    """Writes traces and returns their number. Files appear when they are whole: what is interrupted leaves the old ones.

    Parameters
    ----------
    dimension : of the embeddings; None: texts alone, embeddings are left out
    """
    path = Path(path)
    return _format(path).write(path, traces, dimension)  # type: ignore[no-any-return]


def load_traces(path: str | Path, catalog: Catalog, *, unknown: Unknown = "refuse") -> Traces:
    """Reads the traces of a file for a catalogue, in columns; the embeddings of JSON lines stay on the disk, as a memory map of the .npy.

    Parameters
    ----------
    unknown : what to do with a trace that names an unknown tool or capability, or has no embedding: "refuse" raises, "skip" leaves it
        out and lists it in `Traces.skipped`

    Raises
    ------
    TraceError
        naming the file, the line and the id of the first fault.
    """
    path = Path(path)
    _check.choice(unknown, ("skip", "refuse"), "unknown")
    columns = Columns(catalog, unknown)
    if path.suffix in (".parquet", ".csv"):
        return columns.gathered((f"{path.name}, row {number}", trace) for number, trace in read_traces(path, catalog.dimension))
    file = JsonLines(path)
    inline, rows, offsets, n_lines = [], list[int](), list[int](), 0
    for line in file.lines():
        where = f"{path.name}, line {line.number}"
        if isinstance(line.trace, TraceError):
            raise TraceError(f"{where}: {line.trace}")
        if columns.add(line.trace, where, line.has_embedding):
            rows.append(n_lines)
            offsets.append(line.offset)
            if file.beside.matrix is None:
                inline.append(columns.vector(line.trace, where))
        n_lines += 1
    texts = Texts(None, path, np.array(offsets, np.int64))
    matrix = file.beside.matrix
    if matrix is None:
        return columns.traces(columns.stacked(inline), texts)
    file.beside.check_alignment(n_lines, catalog.dimension)
    everything = len(rows) == n_lines
    return columns.traces(matrix if everything else matrix[np.array(rows, np.int64)], texts)


def _format(path: Path) -> ModuleType:
    """The module that reads and writes files of that name."""
    from . import commas, jsonl, parquet

    found = {".jsonl": jsonl, ".csv": commas, ".parquet": parquet}.get(path.suffix)
    if found is None:
        raise InputError(f"{path.name}: the name of a file of traces ends in .jsonl, .csv or .parquet")
    return found
