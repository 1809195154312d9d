"""Traces: what was asked, what was run, and whether it worked; and the targets that training makes of them.

A file of traces is JSON lines, each with `id`, `intent` (text), `tools`, and optionally `capability`, `outcome` (1 succeeded, 0 failed,
default 1), `timestamp` (ISO 8601 or seconds), `context_tools`, `weight`, `embedding`. Intent embeddings stand in a `.npy` beside it,
row by row, or inline.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import orjson

from .. import _check
from .._files import load_matrix
from ..errors import InputError, TraceError
from ..graph import Catalog, Incidence
from ..model.memory import Memory

Floats = npt.NDArray[np.float32]
_T = TypeVar("_T")
MEMORY = 20_000  # traces remembered, the latest
_CHUNK = 4096  # embeddings looked through at a time


class Texts(Sequence[str]):
    """Intent texts: in memory, or read from their lines when asked for."""

    def __init__(self, items: Sequence[str] | None, path: Path | None = None, offsets: npt.NDArray[np.int64] | None = None) -> None:
        self._items, self._path = items, path
        self._offsets = np.zeros(0, np.int64) if offsets is None else offsets

    def __len__(self) -> int:
        return len(self._offsets) if self._items is None else len(self._items)

    def __getitem__(self, i: Any) -> Any:
        if self._items is not None:
            return self._items[i]
        assert self._path is not None
        with self._path.open("rb") as file:
            file.seek(int(self._offsets[i]))
            return str(orjson.loads(file.readline()).get("intent") or "")

    def take(self, rows: npt.NDArray[np.integer]) -> "Texts":
        if self._items is None:
            return Texts(None, self._path, self._offsets[rows])
        items = self._items
        return Texts([items[i] for i in rows.tolist()])


@dataclass(frozen=True, eq=False)
class Traces:
    """Traces in columns. Every array has one entry a trace.

    Attributes
    ----------
    ids : (N,) str
    intents : (N, d) float32 or float16, possibly a memory map
    texts : intent texts, "" where there is none
    tools : (N rows) -> tool columns that were run
    capability : (N,) int32 column of the capability that was named, -1 where none was
    outcome : (N,) float32 in [0, 1]
    weight : (N,) float32, importance
    timestamp : (N,) float64 seconds since 1970, NaN where unknown
    context : (N rows) -> tool columns used earlier in the session
    skipped : (id, reason) of traces that could not be used
    """

    ids: npt.NDArray[Any]
    intents: npt.NDArray[Any]
    texts: Texts
    tools: Incidence
    capability: npt.NDArray[np.int32]
    outcome: Floats
    weight: Floats
    timestamp: npt.NDArray[np.float64]
    context: Incidence
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything."""
        texts = hashlib.sha256(b"\0".join(str(text).encode() for text in self.texts)).hexdigest()
        rows = (self.tools.indptr, self.tools.indices, self.context.indptr, self.context.indices)
        return digest(np.array([texts]), self.ids, *rows, self.capability, self.outcome, self.weight, self.timestamp, self.intents)

    def take(self, rows: npt.NDArray[np.integer] | Sequence[int]) -> "Traces":
        """The given traces, in the given order; embeddings are gathered into memory."""
        rows = np.asarray(rows, np.int64)
        return Traces(
            self.ids[rows], self.intents[rows], self.texts.take(rows), self.tools.take(rows), self.capability[rows], self.outcome[rows],
            self.weight[rows], self.timestamp[rows], self.context.take(rows),
        )  # fmt: skip

    def vectors(self, rows: npt.NDArray[np.integer]) -> Floats:
        """(len(rows), d) float32 intents."""
        return np.ascontiguousarray(self.intents[rows], np.float32)

    @classmethod
    def from_records(
        cls, records: Sequence[Mapping[str, Any]], catalog: Catalog, *, unknown: Literal["skip", "refuse"] = "refuse"
    ) -> "Traces":
        """From mappings with inline `embedding`; see `load_traces` for the fields and the errors."""
        reader = _Reader(catalog, unknown)
        embeddings = []
        for position, record in enumerate(records):
            if reader.add(record, f"trace {position}", 0, _inline(record)):
                what = f"the embedding of trace {reader.ids[-1]!r}"
                embeddings.append(_check.vector(record.get("embedding"), catalog.dimension, what))
        texts = [str(r.get("intent") or "") for r in (records[i] for i in reader.rows)]
        stacked = np.stack(embeddings) if embeddings else np.zeros((0, catalog.dimension), np.float32)
        return reader.traces(stacked, Texts(texts))


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


def load_traces(path: str | Path, catalog: Catalog, *, unknown: Literal["skip", "refuse"] = "refuse") -> Traces:
    """Reads traces for a catalogue; embeddings from `path` with the suffix .npy (memory-mapped), else inline.

    A row of NaN, or `embedding` null or absent, is a trace without an embedding.

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
    reader = _Reader(catalog, unknown)
    beside = path.with_suffix(".npy")
    matrix = load_matrix(beside, mmap=True) if beside.exists() else None
    embedded = None if matrix is None else _embedded(matrix, beside.name)
    inline: list[Floats] = []
    n_lines = 0
    try:
        with path.open("rb") as file:
            offset = 0
            for number, line in enumerate(file, 1):
                where = f"{path.name}, line {number}"
                if line.strip():
                    try:
                        record = orjson.loads(line)
                    except orjson.JSONDecodeError as error:
                        raise TraceError(f"{where}: not JSON ({error})") from None
                    here = _inline(record) if embedded is None else n_lines >= len(embedded) or bool(embedded[n_lines])
                    if reader.add(record, where, offset, here) and matrix is None:
                        what = f"{where}: the embedding of trace {reader.ids[-1]!r}"
                        inline.append(_trace_error(_check.vector, record.get("embedding"), catalog.dimension, what))
                    n_lines += 1
                offset += len(line)
    except TraceError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise TraceError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    texts = Texts(None, path, np.array(reader.offsets, np.int64))
    if matrix is None:
        return reader.traces(np.stack(inline) if inline else np.zeros((0, catalog.dimension), np.float32), texts)
    if matrix.shape != (n_lines, catalog.dimension):
        raise TraceError(f"{beside.name} has shape {matrix.shape}, expected ({n_lines}, {catalog.dimension}) as in {path.name}")
    everything = len(reader.rows) == n_lines
    return reader.traces(matrix if everything else matrix[np.array(reader.rows, np.int64)], texts)


def _inline(record: Any) -> bool:
    return isinstance(record, Mapping) and record.get("embedding") is not None


def _embedded(matrix: npt.NDArray[Any], name: str) -> npt.NDArray[np.bool_]:
    """(n,) which rows hold an embedding, and not NaN throughout; a row with some NaN or infinity is a TraceError."""
    found = np.ones(len(matrix), np.bool_)
    for start in range(0, len(matrix), _CHUNK):
        with np.errstate(over="ignore"):  # what overflows float32 becomes infinity
            rows = matrix[start : start + _CHUNK].astype(np.float32, copy=False)
        broken = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        absent = np.isnan(rows[broken]).all(axis=1)
        if not absent.all():
            raise TraceError(f"{name} holds NaN or infinity in row {start + int(broken[np.argmin(absent)])}")
        found[start + broken] = False
    return found


class _Reader:
    """Checks records one by one and gathers their columns."""

    def __init__(self, catalog: Catalog, unknown: str) -> None:
        self._catalog, self._skip = catalog, unknown == "skip"
        self._seen: set[str] = set()
        self._n = 0
        self.ids: list[str] = []
        self.rows: list[int] = []  # position of each accepted record
        self.offsets: list[int] = []
        self.skipped: list[tuple[str, str]] = []
        self._tools: list[list[int]] = []
        self._context: list[list[int]] = []
        self._numbers: list[tuple[int, float, float, float]] = []  # capability, outcome, weight, timestamp

    def add(self, record: Any, where: str, offset: int, embedded: bool) -> bool:
        """Takes a record; False where it is skipped, TraceError where it cannot be used."""
        position, self._n = self._n, self._n + 1
        if not isinstance(record, Mapping):
            raise TraceError(f"{where}: a trace is a record, not {type(record).__name__}")
        key = _trace_error(_check.text, record.get("id"), f"{where}: the id")
        if key in self._seen:
            raise TraceError(f"{where}: trace id {key!r} occurs twice")
        self._seen.add(key)
        where = f"{where}: trace {key!r}"
        column = self._catalog.tool_column
        tools = _trace_error(_check.texts, record.get("tools", ()), f"{where}: tools")
        context = _trace_error(_check.texts, record.get("context_tools") or (), f"{where}: context_tools")
        capability = record.get("capability")
        if capability is not None:
            capability = _trace_error(_check.text, capability, f"{where}: capability")
        faults = [f"names the unknown tool {t!r}" for t in (*tools, *context) if t not in column]
        if capability is not None and capability not in self._catalog.capability_column:
            faults.append(f"names the unknown capability {capability!r}")
        if not embedded:
            faults.append("has no embedding")
        if faults:
            if not self._skip:
                raise TraceError(f"{where} {faults[0]}; pass unknown='skip' to leave such traces out")
            self.skipped.append((key, faults[0]))
            return False
        timestamp = record.get("timestamp")
        self._numbers.append((
            -1 if capability is None else self._catalog.capability_column[capability],
            _trace_error(_check.number, record.get("outcome", 1.0), 0.0, 1.0, f"{where}: outcome"),
            _trace_error(_check.number, record.get("weight", 1.0), 0.0, 1e6, f"{where}: weight"),
            float("nan") if timestamp is None else _trace_error(_check.moment, timestamp, f"{where}: timestamp"),
        ))  # fmt: skip
        self.ids.append(key)
        self.rows.append(position)
        self.offsets.append(offset)
        self._tools.append([column[t] for t in tools])
        self._context.append([column[t] for t in context])
        return True

    def traces(self, intents: npt.NDArray[Any], texts: Texts) -> Traces:
        numbers = np.array(self._numbers, np.float64).reshape(-1, 4)
        return Traces(
            np.array(self.ids, dtype=np.str_), intents, texts, Incidence.from_rows(self._tools), numbers[:, 0].astype(np.int32),
            numbers[:, 1].astype(np.float32), numbers[:, 2].astype(np.float32), numbers[:, 3].copy(),
            Incidence.from_rows(self._context), self.skipped,
        )  # fmt: skip


def _trace_error(check: Callable[..., _T], *args: Any) -> _T:
    try:
        return check(*args)
    except InputError as error:
        raise TraceError(str(error)) from None


def remembered(traces: Traces, rows: npt.NDArray[np.int64]) -> Memory:
    """The successful traces among `rows`, the latest 20 000."""
    good = rows[(traces.outcome[rows] >= 0.5) & (traces.tools.degrees[rows] > 0)]
    if not np.isnan(traces.timestamp[good]).any():
        good = good[np.argsort(traces.timestamp[good], kind="stable")]
    good = np.sort(good[-MEMORY:])
    vectors = traces.vectors(good)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    vectors = vectors.astype(np.float16).astype(np.float32)  # as a model file keeps them; scaling again would round twice
    return Memory(tuple(traces.ids[good].tolist()), vectors, [str(traces.texts[i]) for i in good.tolist()], traces.tools.take(good))
