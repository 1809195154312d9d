"""Neighbours in a file beside the model's, which is mapped into memory: processes that open it share one copy.

    checksum    64 bytes, SHA-256 of all that follows, as hexadecimal digits
    header      4032 bytes of JSON, filled up with blanks: format, dimension, labels, bytes of the graph
    marks       (labels, 4) float32
    columns     (labels,) int32
    graph       what usearch saves, from the next multiple of 4096 on

`usearch` does not check what it reads, and a graph with a few flipped bits ends the process: nothing is given to it before the checksum fits.
"""

import mmap
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from .._files import open_regular, reason, replacing, sha256, size_of
from .._types import Float32
from ..errors import ModelFileError
from .neighbours import PROBES, Graph, Neighbours, empty

FORMAT = 1
PAGE = 4096
_DIGITS = 64


def beside(path: Path) -> Path:
    """The file of the neighbours of the model at `path`."""
    return path.with_name(f"{path.name}.neighbours")


def save(neighbours: Neighbours, path: Path) -> None:
    """Writes the neighbours; `path` is replaced at once or not at all."""
    graph = neighbours.graph
    marks, columns = np.ascontiguousarray(graph.marks), np.ascontiguousarray(neighbours.column_of)
    content = graph.index.save()
    header = {"format": FORMAT, "dimension": graph.index.ndim, "labels": len(graph), "graph": len(content)}
    parts = [orjson.dumps(header).ljust(PAGE - _DIGITS), marks.tobytes(), columns.tobytes()]
    parts += [bytes(-sum(map(len, parts), _DIGITS) % PAGE), content]
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(sha256(*parts).encode())
        for part in parts:
            file.write(part)


def load(path: Path, keys: Float32) -> Neighbours:
    """The neighbours that `save` wrote, over the keys (n, D) of the model beside them, mapped into memory.

    Raises
    ------
    ModelFileError
        for a torn or altered file, or one of another dimension.
    """
    try:
        with open_regular(path) as file:
            if size_of(file) < PAGE:
                raise ModelFileError(
                    f"{path} is torn or holds no neighbours: it has {size_of(file)} bytes, expected at least {PAGE}"
                )
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        raise ModelFileError(f"cannot read {path}: {reason(error)}") from None
    if sha256(data[_DIGITS:]).encode() != bytes(data[:_DIGITS]):
        raise ModelFileError(f"{path} is torn or altered: its content does not match its checksum")
    try:
        header: dict[str, Any] = orjson.loads(bytes(data[_DIGITS:PAGE]))
        form, dimension, n, size = (header[name] for name in ("format", "dimension", "labels", "graph"))
        if form != FORMAT:
            raise ValueError(f"it has format {form!r:.100}, this version reads format {FORMAT}")
        if dimension != keys.shape[1]:
            raise ValueError(f"its keys have {dimension} dimensions, the model's {keys.shape[1]}")
        marks = np.frombuffer(data, np.float32, n * PROBES, PAGE).reshape(n, PROBES)
        columns = np.frombuffer(data, np.int32, n, PAGE + marks.nbytes)
        content = data[len(data) - size :]
        index = empty(dimension)
        index.view(content)
        if len(index) != n:
            raise ValueError(f"its graph has {len(index)} rows, expected {n}")
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelFileError(f"{path} holds no neighbours of this model: {error}") from None
    return Neighbours.fitted(Graph(index, marks, data), columns, keys)
