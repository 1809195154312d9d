"""Parameters as JSON values, under the key names of the first design."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import _check
from .._types import Float32
from ..config import SHGATConfig
from ..errors import InputError
from .json_arrays import encode, floats
from .params import Layout, Params

# name in the exchange -> name in the buffer
_SCALARS = {"residualLogit": "residual_logit", "temperatureLogit": "temperature_logit"}
_LEVEL = {
    "W_child": "w_child",
    "W_parent": "w_parent",
    "a_upward": "a_up",
    "a_downward": "a_down",
    "gate_upward": "gate_up",
    "gate_downward": "gate_down",
}
_MAPS = {"W_intent": "w_intent", "W_context": "w_context", "logScale": "log_scale"}
_OFFSETS = {"toolOffsets": "tool_offsets", "capabilityOffsets": "capability_offsets"}
KEYS = {"headParams", "levelParams", "v2vParams", "config", *_MAPS, *_OFFSETS}


def export_params(params: Params, config: SHGATConfig) -> dict[str, Any]:
    """JSON values; arrays are those of `json_arrays`, so that the round trip is exact.

    headParams[h]{W_q, W_k} (d_h, d); W_intent, W_context (d, d), "identity" or "zero" where they are that; logScale;
    levelParams[k]{W_child, W_parent (H, d_m, d); a_upward, a_downward (H, d_m), for gat (H, 2 d_m); gate_upward, gate_downward
    (rho, A, b)}; v2vParams{residualLogit, temperatureLogit}; toolOffsets, capabilityOffsets where there are any; config.
    """
    layout = params.layout
    for name, view in params.items():
        if not np.isfinite(view).all():
            raise InputError(f"parameters cannot be exported: {name} holds NaN or infinity, and JSON has no such number")
    levels = {
        str(k): {key: encode(_to_heads(name, params[f"level{k}.{name}"], layout)) for key, name in _LEVEL.items()}
        for k in range(layout.n_levels)
    }
    heads = zip(params["w_q"], params["w_k"], strict=True)
    return {
        "headParams": [{"W_q": encode(q), "W_k": encode(k)} for q, k in heads],
        **{key: _map(params[name]) if name != "log_scale" else float(params[name][0]) for key, name in _MAPS.items()},
        "levelParams": levels,
        "v2vParams": {key: float(params[name][0]) for key, name in _SCALARS.items()},
        **{key: encode(params[name]) for key, name in _OFFSETS.items() if name in params},
        "config": config.to_dict(),
    }


def import_params(values: Mapping[str, Any], current: Params, config: SHGATConfig) -> Params:
    """Parameters from `export_params` values; keys that are absent (gates, offsets) keep the current value.

    Arrays may be nested lists of numbers, too. A `config` among them has to mean the same model: parameters of another similarity would
    rank without an error, and wrongly.
    """
    params = current.copy()
    _known(values, KEYS, "parameters")
    if "config" in values:
        _same_model(SHGATConfig.from_dict(_mapping(values["config"], "config")), config)
    if "headParams" not in values:
        raise InputError("parameters have no headParams")
    _import_heads(values["headParams"], params)
    for key, name in {**_MAPS, **_OFFSETS}.items():
        if key in values:
            if name not in params:
                raise InputError(f"{key}: this model has no such parameters")
            params[name][:] = _given([values[key]] if name == "log_scale" else values[key], params[name].shape, key)
    v2v = _mapping(values.get("v2vParams", {}), "v2vParams")
    _known(v2v, set(_SCALARS), "v2vParams")
    for key, value in v2v.items():
        params[_SCALARS[key]][:] = floats([value], (1,), f"v2vParams.{key}")
    _import_levels(_mapping(values.get("levelParams", {}), "levelParams"), params)
    return params


def _map(view: Float32) -> Any:
    if not view.any():
        return "zero"
    return "identity" if np.array_equal(view, np.eye(len(view), dtype=np.float32)) else encode(view)


def _given(value: object, shape: tuple[int, ...], what: str) -> Float32:
    if isinstance(value, str) and value == "zero":
        return np.zeros(shape, np.float32)
    if isinstance(value, str) and value == "identity" and what in ("W_intent", "W_context"):
        return np.eye(shape[0], dtype=np.float32)
    return floats(value, shape, what)


def _import_heads(heads: object, params: Params) -> None:
    n = params.layout.n_heads
    if not isinstance(heads, list) or len(heads) != n:
        raise InputError(f"headParams is a list of {n} heads, not {_size(heads)}")
    for h, values in enumerate(heads):
        head = _mapping(values, f"headParams[{h}]")
        _known(head, {"W_q", "W_k"}, f"headParams[{h}]")
        for key, name in (("W_q", "w_q"), ("W_k", "w_k")):
            params[name][h] = floats(head.get(key), params[name][h].shape, f"headParams[{h}].{key}")


def _import_levels(levels: Mapping[str, Any], params: Params) -> None:
    layout = params.layout
    _known(levels, {str(k) for k in range(layout.n_levels)}, "levelParams")
    for k, values in levels.items():
        level = _mapping(values, f"levelParams[{k}]")
        _known(level, set(_LEVEL), f"levelParams[{k}]")
        for key, value in level.items():
            name = _LEVEL[key]
            view = params[f"level{k}.{name}"]
            shape = _to_heads(name, view, layout).shape
            view[:] = _from_heads(name, floats(value, shape, f"levelParams[{k}].{key}"), view.shape)


def _to_heads(name: str, view: Float32, layout: Layout) -> Float32:
    """W (d, d) as (H, d_m, d); a stacked (2 H, d_m) of gat as (H, 2 d_m)."""
    heads = layout.n_message_heads
    if name in ("w_child", "w_parent"):
        return view.reshape(heads, -1, layout.d)
    if name in ("a_up", "a_down") and len(view) == 2 * heads:
        return np.concatenate([view[:heads], view[heads:]], axis=1)
    return view


def _from_heads(name: str, value: Float32, shape: tuple[int, ...]) -> Float32:
    if name in ("a_up", "a_down") and value.shape != shape:
        return np.concatenate([value[:, : shape[1]], value[:, shape[1] :]])
    return value.reshape(shape)


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{what} is a mapping, not {type(value).__name__}")
    return value


def _known(values: Mapping[str, Any], names: set[str], what: str) -> None:
    unknown = sorted(str(key) for key in values if key not in names)
    if unknown:
        raise InputError(f"{what}: unknown key {_check.brief(unknown[0])}")


def _same_model(given: SHGATConfig, own: SHGATConfig) -> None:
    for name in ("attention", "similarity", "fusion", "slope", "reliability"):
        if getattr(given, name) != getattr(own, name):
            raise InputError(f"config.{name} is {getattr(given, name)!r}, this model's is {getattr(own, name)!r}")


def _size(value: object) -> str:
    return str(len(value)) if isinstance(value, list) else type(value).__name__
