"""What a store holds as files, which training, evaluation and other stores read.

Traces alone: a .jsonl, .csv or .parquet, see `shgat.traces`. A folder: the catalogue, and its traces as `train.jsonl`.
"""

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from ..errors import InputError, TraceError
from ..graph import Catalog
from ..graph.space import comparable
from ..traces import Trace, read_traces, write_traces
from ..traces.record import COLUMNS, OF_A_STEP
from .store import Store

TRACES = "train.jsonl"  # of a folder
_BATCH = 1000
_REPORTED = 1000  # faults that an ImportReport names one by one


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


def export_folder(store: Store, folder: str | Path) -> tuple[Catalog, int]:
    """Writes the catalogue and every trace to a folder, as `Catalog.load` and `load_traces` read them, and returns how many traces.

    A trace may name tools that have left the catalogue, and may lack an embedding; `load_traces(..., unknown="skip")` leaves those out.
    """
    catalog = Catalog.from_records(*store.catalog(), encoder=store.encoder())
    if not catalog.tools:
        raise InputError(
            f"{store.url} holds no catalogue; its traces alone go to a file whose name ends in .jsonl, .csv or .parquet"
        )
    catalog.save(folder)
    return catalog, export_traces(store, Path(folder) / TRACES)


def import_folder(store: Store, catalog: Catalog, folder: str | Path) -> ImportReport:
    """Adds the catalogue that was loaded from a folder, and the folder's `train.jsonl` if there is one."""
    store.keep_catalog(catalog)
    path = Path(folder) / TRACES
    return import_traces(store, path) if path.exists() else ImportReport(0, 0, 0, ())


def export_traces(store: Store, path: str | Path) -> int:
    """Writes every trace to a file and returns their number; see `write_traces`."""
    made = store.encoder()
    traces = (trace if trace.embedding is None else replace(trace, encoder=made) for trace in store.traces())
    return write_traces(path, traces, store.dimension)


def import_traces(store: Store, path: str | Path) -> ImportReport:
    """Adds the traces of a file. A bad row is refused and named; every other row is taken.

    Rows that are already there are counted and left alone, so an interrupted or repaired import is simply repeated.
    """
    added = present = refused = 0
    faults: list[tuple[int, str]] = []
    rows, made = read_traces(path, store.dimension), store.encoder()
    while batch := list(islice(rows, _BATCH)):
        checked = [(number, _comparable(item, made)) for number, item in batch]
        good = [(number, item) for number, item in checked if isinstance(item, Trace)]
        bad = [(number, str(item)) for number, item in checked if not isinstance(item, Trace)]
        taken = store.add_traces([trace for _, trace in good])
        known = [row for row, new in zip(good, taken, strict=True) if not new]
        clashes = _clashes(store, known)
        added += sum(taken)
        present += len(known) - len(clashes)
        refused += len(bad) + len(clashes)
        faults += sorted(bad + clashes)[: _REPORTED - len(faults)]
    return ImportReport(added, present, refused, tuple(faults))


def _comparable(trace: Trace | TraceError, made: str) -> Trace | TraceError:
    """The trace, or the error that another encoder made its embedding than those of the store."""
    if isinstance(trace, TraceError) or trace.embedding is None or comparable(trace.encoder, made):
        return trace
    return TraceError(f"trace {trace.id!r}: its embedding was made by {trace.encoder!r:.100}, those of the store by {made!r:.100}")


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
    undecided = ["priority", *(name for name in ("timestamp", "step") if getattr(trace, name) is None)]
    if any(getattr(trace, name) != getattr(other, name) for name in (*COLUMNS, *OF_A_STEP) if name not in undecided):
        return False
    if trace.embedding is None or other.embedding is None:
        return trace.embedding is other.embedding
    return bool(np.array_equal(trace.embedding, other.embedding))
