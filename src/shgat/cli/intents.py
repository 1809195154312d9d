"""Where intents come from: a .npy file, or traces, such as lie beside a catalogue."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._files import load_array, load_matrix, read_jsonl
from ..errors import InputError, TraceError
from . import output

if TYPE_CHECKING:
    from ..graph import Catalog
    from ..traces import Traces

TRACE_FILES = ("train.jsonl", "test.jsonl", "traces.jsonl")


@dataclass(frozen=True, eq=False)
class Intent:
    """An intent: vector (d,); id, text and the tools really used where it comes from a trace."""

    vector: npt.NDArray[np.float32]
    id: str = ""
    text: str = ""
    used: tuple[str, ...] = ()


def traces(path: Path, catalog: "Catalog", skip_unknown: bool) -> "Traces":
    """The traces of a file, for training or evaluation; those that were left out are counted on stderr."""
    from ..traces import load_traces

    try:
        found = load_traces(path, catalog, unknown="skip" if skip_unknown else "refuse")
    except TraceError as error:
        raise TraceError(str(error).replace("unknown='skip'", "--skip-unknown")) from None
    if found.skipped:
        key, reason = found.skipped[0]
        output.note(f"shgat: {len(found.skipped)} traces left out, the first is {key!r}: it {reason}")
    return found


def from_vector(path: Path) -> Intent:
    """From a .npy file with one vector, (d,) or (1, d)."""
    array = load_array(path)
    if array.ndim == 2 and len(array) == 1:
        array = array[0]
    if array.ndim != 1:
        raise InputError(f"{path.name} has shape {array.shape}, expected one vector (d,)")
    return Intent(_float32(array))


def from_traces(folder: Path, key: str) -> Intent:
    """The intent with this id among the traces of a catalogue's folder."""
    files = trace_files(folder)
    for path in files:
        for row, record in enumerate(records(path)):
            if record.get("id") == key:
                vectors = load_matrix(path.with_suffix(".npy"), mmap=True)
                if row >= len(vectors):
                    raise InputError(f"{path.with_suffix('.npy').name} has {len(vectors)} rows, intent {key!r} stands in row {row}")
                return _intent(record, vectors[row])
    searched = ", ".join(path.name for path in files) or "no file of traces"
    raise InputError(f"no intent has the id {key!r} in {folder} ({searched})")


def load_all(path: Path) -> list[Intent]:
    """Every trace of one file."""
    vectors = load_matrix(path.with_suffix(".npy"), mmap=True)
    rows = list(records(path))
    if len(rows) != len(vectors):
        raise InputError(f"{path.with_suffix('.npy').name} has {len(vectors)} rows, but {path.name} has {len(rows)} lines")
    return [_intent(record, vector) for record, vector in zip(rows, vectors, strict=True)]


def trace_files(folder: Path) -> list[Path]:
    """The files of traces that lie in a folder."""
    try:
        return [folder / name for name in TRACE_FILES if (folder / name).exists()]
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {folder}: {error}") from None


def records(path: Path) -> Iterator[Mapping[str, Any]]:
    """The records of a file of traces."""
    for number, record in read_jsonl(path):
        if not isinstance(record, Mapping):
            raise InputError(f"{path.name}, line {number}: a trace is a record, not {type(record).__name__}")
        yield record


def _intent(record: Mapping[str, Any], vector: npt.NDArray[Any]) -> Intent:
    tools = record.get("tools")
    used = tuple(str(t) for t in tools) if isinstance(tools, list) else ()
    return Intent(_float32(vector), str(record.get("id", "")), str(record.get("intent") or ""), used)


def _float32(array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):  # an overflow becomes infinity, which the model refuses by position
        return np.ascontiguousarray(array, np.float32)
