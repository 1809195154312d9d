"""A catalogue's folder: JSON lines and, row by row aligned with them, .npy embeddings. Reads on after a fault, to name them all."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import orjson

from .._files import load_matrix, parse_line, read_lines, write_atomically
from .._types import Float32
from ..errors import InputError
from .records import Capability, Tool

ABOUT = "catalog.json"
Node = TypeVar("Node", Tool, Capability)
Nodes = tuple[Sequence[Node], Float32 | None]  # and their embeddings (n, d)


@dataclass
class Contents(Generic[Node]):
    """What one jsonl file and the .npy beside it hold.

    Attributes
    ----------
    nodes : the records that could be read
    broken : ids of records that could not
    complete : False where a line is not even JSON, so that ids may be missing
    readable : False where there is no such file
    """

    nodes: list[Node] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    complete: bool = True
    readable: bool = True


def read(
    folder: Path, faults: list[str], strict: bool = True, embeddings: bool = True
) -> tuple[Contents[Tool], Contents[Capability], str]:
    """Tools, capabilities and encoder of a folder; what cannot be read is described in `faults`.

    Without `strict`, of a record with a bad field only that is left out. No capabilities.jsonl: no capabilities.
    Without `embeddings` there are none, and nobody made them.
    """
    tools: Contents[Tool] = _records(folder / "tools.jsonl", Tool.from_record, faults, strict, embeddings)
    path, capabilities = folder / "capabilities.jsonl", Contents[Capability]()
    if _exists(path, faults):
        capabilities = _records(path, Capability.from_record, faults, strict, embeddings)
    return tools, capabilities, _encoder(folder / ABOUT, faults) if embeddings else ""


def _encoder(path: Path, faults: list[str]) -> str:
    """ "" where nothing says what made the embeddings."""
    if not _exists(path, faults):
        return ""
    try:
        about = parse_line(b"".join(line for _, line in read_lines(path)), path, 1)
        encoder = about.get("encoder", "") if isinstance(about, Mapping) else about
        if not isinstance(encoder, str):
            raise InputError(f'{path.name} holds {{"encoder": "name"}}, not {about!r:.100}')
    except InputError as error:
        faults.append(str(error))
        return ""
    return encoder


def write(folder: Path, tools: Nodes[Tool], capabilities: Nodes[Capability], encoder: str) -> None:
    """Records with their embeddings (n, d), or None, as the files that `read` reads; a record's own embedding is left out."""
    both = (("tools", *tools), ("capabilities", *capabilities))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stem, _, embeddings in both:
            if embeddings is None:
                (folder / f"{stem}.npy").unlink(missing_ok=True)
        if not encoder:
            (folder / ABOUT).unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot write {folder}: {error}") from None
    for stem, nodes, embeddings in both:
        if embeddings is not None:
            buffer = io.BytesIO()
            np.save(buffer, embeddings, allow_pickle=False)
            write_atomically(folder / f"{stem}.npy", buffer.getvalue())
        lines = [orjson.dumps({k: v for k, v in vars(n).items() if k != "embedding" and v is not None}) for n in nodes]
        write_atomically(folder / f"{stem}.jsonl", b"".join(line + b"\n" for line in lines))
    if encoder:
        write_atomically(folder / ABOUT, orjson.dumps({"encoder": encoder}) + b"\n")


def _records(
    path: Path, make: Callable[[Any, list[str] | None], Node], faults: list[str], strict: bool, embeddings: bool
) -> Contents[Node]:
    contents = Contents[Node]()
    rows: list[int] = []  # of the embeddings, one for each node that could be read
    n_lines = 0
    try:
        for number, line in read_lines(path):
            n_lines += 1
            try:
                value = parse_line(line, path, number)
            except InputError as error:
                value = None if strict else _read_leniently(line)
                if value is None:
                    faults.append(str(error) if strict else f"{error}: left out")
                    contents.complete = False
                    continue
            fields: list[str] = []
            try:
                contents.nodes.append(make(value, None if strict else fields))
                rows.append(n_lines - 1)
            except InputError as error:
                fields.append(str(error) if strict else f"{error}: left out")
                if isinstance(value, Mapping) and isinstance(value.get("id"), str):
                    contents.broken.add(value["id"])
            faults += [f"{path.name}, line {number}: {sentence}" for sentence in fields]
    except InputError as error:
        faults.append(str(error))
        contents.complete = contents.readable = False
        return contents
    if embeddings:
        _add_embeddings(path.with_suffix(".npy"), contents, rows, n_lines, faults)
    else:
        contents.nodes = [replace(node, embedding=None) for node in contents.nodes]
    return contents


def _read_leniently(line: bytes) -> Any:
    """What NaN, half of a surrogate pair or a large number makes no JSON, and is a record all the same; None where it is none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _add_embeddings(path: Path, contents: Contents[Node], rows: list[int], n_lines: int, faults: list[str]) -> None:
    if not _exists(path, faults):
        return
    try:
        matrix = load_matrix(path)
    except InputError as error:
        faults.append(str(error))
        return
    if len(matrix) != n_lines:
        faults.append(f"{path.name} has {len(matrix)} rows, but {path.stem}.jsonl has {n_lines} lines")
        return
    with np.errstate(over="ignore"):  # an overflow becomes infinity, which is named later
        array = np.ascontiguousarray(matrix, np.float32)
    contents.nodes = [replace(node, embedding=array[row]) for node, row in zip(contents.nodes, rows, strict=True)]


def _exists(path: Path, faults: list[str]) -> bool:
    try:
        return path.exists() or path.is_symlink()  # a link to nowhere is a fault, and no absence
    except (OSError, ValueError) as error:
        faults.append(f"cannot read {path}: {error}")
        return False
