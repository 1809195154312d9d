"""Where commands take traces and intents from."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .._files import load_array
from .._types import Float32
from ..errors import InputError, TraceError
from ..traces import Trace, load_traces, read_traces
from . import output

if TYPE_CHECKING:
    from ..graph import Catalog
    from ..traces import Traces

TRACE_FILES = ("train.jsonl", "test.jsonl", "traces.jsonl")


def load(path: Path, catalog: "Catalog", skip_unknown: bool) -> "Traces":
    """The traces of a file, for training or evaluation; those that were left out are counted on stderr."""
    try:
        found = load_traces(path, catalog, unknown="skip" if skip_unknown else "refuse")
    except TraceError as error:
        raise TraceError(str(error).replace("unknown='skip'", "--skip-unknown")) from None
    if found.skipped:
        key, reason = found.skipped[0]
        output.note(f"shgat: {len(found.skipped)} traces left out, the first is {key!r}: it {reason}")
    return found


def read_all(path: Path) -> list[Trace]:
    """Every trace of one file, each with its embedding; the first fault is an error that names its line."""
    return [_sound(path, number, trace) for number, trace in read_traces(path)]


def find(folder: Path, key: str) -> Trace:
    """The trace with this id among those of a catalogue's folder."""
    files = trace_files(folder)
    for path in files:
        for number, trace in read_traces(path):
            if isinstance(trace, Trace) and trace.id == key:
                return _sound(path, number, trace)
    searched = ", ".join(path.name for path in files) or "no file of traces"
    raise InputError(f"no intent has the id {key!r} in {folder} ({searched})")


def read_vector(path: Path) -> Float32:
    """One vector (d,) of a .npy file, which may hold it as (1, d)."""
    array = load_array(path)
    if array.ndim == 2 and len(array) == 1:
        array = array[0]
    if array.ndim != 1:
        raise InputError(f"{path.name} has shape {array.shape}, expected one vector (d,)")
    with np.errstate(over="ignore"):  # an overflow becomes infinity, which the model refuses by position
        return np.ascontiguousarray(array, np.float32)


def trace_files(folder: Path) -> list[Path]:
    """The files of traces that lie in a folder."""
    try:
        return [folder / name for name in TRACE_FILES if (folder / name).exists()]
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {folder}: {error}") from None


def _sound(path: Path, number: int, trace: Trace | TraceError) -> Trace:
    if isinstance(trace, TraceError):
        raise TraceError(f"{path.name}, line {number}: {trace}")
    if trace.embedding is None:
        raise TraceError(f"{path.name}, line {number}: trace {trace.id!r} has no embedding")
    return trace
