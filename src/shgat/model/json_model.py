"""Everything that a trained model is but its catalogue, as JSON values: parameters, co-occurrence, fusion, calibration and memory.

Beside the keys of `json_params`:

    tools, capabilities   ids, in the order of the rows of offsets and co-occurrence
    cooccurrence          null, or {indptr, indices, weights}
    learned               null, or {fusion, toolIds, unseen, memory{ids, texts, vectors, indptr, indices, outcome, timestamp}}
    report                of the training, or null
    values                null, or {hidden, weight, report, parameters} of the value network

What is absent stays as it is. Rows follow their ids to the catalogue of the model that imports them.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from .. import _check
from .._json import none_for_not_finite
from ..config import SHGATConfig
from ..errors import InputError
from ..graph import Catalog, Cooccurrence, Incidence
from . import bounds, json_params, value_file
from .calibration import Calibration
from .carry_over import carried_over
from .channels import Fusion, Learned
from .json_arrays import array, encode, floats
from .memory import Memory
from .state import ModelState
from .values import LearnedValues

_KEYS = {"tools", "capabilities", "cooccurrence", "learned", "report", "values"}
_LATEST = 1e11  # seconds since 1970
_LARGEST_FUSION = 1e9  # of weights, bonus and calibration


def export(state: ModelState) -> dict[str, Any]:
    """The model as JSON values; `imported` gives the same scores from them, bit for bit."""
    edges, learned, catalog = state.cooccurrence, state.learned, state.catalog
    return {
        **json_params.export_params(state.params, state.config),
        "tools": [t.id for t in catalog.tools],
        "capabilities": [c.id for c in catalog.capabilities],
        "cooccurrence": None if edges is None else {**_rows(edges.incidence), "weights": encode(edges.weights)},
        "learned": None if learned is None else _learned_record(learned),
        "report": none_for_not_finite(state.report),
        "values": None if state.values is None else _values_record(state.values),
    }


def imported(values: Mapping[str, Any], state: ModelState) -> ModelState:
    """The model with what `export` gave in the place of its own; InputError names what does not fit.

    Message passing, offsets and words are as the values' `config` has them, since a training chooses them; in everything else it has to mean
    the same model.
    """
    if not isinstance(values, Mapping):
        raise InputError(f"parameters are a mapping, not {type(values).__name__}")
    catalog, config = state.catalog, state.config
    if isinstance(values.get("config"), Mapping):
        given = SHGATConfig.from_dict(values["config"])
        config = replace(config, node_offsets=given.node_offsets, message_passing=given.message_passing, words=given.words)
    start = state.params if config.words == state.config.words else ModelState.untrained(catalog, config).params
    current = carried_over(start, catalog, catalog, config)
    parameters = {key: value for key, value in values.items() if key not in _KEYS}
    for key, kind, nodes in (("toolOffsets", "tools", catalog.tools), ("capabilityOffsets", "capabilities", catalog.capabilities)):
        if key in values and kind in values:
            ids = _ids(values[kind], kind)
            rows = floats(values[key], (len(ids), current.layout.d), key)
            place = {item: i for i, item in enumerate(ids)}
            moved = [rows[place[n.id]] if n.id in place else np.zeros(current.layout.d, np.float32) for n in nodes]
            parameters[key] = np.array(moved, np.float32).reshape(len(nodes), current.layout.d)
    found = replace(state, config=config, params=json_params.import_params(parameters, current, config))
    if "cooccurrence" in values:
        found = replace(found, cooccurrence=_cooccurrence(values["cooccurrence"], values.get("tools"), catalog))
    if "learned" in values:
        found = replace(found, learned=_learned(values["learned"], found.catalog.dimension))
    if "report" in values:
        report = values["report"]
        found = replace(found, report=None if report is None else dict(_mapping(report, "report")))
    if "values" in values:
        found = replace(found, values=_values(values["values"], found.catalog.dimension))
    bounds.check(found)
    return found


def _values_record(learned: LearnedValues) -> dict[str, Any]:
    return {**value_file.to_record(learned), "parameters": encode(learned.network.buffer)}


def _values(values: object, d: int) -> LearnedValues | None:
    if values is None:
        return None
    return value_file.from_record(
        values, array(_mapping(values, "values").get("parameters"), "float32", None, "values.parameters"), d
    )


def _rows(rows: Incidence) -> dict[str, Any]:
    return {"indptr": encode(rows.indptr), "indices": encode(rows.indices)}


def _incidence(values: Mapping[str, Any], n_rows: int, n_columns: int, what: str) -> Incidence:
    found = Incidence(
        array(values.get("indptr"), "int32", (n_rows + 1,), f"{what}.indptr"),
        array(values.get("indices"), "int32", None, f"{what}.indices"),
    )
    if not found.fits(n_rows, n_columns):
        raise InputError(f"{what}: indptr and indices are no rows of {n_columns} columns for {n_rows}")
    found.check(what)
    return found


def _cooccurrence(values: object, tools: object, catalog: Catalog) -> Cooccurrence | None:
    if values is None:
        return None
    record, ids = _mapping(values, "cooccurrence"), _ids(tools, "tools")
    incidence = _incidence(record, len(ids), len(ids), "cooccurrence")
    weights = floats(record.get("weights"), (incidence.nnz,), "cooccurrence.weights")
    edges = Cooccurrence(incidence, weights)
    if ids == [t.id for t in catalog.tools]:
        return edges
    return edges.over([catalog.tool_column.get(item, -1) for item in ids], len(catalog.tools))


def _learned_record(learned: Learned) -> dict[str, Any]:
    memory = learned.memory
    return {
        "fusion": asdict(learned.fusion),
        "toolIds": list(learned.tool_ids),
        "unseen": sorted(learned.unseen),
        "memory": {
            "ids": list(memory.ids),
            "texts": [str(text) for text in memory.texts],
            "vectors": encode(memory.vectors.astype(np.float16)),
            **_rows(memory.tools),
            "outcome": None if memory.outcome is None else encode(memory.outcome),
            "timestamp": None if memory.timestamp is None else encode(memory.timestamp),
        },
    }


def _learned(values: object, d: int) -> Learned | None:
    if values is None:
        return None
    record = _mapping(values, "learned")
    tool_ids, unseen = _ids(record.get("toolIds"), "learned.toolIds"), _ids(record.get("unseen"), "learned.unseen")
    memory = _mapping(record.get("memory"), "learned.memory")
    ids, texts, n = (
        _ids(memory.get("ids"), "learned.memory.ids"),
        memory.get("texts"),
        len(_ids(memory.get("ids"), "learned.memory.ids")),
    )
    if not isinstance(texts, list) or len(texts) != n or not all(isinstance(text, str) for text in texts):
        raise InputError(f"learned.memory.texts is a list of {n} strings, not {_check.brief(texts)}")
    vectors = array(memory.get("vectors"), "float16", (n, d), "learned.memory.vectors").astype(np.float32)
    outcome, timestamp = memory.get("outcome"), memory.get("timestamp")
    if outcome is not None:
        outcome = floats(outcome, (n,), "learned.memory.outcome")
        if not ((outcome >= 0.0) & (outcome <= 1.0)).all():
            raise InputError("learned.memory.outcome lies in [0, 1], not all do")
    if timestamp is not None:
        timestamp = array(timestamp, "float64", (n,), "learned.memory.timestamp")
        if (np.abs(timestamp) > _LATEST).any():
            raise InputError(f"learned.memory.timestamp lies in [{-_LATEST:g}, {_LATEST:g}], not all do")
    tools = _incidence(memory, n, len(tool_ids), "learned.memory")
    return Learned(
        fusion(record.get("fusion")),
        Memory(tuple(ids), vectors, texts, tools, outcome, timestamp),
        tuple(tool_ids),
        frozenset(unseen),
    )


def fusion(values: object) -> Fusion:
    """From JSON values of unknown origin."""
    record = dict(_mapping(values, "fusion"))
    record["calibration"] = _calibration(record)
    try:
        found = Fusion(**record)
    except TypeError as error:
        raise InputError(f"fusion: {error}") from None
    for name in ("seen", "unseen"):
        for channel, weight in _mapping(getattr(found, name), f"fusion.{name}").items():
            _check.number(weight, 0.0, _LARGEST_FUSION, f"fusion.{name}.{_check.text(channel, 'a channel')}")
    _check.number(found.bonus, -_LARGEST_FUSION, _LARGEST_FUSION, "fusion.bonus")
    if found.home is not None:
        _check.number(found.home, -1.0, 1.0, "fusion.home")
    if not isinstance(found.fitted, bool):
        raise InputError(f"fusion.fitted is true or false, not {_check.brief(found.fitted)}")
    return found


def _calibration(record: dict[str, Any]) -> Calibration:
    """Takes it out of the record of a fusion; files of 0.1 have a slope and an intercept in its place."""
    if "calibration" not in record:
        values: dict[str, Any] = {"slopes": [record.pop("slope", 1.0)], "intercept": record.pop("intercept", 0.0)}
    else:
        values = dict(_mapping(record.pop("calibration"), "fusion.calibration"))
    for name, least in (("slopes", 0.0), ("knots", -_LARGEST_FUSION)):
        numbers = values.get(name, ())
        if not isinstance(numbers, list | tuple):
            raise InputError(f"fusion.calibration.{name} is a list of numbers, not {_check.brief(numbers)}")
        values[name] = tuple(_check.number(v, least, _LARGEST_FUSION, f"fusion.calibration.{name}") for v in numbers)
    _check.number(values.get("intercept", 0.0), -_LARGEST_FUSION, _LARGEST_FUSION, "fusion.calibration.intercept")
    _check.number(values.get("spread", 1.0), 0.0, 2.0, "fusion.calibration.spread")
    if values.get("near") is not None:
        _check.number(values["near"], -1.0, 1.0, "fusion.calibration.near")
    try:
        return Calibration(**values)
    except (TypeError, InputError) as error:
        raise InputError(f"fusion.calibration: {error}") from None


def _ids(value: object, what: str) -> list[str]:
    if not isinstance(value, list):
        raise InputError(f"{what} is a list of ids, not {_check.brief(value)}")
    found = _check.texts(value, what)
    if len(set(found)) != len(found):
        raise InputError(f"{what} holds an id twice")
    return found


def _mapping(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{what} is a mapping, not {_check.brief(value)}")
    return value
