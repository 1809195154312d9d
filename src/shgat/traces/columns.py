"""Traces in columns: what training and evaluation compute on."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import orjson

from .._files import open_regular
from .._types import Bool, Float32, Float64, Int32, Int64
from ..errors import InputError, TraceError
from ..graph import Catalog, Incidence
from ..graph.space import comparable
from ..graph.tables import records_of
from .record import SUCCESS, Trace

Unknown = Literal["skip", "refuse"]
_CHUNK = 4096  # rows hashed at a time


class Texts(Sequence[str]):
    """Intent texts: in memory, or read from their lines when asked for."""

    def __init__(self, items: Sequence[str] | None, path: Path | None = None, offsets: Int64 | None = None) -> None:
        self._items, self._path = items, path
        self._offsets = np.zeros(0, np.int64) if offsets is None else offsets

    def __len__(self) -> int:
        return len(self._offsets) if self._items is None else len(self._items)

    def __getitem__(self, i: Any) -> Any:
        if self._items is not None:
            return self._items[i]
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        assert self._path is not None
        with open_regular(self._path) as file:
            file.seek(int(self._offsets[i]))
            return str(orjson.loads(file.readline()).get("intent") or "")

    def __reduce__(self) -> tuple[type["Texts"], tuple[list[str]]]:
        """To another process they go as they are: it may stand on a machine that does not have the file."""
        return Texts, ([str(text) for text in self],)

    def take(self, rows: npt.NDArray[np.integer]) -> "Texts":
        """The given texts, in the given order."""
        if self._items is None:
            return Texts(None, self._path, self._offsets[rows])
        items = self._items
        return Texts([items[i] for i in rows.tolist()])


@dataclass(frozen=True, eq=False)
class Traces:
    """Traces of one catalogue. Every array has one entry a trace.

    Attributes
    ----------
    ids : (N,) str
    intents : (N, d) float32 or float16, possibly a memory map
    texts : N intent texts, "" where there is none
    tools : (N rows) -> tool columns that were run
    capability : (N,) int32 column of the capability that was named, -1 where none was
    outcome : (N,) float32 in [0, 1]
    weight : (N,) float32, importance
    timestamp : (N,) float64 seconds since 1970, NaN where unknown
    context : (N rows) -> columns of the tools that the session had used before
    skipped : (id, reason) of traces that could not be used
    td : (N,) float64 errors that somebody knows of them, NaN where nobody does: with which prioritised replay begins. None: of none
    """

    ids: npt.NDArray[Any]
    intents: npt.NDArray[Any]
    texts: Texts
    tools: Incidence
    capability: Int32
    outcome: Float32
    weight: Float32
    timestamp: Float64
    context: Incidence
    skipped: list[tuple[str, str]] = field(default_factory=list)
    td: Float64 | None = None

    @classmethod
    def from_records(
        cls, records: Iterable[Trace | Mapping[str, Any]], catalog: Catalog, *, unknown: Unknown = "refuse"
    ) -> "Traces":
        """From traces, or mappings with the fields of `Trace`; errors and `unknown` as in `load_traces`."""
        return Columns(catalog, unknown).gathered((f"trace {i}", _trace(record)) for i, record in enumerate(records))

    @classmethod
    def of(cls, given: object, catalog: Catalog) -> "Traces":
        """Traces of a catalogue, from whatever holds them: `Traces`, records in a list, or a table of pandas, polars or Arrow.

        Raises
        ------
        InputError
            for the name of a file, for what holds no records, and for `Traces` of another catalogue.
        TraceError
            for a trace that cannot be used.
        """
        if isinstance(given, (str, Path)):
            raise InputError(f"traces are records, not the name of a file: give load_traces({str(given)!r:.100}, catalog)")
        if not isinstance(given, Traces):
            return cls.from_records(records_of(given, "traces"), catalog)
        d, most = given.intents.shape[1], max(int(rows.indices.max(initial=-1)) for rows in (given.tools, given.context))
        if d != catalog.dimension:
            raise InputError(f"the traces have intents of {d} dimensions, the catalogue's embeddings have {catalog.dimension}")
        if most >= len(catalog.tools) or given.capability.max(initial=-1) >= len(catalog.capabilities):
            raise InputError("the traces are columns of another catalogue: load them with the one of this model")
        return given

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def succeeded(self) -> Bool:
        """(N,) did it work rather than fail?"""
        return np.greater_equal(self.outcome, SUCCESS)

    @property
    def relevant(self) -> Incidence:
        """(N rows) -> the tools of each trace that succeeded; nothing is relevant to one that failed."""
        return self.tools.keeping(self.succeeded[self.tools.row_of_entry])

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything."""
        texts = hashlib.sha256(b"\0".join(str(text).encode() for text in self.texts)).hexdigest()
        rows = (self.tools.indptr, self.tools.indices, self.context.indptr, self.context.indices)
        known = () if self.td is None else (self.td,)
        columns = (self.capability, self.outcome, self.weight, self.timestamp, self.intents, *known)
        return digest(np.array([texts]), self.ids, *rows, *columns)

    def take(self, rows: npt.NDArray[np.integer] | Sequence[int]) -> "Traces":
        """The given traces, in the given order; embeddings are gathered into memory."""
        rows = np.asarray(rows, np.int64)
        return Traces(
            self.ids[rows], self.intents[rows], self.texts.take(rows), self.tools.take(rows), self.capability[rows], self.outcome[rows],
            self.weight[rows], self.timestamp[rows], self.context.take(rows), td=None if self.td is None else self.td[rows],
        )  # fmt: skip

    def vectors(self, rows: npt.NDArray[np.integer]) -> Float32:
        """(len(rows), d) float32 intents."""
        return np.ascontiguousarray(self.intents[rows], np.float32)


class Columns:
    """Gathers traces into columns, one by one."""

    def __init__(self, catalog: Catalog, unknown: Unknown) -> None:
        self._catalog, self._skip = catalog, unknown == "skip"
        self._seen: set[str] = set()
        self._ids: list[str] = []
        self._tools: list[list[int]] = []
        self._context: list[list[int]] = []
        self._numbers: list[tuple[int, float, float, float]] = []  # capability, outcome, weight, timestamp
        self._skipped: list[tuple[str, str]] = []

    def add(self, trace: Trace, where: str, embedded: bool) -> bool:
        """Takes a trace; False where it is skipped, TraceError where it cannot be used. `embedded`: has it an embedding somewhere?"""
        if trace.id in self._seen:
            raise TraceError(f"{where}: trace id {trace.id!r} occurs twice")
        self._seen.add(trace.id)
        tools, capabilities = self._catalog.tool_column, self._catalog.capability_column
        faults = [f"names the unknown tool {t!r}" for t in (*trace.tools, *trace.context_tools) if t not in tools]
        if trace.capability is not None and trace.capability not in capabilities:
            faults.append(f"names the unknown capability {trace.capability!r}")
        if not embedded:
            faults.append("has no embedding")
        elif not comparable(trace.encoder, self._catalog.encoder):
            raise TraceError(
                f"{where}: the embedding of trace {trace.id!r} was made by {trace.encoder!r:.100}, those of the catalogue by "
                f"{self._catalog.encoder!r:.100}: make both by one, as `shgat embed` does"
            )
        if faults:
            if not self._skip:
                raise TraceError(f"{where}: trace {trace.id!r} {faults[0]}; pass unknown='skip' to leave such traces out")
            self._skipped.append((trace.id, faults[0]))
            return False
        named = -1 if trace.capability is None else capabilities[trace.capability]
        self._numbers.append((named, trace.outcome, trace.weight, np.nan if trace.timestamp is None else trace.timestamp))
        self._ids.append(trace.id)
        self._tools.append([tools[t] for t in trace.tools])
        self._context.append([tools[t] for t in trace.context_tools])
        return True

    def gathered(self, rows: Iterable[tuple[str, Trace | TraceError]]) -> Traces:
        """All of (where it stands, trace with its own embedding), in memory; the first that cannot be used is a TraceError."""
        embeddings, texts = list[Float32](), list[str]()
        for where, trace in rows:
            if isinstance(trace, TraceError):
                raise TraceError(f"{where}: {trace}")
            if self.add(trace, where, trace.embedding is not None):
                embeddings.append(self.vector(trace, where))
                texts.append(trace.intent)
        return self.traces(self.stacked(embeddings), Texts(texts))

    def vector(self, trace: Trace, where: str) -> Float32:
        """The trace's own embedding (d,), of the catalogue's dimension."""
        d = self._catalog.dimension
        if trace.embedding is None or trace.embedding.shape != (d,):
            found = None if trace.embedding is None else trace.embedding.shape
            raise TraceError(f"{where}: the embedding of trace {trace.id!r} has shape {found}, expected ({d},)")
        return trace.embedding

    def stacked(self, embeddings: Sequence[Float32]) -> Float32:
        """(n, d) of n embeddings, of none too."""
        return np.stack(embeddings) if embeddings else np.zeros((0, self._catalog.dimension), np.float32)

    def traces(self, intents: npt.NDArray[Any], texts: Texts) -> Traces:
        """Everything that was taken, with its intents (N, d) and texts."""
        numbers = np.array(self._numbers, np.float64).reshape(-1, 4)
        return Traces(
            np.array(self._ids, dtype=np.str_), intents, texts, Incidence.from_rows(self._tools), numbers[:, 0].astype(np.int32),
            numbers[:, 1].astype(np.float32), numbers[:, 2].astype(np.float32), numbers[:, 3].copy(),
            Incidence.from_rows(self._context), self._skipped,
        )  # fmt: skip


def _trace(record: Trace | Mapping[str, Any]) -> Trace | TraceError:
    try:
        return Trace.from_record(record)
    except TraceError as error:
        return error


def digest(*arrays: npt.NDArray[Any] | None) -> str:
    """SHA-256 over arrays, a chunk at a time; None counts too."""
    found = hashlib.sha256()
    for array in arrays:
        if array is None:
            found.update(b"-")
            continue
        found.update(f"{array.dtype}{array.shape}".encode())
        for start in range(0, len(array), _CHUNK):
            found.update(np.ascontiguousarray(array[start : start + _CHUNK]).tobytes())
    return found.hexdigest()
