"""A model as one safetensors file: tensors, and a manifest with checksums in the file's metadata.

safetensors accepts flipped bits, so the manifest holds the SHA-256 of every tensor, and its own stands before it.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import safetensors.numpy

from .._files import sha256, write_atomically
from .._json import refuse_not_finite
from .._types import Float32
from ..config import SHGATConfig
from ..errors import CatalogError, InputError, ModelFileError
from ..graph import Capability, Catalog, Cooccurrence, Incidence, Tool
from .channels import Fusion, Learned
from .memory import Memory
from .params import Layout, Params
from .state import ModelState

FORMAT = 1
Tensors = dict[str, npt.NDArray[Any]]


def save(state: ModelState, path: Path) -> None:
    """Writes the model; `path` is replaced at once or not at all."""
    write_atomically(path, to_bytes(state))


def to_bytes(state: ModelState) -> bytes:
    """The file's content."""
    catalog = state.catalog
    if not np.isfinite(state.params.buffer).all():
        raise InputError("the model is not saved: its parameters hold NaN or infinity")
    tensors: Tensors = {
        "params": state.params.buffer,
        "tool_embeddings": _present(catalog.tool_embeddings),
        "capability_embeddings": _present(catalog.capability_embeddings),
    }
    if state.cooccurrence is not None:
        tensors["cooccurrence_indptr"] = state.cooccurrence.incidence.indptr
        tensors["cooccurrence_indices"] = state.cooccurrence.incidence.indices
        tensors["cooccurrence_weights"] = state.cooccurrence.weights
    learned = state.learned
    if learned is not None:
        tensors["memory_vectors"] = learned.memory.vectors.astype(np.float16)
        tensors["memory_indptr"], tensors["memory_indices"] = learned.memory.tools.indptr, learned.memory.tools.indices
        tensors["memory_outcome"], tensors["memory_timestamp"] = learned.memory.outcomes, learned.memory.timestamps
    manifest = {
        "config": state.config.to_dict(),
        "layout": vars_of(state.params.layout),
        "tools": [{"id": t.id, "text": t.text, "server": t.server} for t in catalog.tools],
        "capabilities": [_record(c) for c in catalog.capabilities],
        "fingerprint": catalog.fingerprint,
        "learned": None if learned is None else _learned_record(learned),
        "report": state.report,
    }
    if catalog.encoder:
        manifest["encoder"] = catalog.encoder
    return pack(tensors, manifest)


def load(path: Path) -> ModelState:
    """Reads a model; a torn, altered or foreign file raises ModelFileError."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ModelFileError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    return from_bytes(data, str(path))


def from_bytes(data: bytes, name: str, over: Catalog | None = None) -> ModelState:
    """The inverse of `to_bytes`; `name` is what errors call the file.

    `over`: a catalogue to use in place of the file's where both have the same ids and memberships in the same order; nothing is built twice.
    """
    tensors, manifest = unpack(data, name)
    try:
        if over is not None:
            _check_encoder(over, _encoder(manifest), name)
        catalog = over if over is not None and over.fingerprint == manifest["fingerprint"] else _catalog(tensors, manifest)
        params = Params(Layout(**manifest["layout"]), tensors["params"].copy())  # safetensors' own are read-only
        if not np.isfinite(params.buffer).all():
            raise ModelFileError(f"{name}: its parameters hold NaN or infinity")
        cooccurrence = None
        if "cooccurrence_weights" in tensors:
            n = len(catalog.tools)
            cooccurrence = Cooccurrence(_incidence(tensors, "cooccurrence", n, n), tensors["cooccurrence_weights"])
            _check_floats(cooccurrence.weights, (cooccurrence.incidence.nnz,), "cooccurrence_weights")
        learned = _learned(manifest["learned"], tensors, catalog.dimension)
        return ModelState(catalog, SHGATConfig.from_dict(manifest["config"]), params, cooccurrence, learned, manifest["report"])
    except KeyError as error:
        raise ModelFileError(f"{name} is no shgat model of format {FORMAT}: it has no {error}") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise ModelFileError(f"{name} is no shgat model of format {FORMAT}: {error}") from None


def _catalog(tensors: Tensors, manifest: Mapping[str, Any]) -> Catalog:
    tools = zip(manifest["tools"], tensors["tool_embeddings"], strict=True)
    edges = zip(manifest["capabilities"], tensors["capability_embeddings"], strict=True)
    catalog = Catalog.from_records(
        [replace(Tool.from_record(t), embedding=e) for t, e in tools],
        [replace(Capability.from_record(c), embedding=e) for c, e in edges],
        encoder=_encoder(manifest),
    )
    if not catalog.tools and not catalog.capabilities:  # no row says how many dimensions they have
        none = np.zeros((0, Layout(**manifest["layout"]).d), np.float32)
        catalog = replace(catalog, tool_embeddings=none, capability_embeddings=none)
    return catalog


def _check_encoder(catalog: Catalog, encoder: str, name: str) -> None:
    try:
        catalog.check_encoder(encoder, name)
    except CatalogError as error:
        raise ModelFileError(str(error)) from None


def _encoder(manifest: Mapping[str, Any]) -> str:
    """What made the embeddings; files of before it was written down do not say."""
    encoder = manifest.get("encoder", "")
    if not isinstance(encoder, str):
        raise ValueError(f"its encoder is {encoder!r:.100}, expected a name")
    return encoder


def pack(tensors: Mapping[str, npt.NDArray[Any]], manifest: Mapping[str, Any]) -> bytes:
    """A safetensors file of the tensors and the manifest, with checksums over both. Numbers that are not finite are refused."""
    refuse_not_finite(manifest, "manifest")
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    full = {
        "format": FORMAT,
        "tensors": {n: {"shape": list(a.shape), "dtype": str(a.dtype), "sha256": sha256(_raw(a))} for n, a in arrays.items()},
        **manifest,
    }
    text = orjson.dumps(full)
    return safetensors.numpy.save(arrays, {"shgat": f"{sha256(text)} {text.decode()}"})  # one key: several come in any order


def unpack(data: bytes, name: str) -> tuple[Tensors, dict[str, Any]]:
    """(tensors, manifest) of a `pack`; ModelFileError names what does not fit."""
    try:
        size = int.from_bytes(data[:8], "little")
        checksum, text = orjson.loads(data[8 : 8 + size])["__metadata__"]["shgat"].encode().split(b" ", 1)
        intact = sha256(text) == checksum.decode()
        manifest: dict[str, Any] = orjson.loads(text)
        described = {key: (tuple(t["shape"]), t["dtype"], t["sha256"]) for key, t in manifest["tensors"].items()}
        tensors = safetensors.numpy.load(data)
    except Exception as error:  # whatever a torn header makes the parsers raise
        raise ModelFileError(f"{name} is torn or no shgat file: {_one_line(error)}") from None
    if not intact:
        raise ModelFileError(f"{name} is altered: its manifest does not match its checksum")
    if manifest.get("format") != FORMAT:
        raise ModelFileError(f"{name} has format {manifest.get('format')!r}; this version reads format {FORMAT}")
    if tensors.keys() != described.keys():
        raise ModelFileError(f"{name} is altered: its tensors are not those of its manifest")
    for key, (shape, dtype, checksum) in described.items():
        array = tensors[key]
        if (array.shape, str(array.dtype)) != (shape, dtype):
            raise ModelFileError(f"{name} is altered: tensor {key} is {array.dtype} {array.shape}, its manifest says otherwise")
        if sha256(_raw(array)) != checksum:
            raise ModelFileError(f"{name} is altered: tensor {key} does not match its checksum")
    return tensors, manifest


def vars_of(layout: Layout) -> dict[str, Any]:
    """The fields of a layout as JSON values."""
    return {name: getattr(layout, name) for name in Layout.__dataclass_fields__}


def _learned_record(learned: Learned) -> dict[str, Any]:
    return {
        "fusion": asdict(learned.fusion),
        "ids": list(learned.memory.ids),
        "texts": list(learned.memory.texts),
        "tool_ids": list(learned.tool_ids),
        "unseen": sorted(learned.unseen),
    }


def _learned(record: dict[str, Any] | None, tensors: Tensors, d: int) -> Learned | None:
    if record is None:
        return None
    n, vectors = len(record["ids"]), tensors["memory_vectors"].astype(np.float32)
    _check_floats(vectors, (n, d), "memory_vectors")
    if len(record["texts"]) != n:
        raise ValueError(f"it remembers {n} traces, but {len(record['texts'])} texts")
    tools = _incidence(tensors, "memory", n, len(record["tool_ids"]))
    outcome, timestamp = tensors.get("memory_outcome"), tensors.get("memory_timestamp")  # files of 0.1 have neither
    if outcome is not None:
        _check_floats(outcome, (n,), "memory_outcome")
    if timestamp is not None and (timestamp.dtype != np.float64 or timestamp.shape != (n,) or np.isinf(timestamp).any()):
        raise ValueError(f"memory_timestamp is {timestamp.dtype} {timestamp.shape}, expected ({n},) seconds")
    memory = Memory(tuple(record["ids"]), vectors, record["texts"], tools, outcome, timestamp)
    return Learned(Fusion(**record["fusion"]), memory, tuple(record["tool_ids"]), frozenset(record["unseen"]))


def _incidence(tensors: Tensors, name: str, n_rows: int, n_columns: int) -> Incidence:
    found = Incidence(tensors[f"{name}_indptr"], tensors[f"{name}_indices"])
    if not found.fits(n_rows, n_columns):
        raise ValueError(f"{name}_indptr and {name}_indices are no rows of {n_columns} columns for {n_rows}")
    return found


def _check_floats(array: npt.NDArray[Any], shape: tuple[int, ...], name: str) -> None:
    if array.dtype != np.float32 or array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"{name} is {array.dtype} {array.shape} or not finite, expected {shape}")


def _record(c: Capability) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": c.id,
        "text": c.text,
        "tools": list(c.tools),
        "capabilities": list(c.capabilities),
        "uses": c.uses,
    }
    return record if c.success_rate is None else {**record, "success_rate": c.success_rate}


def _present(array: Float32 | None) -> Float32:
    if array is None:
        raise InputError("a model without embeddings cannot be saved")
    return array


def _raw(array: npt.NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
