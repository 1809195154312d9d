"""A model as one file of tensors and a manifest. Its checksums say that it is whole, not who wrote it: everything in it is checked."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check
from .._files import write_atomically
from .._json import none_for_not_finite
from .._types import Float32
from ..config import SHGATConfig
from ..errors import CatalogError, InputError, ModelFileError
from ..graph import Capability, Catalog, Cooccurrence, Incidence, Tool
from . import bounds, value_file
from .channels import Learned
from .json_model import fusion
from .memory import Memory
from .params import Layout, Params
from .state import ModelState
from .tensor_file import FORMAT, Tensors, pack, read, unpack
from .wide import WORDS

_LATEST = 1e11  # seconds since 1970


def save(state: ModelState, path: Path) -> None:
    """Writes the model; `path` is replaced at once or not at all."""
    write_atomically(path, to_bytes(state))


def to_bytes(state: ModelState) -> bytes:
    """The file's content."""
    catalog = state.catalog
    tensors: Tensors = {
        "params": state.params.buffer,
        "tool_embeddings": _present(catalog.tool_embeddings),
        "capability_embeddings": _present(catalog.capability_embeddings),
    }
    try:
        bounds.check(state)
    except InputError as error:
        raise InputError(f"the model is not saved: {error}") from None
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
        "capabilities": [_capability(c) for c in catalog.capabilities],
        "fingerprint": catalog.fingerprint,
        "learned": None if learned is None else _learned_record(learned),
        "report": none_for_not_finite(state.report),
    }
    if state.values is not None:
        tensors["value_params"], manifest["values"] = state.values.network.buffer, value_file.to_record(state.values)
    if catalog.encoder:
        manifest["encoder"] = catalog.encoder
    if catalog.aliases:
        manifest["aliases"] = dict(catalog.aliases)
    return pack(tensors, manifest)


def load(path: Path) -> ModelState:
    """Reads a model; a torn, altered or foreign file raises ModelFileError."""
    return from_bytes(read(path), str(path))


def from_bytes(data: bytes | bytearray, name: str, over: Catalog | None = None) -> ModelState:
    """The inverse of `to_bytes`; `name` is what errors call the file.

    `over`: a catalogue to use in place of the file's where both have the same ids and memberships in the same order; nothing is built twice.
    """
    tensors, manifest = unpack(data, name)
    try:
        if over is not None:
            _check_encoder(over, _encoder(manifest), name)
            if (
                over.fingerprint == manifest["fingerprint"]
            ):  # the file's embeddings are not needed: what stays is not to hold on to them
                tensors = {k: v if k.endswith("_embeddings") else v.copy() for k, v in tensors.items()}
        state = _state(tensors, manifest, over)
        bounds.check(state)
        return state
    except KeyError as error:
        raise ModelFileError(f"{name} is no shgat model of format {FORMAT}: it has no {error}") from None
    except (MemoryError, ModelFileError):
        raise
    except Exception as error:  # whatever a foreign manifest makes the code raise that takes it apart
        raise ModelFileError(f"{name} is no shgat model of format {FORMAT}: {error}") from None


def _state(tensors: Tensors, manifest: Mapping[str, Any], over: Catalog | None) -> ModelState:
    buffer = _floats(tensors["params"], (tensors["params"].size,), "params")
    layout = Layout.of_size(manifest["layout"], buffer.size)
    config = SHGATConfig.from_dict(_record(manifest["config"], "config"))
    for field in ("n_heads", "d_head", "n_message_heads", "attention"):
        if getattr(config, field) not in (None, getattr(layout, field)):
            raise ValueError(f"config.{field} is {getattr(config, field)!r}, the layout's is {getattr(layout, field)!r}")
    d = layout.d - WORDS * config.words  # of embeddings
    catalog = over if over is not None and over.fingerprint == manifest["fingerprint"] else _catalog(tensors, manifest, d)
    if catalog.dimension != d:
        raise ValueError(f"its embeddings have {catalog.dimension} dimensions, its parameters {d}")
    if layout.n_tools > len(catalog.tools) or layout.n_capabilities > len(catalog.capabilities):
        raise ValueError("it has offsets of more tools or capabilities than there are")
    if config.message_passing and layout.n_levels < len(catalog.hierarchy.levels):
        raise ValueError(f"it has parameters of {layout.n_levels} levels, its catalogue has {len(catalog.hierarchy.levels)}")
    cooccurrence, n = None, len(catalog.tools)
    if "cooccurrence_weights" in tensors:
        incidence = _incidence(tensors, "cooccurrence", n, n)
        cooccurrence = Cooccurrence(incidence, _floats(tensors["cooccurrence_weights"], (incidence.nnz,), "cooccurrence_weights"))
    learned = None if manifest["learned"] is None else _learned(_record(manifest["learned"], "learned"), tensors, d)
    report = None if manifest["report"] is None else _record(manifest["report"], "report")
    values = None  # as in files of before there were any
    if "value_params" in tensors:
        parameters = _floats(tensors["value_params"], (tensors["value_params"].size,), "value_params")
        values = value_file.from_record(manifest["values"], parameters, d)
    return ModelState(catalog, config, Params(layout, buffer.copy()), cooccurrence, learned, report, values)  # read-only before


def _catalog(tensors: Tensors, manifest: Mapping[str, Any], d: int) -> Catalog:
    tools, capabilities = ([_record(item, name) for item in _list(manifest[name], name)] for name in ("tools", "capabilities"))
    rows = _floats(tensors["tool_embeddings"], (len(tools), d), "tool_embeddings")
    edges = _floats(tensors["capability_embeddings"], (len(capabilities), d), "capability_embeddings")
    catalog = Catalog.from_records(
        [replace(Tool.from_record(t), embedding=e) for t, e in zip(tools, rows, strict=True)],
        [replace(Capability.from_record(c), embedding=e) for c, e in zip(capabilities, edges, strict=True)],
        encoder=_encoder(manifest),
    )
    aliases = _record(manifest.get("aliases", {}), "aliases")
    if aliases:
        _strings([*aliases, *aliases.values()], "aliases")
        catalog = replace(catalog, aliases=aliases)
    if not tools and not capabilities:  # no row says how many dimensions they have
        catalog = replace(catalog, tool_embeddings=rows, capability_embeddings=edges)
    if catalog.fingerprint != manifest["fingerprint"]:
        raise ValueError("its fingerprint is not that of its tools and capabilities")
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


def _learned(record: dict[str, Any], tensors: Tensors, d: int) -> Learned:
    ids, texts, tool_ids, unseen = (_strings(record[name], name) for name in ("ids", "texts", "tool_ids", "unseen"))
    if len(texts) != len(ids):
        raise ValueError(f"it remembers {len(ids)} traces, but {len(texts)} texts")
    vectors = tensors["memory_vectors"]
    if vectors.dtype != np.float16:
        raise ValueError(f"memory_vectors are {vectors.dtype}, expected float16")
    vectors = _floats(vectors.astype(np.float32), (len(ids), d), "memory_vectors")
    tools = _incidence(tensors, "memory", len(ids), len(tool_ids))
    outcome, timestamp = tensors.get("memory_outcome"), tensors.get("memory_timestamp")  # files of 0.1 have neither
    if outcome is not None and not (abs(_floats(outcome, (len(ids),), "memory_outcome") - 0.5) <= 0.5).all():
        raise ValueError("memory_outcome lies in [0, 1], not all do")
    if timestamp is not None and (
        timestamp.dtype != np.float64 or timestamp.shape != (len(ids),) or (abs(timestamp) > _LATEST).any()
    ):
        raise ValueError(
            f"memory_timestamp is {timestamp.dtype} {timestamp.shape}, expected ({len(ids)},) seconds up to {_LATEST:g}"
        )
    memory = Memory(ids, vectors, texts, tools, outcome, timestamp)
    return Learned(fusion(record["fusion"]), memory, tool_ids, frozenset(unseen))


def _incidence(tensors: Tensors, name: str, n_rows: int, n_columns: int) -> Incidence:
    found = Incidence(tensors[f"{name}_indptr"], tensors[f"{name}_indices"])
    if not found.fits(n_rows, n_columns):
        raise ValueError(f"{name}_indptr and {name}_indices are no rows of {n_columns} columns for {n_rows}")
    found.check(name)
    return found


def _floats(array: npt.NDArray[Any], shape: tuple[int, ...], name: str) -> Float32:
    if array.dtype != np.float32 or array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"{name} is {array.dtype} {array.shape} or not finite, expected {shape}")
    return array


def _record(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is a record, not {_check.brief(value)}")
    return value


def _list(value: object, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{what} is a list, not {_check.brief(value)}")
    return value


def _strings(value: object, what: str) -> tuple[str, ...]:
    for item in _list(value, what):
        if not isinstance(item, str):
            raise ValueError(f"{what} are strings, not {_check.brief(item)}")
    return tuple(_list(value, what))


def _capability(c: Capability) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": c.id,
        "text": c.text,
        "tools": list(c.tools),
        "capabilities": list(c.capabilities),
        "uses": c.uses,
    }
    if c.origin is not None:
        record["origin"] = c.origin
    return record if c.success_rate is None else {**record, "success_rate": c.success_rate}


def _present(array: Float32 | None) -> Float32:
    if array is None:
        raise InputError("a model without embeddings cannot be saved")
    return array
