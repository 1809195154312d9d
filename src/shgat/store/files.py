"""What a store holds as files, which training, evaluation and other stores read.

Traces alone: JSON lines with an aligned .npy of their embeddings, or Parquet; the name's ending says which. A folder: the catalogue,
and its traces as `train.jsonl`.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from .._check import moment
from ..errors import InputError, TraceError
from ..graph import Catalog
from ..traces.record import Trace
from .store import Store

# Column of a file -> attribute of `Trace`. The embedding stands apart, `seq` is the store's own.
COLUMNS = {"timestamp" if f.name == "created_at" else f.name: f.name for f in fields(Trace) if f.name not in ("embedding", "seq")}
TRACES = "train.jsonl"  # of a folder
_BATCH = 1000
_REPORTED = 1000  # faults that an ImportReport names one by one

Parsed = tuple[int, "Trace | InputError"]  # line or row number from 1, and what it holds or what is wrong with it


@dataclass(frozen=True)
class ImportReport:
    """What became of the rows of a file.

    Attributes
    ----------
    added : rows that were new
    present : rows that the store already held, exactly so
    refused : rows that were not taken
    faults : (line or row number from 1, what is wrong) of the first thousand refused rows
    """

    added: int
    present: int
    refused: int
    faults: tuple[tuple[int, str], ...]


def trace_of(values: Mapping[str, Any], embedding: object, dimension: int) -> Trace:
    """A trace from the columns of a file, or an InputError; unknown columns are left alone."""
    attributes = {name: values[column] for column, name in COLUMNS.items() if column in values}
    if attributes.get("created_at") is not None:
        attributes["created_at"] = moment(attributes["created_at"], f"trace {values['id']!r}: timestamp")
    trace = Trace(embedding=embedding, **attributes)  # type: ignore[arg-type]  # Trace checks it
    if trace.embedding is not None and trace.embedding.shape != (dimension,):
        raise TraceError(f"trace {trace.id!r}: embedding has {trace.embedding.size} dimensions, the store has {dimension}")
    return trace


def export_folder(store: Store, folder: str | Path) -> tuple[Catalog, int]:
    """Writes the catalogue and every trace to a folder, as `Catalog.load` and `load_traces` read them, and returns how many traces.

    A trace may name tools that have left the catalogue, and may lack an embedding; `load_traces(..., unknown="skip")` leaves those out.
    """
    catalog = Catalog.from_records(*store.catalog())
    if not catalog.tools:
        raise InputError(f"{store.url} holds no catalogue; its traces alone go to a file whose name ends in .jsonl or .parquet")
    catalog.save(folder)
    return catalog, export_traces(store, Path(folder) / TRACES)


def import_folder(store: Store, catalog: Catalog, folder: str | Path) -> ImportReport:
    """Adds the catalogue that was loaded from a folder, and the folder's `train.jsonl` if there is one."""
    store.keep_catalog(catalog)
    path = Path(folder) / TRACES
    return import_traces(store, path) if path.exists() else ImportReport(0, 0, 0, ())


def export_traces(store: Store, path: str | Path) -> int:
    """Writes every trace to `path` (.jsonl, beside it .npy; or .parquet) and returns their number.

    Files appear when they are whole: temporary name, fsync, rename. An interrupted export leaves the old files.
    """
    from ..traces import jsonl, parquet

    path = Path(path)
    write = jsonl.write if _is_jsonl(path) else parquet.write
    try:
        return write(store, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def import_traces(store: Store, path: str | Path) -> ImportReport:
    """Adds the traces of a file. A bad row is refused and named; every other row is taken.

    Rows that are already there are counted and left alone, so an interrupted or repaired import is simply repeated.
    """
    from ..traces import jsonl, parquet

    path = Path(path)
    read = jsonl.read if _is_jsonl(path) else parquet.read
    added = present = refused = 0
    faults: list[tuple[int, str]] = []
    for batch in _batches(read(path, store.dimension)):
        good = [(number, item) for number, item in batch if isinstance(item, Trace)]
        bad = [(number, str(item)) for number, item in batch if not isinstance(item, Trace)]
        taken = store.add_traces([trace for _, trace in good])
        known = [row for row, new in zip(good, taken, strict=True) if not new]
        clashes = _clashes(store, known)
        added += sum(taken)
        present += len(known) - len(clashes)
        refused += len(bad) + len(clashes)
        faults += sorted(bad + clashes)[: _REPORTED - len(faults)]
    return ImportReport(added, present, refused, tuple(faults))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, which takes its place, on the disk, if the block returns."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _is_jsonl(path: Path) -> bool:
    if path.suffix not in (".jsonl", ".parquet"):
        raise InputError(f"{path.name}: the name of a file of traces ends in .jsonl or .parquet")
    return path.suffix == ".jsonl"


def _batches(rows: Iterable[Parsed]) -> Iterator[list[Parsed]]:
    batch: list[Parsed] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _clashes(store: Store, rows: list[tuple[int, Trace]]) -> list[tuple[int, str]]:
    stored = store.traces_of([trace.id for _, trace in rows])
    clashes = []
    for number, trace in rows:
        other = stored.get(trace.id)
        if other is None:
            clashes.append((number, f"trace {trace.id!r}: decision {trace.decision_id!r} already has another trace"))
        elif not _same(trace, other):
            clashes.append((number, f"trace {trace.id!r}: the store holds another trace of that id"))
    return clashes


def _same(trace: Trace, other: Trace) -> bool:
    undecided = ["priority"] + (["created_at"] if trace.created_at is None else [])
    if any(getattr(trace, name) != getattr(other, name) for name in COLUMNS.values() if name not in undecided):
        return False
    if trace.embedding is None or other.embedding is None:
        return trace.embedding is other.embedding
    return bool(np.array_equal(trace.embedding, other.embedding))
