"""What goes from process to process: values as a pickle and the arrays beside it, calls, and what came of them.

Nothing here is for what others made: a pickle runs code. Both ends are processes of one executor.
"""

import mmap
import pickle
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ShgatError, WorkerError
from .contract import Tell

_PROTOCOL = 5  # that which leaves arrays beside the pickle
_ALIGNED = 64  # bytes, of each array in a file


@dataclass(frozen=True)
class Failed:
    """An error that a task raised.

    Attributes
    ----------
    kind : its type where that is one of ours, else None
    message, state : what it says, and its attributes
    trace : where it happened
    """

    kind: type[ShgatError] | None
    message: str
    state: dict[str, Any]
    trace: str

    @classmethod
    def of(cls, error: BaseException) -> "Failed":
        trace = "".join(traceback.format_exception(error))
        if isinstance(error, ShgatError):
            return cls(type(error), str(error), dict(vars(error)), trace)
        return cls(None, f"{type(error).__name__}: {error}", {}, trace)

    def error(self) -> ShgatError:
        """The error as it was raised."""
        if self.kind is None:
            found: ShgatError = WorkerError(f"a task failed: {self.message}")
        else:
            found = self.kind.__new__(self.kind)
            Exception.__init__(found, self.message)
            found.__dict__.update(self.state)
        found.add_note(self.trace)
        return found


def packed(value: object) -> tuple[bytes, list[memoryview]]:
    """(the pickle, the arrays that stand beside it)."""
    beside: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(value, _PROTOCOL, buffer_callback=beside.append)
    return pickled, [buffer.raw() for buffer in beside]


def unpacked(pickled: bytes, beside: Sequence[Any]) -> Any:
    """The inverse of `packed`; arrays are views of what stands beside."""
    return pickle.loads(pickled, buffers=beside)


def write(path: Path, value: object) -> int:
    """Writes a value so that processes can map it, and returns its bytes."""
    pickled, beside = packed(value)
    places, parts, at = list[tuple[int, int]](), list[bytes | memoryview](), 0
    for buffer in beside:
        gap = -at % _ALIGNED
        places.append((at + gap, buffer.nbytes))
        parts += [bytes(gap), buffer]
        at += gap + buffer.nbytes
    with path.with_suffix(".arrays").open("wb") as file:
        file.writelines(parts)
    path.write_bytes(
        pickle.dumps((pickled, places), _PROTOCOL)
    )  # nobody reads it before it is named in a call, nor after the executor
    return len(pickled) + at


def read(path: Path) -> Any:
    """What `write` wrote; its arrays are read-only pages that all processes share."""
    pickled, places = pickle.loads(path.read_bytes())
    arrays = path.with_suffix(".arrays")
    if not arrays.stat().st_size:
        return unpacked(pickled, [bytes(size) for _, size in places])
    with arrays.open("rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return unpacked(pickled, [view[start : start + size] for start, size in places])


def call(task: Callable[..., Any], item: object) -> bytes:
    """A task and its item, for another process; PicklingError where they are no parcel."""
    return pickle.dumps((task, item), _PROTOCOL)


def answered(called: bytes, shared: Any, tell: Tell) -> bytes:
    """In the other process: does what a call says; its result or its error."""
    try:
        task, item = pickle.loads(called)
        return pickle.dumps(task(shared, item, tell), _PROTOCOL)
    except Exception as error:
        return pickle.dumps(Failed.of(error), _PROTOCOL)


def result(answer: bytes) -> Any:
    """What came of a call; its error is raised."""
    value = pickle.loads(answer)
    if isinstance(value, Failed):
        raise value.error()
    return value
