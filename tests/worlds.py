"""Catalogues and models to test with."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from shgat import SHGAT, Catalog, SHGATConfig
from shgat.features.static import built_in

SAMPLE = Path(__file__).parent.parent / "src" / "shgat" / "sample"
SETS = ("n8n", "numpybank", "livemcpbench", "metatool", "toollens")
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=5) | st.sampled_from(["a", "b", "c"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "text", "tools", "capabilities", "success_rate", "uses", "embedding", "parent", "server"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)  # now and then under a record's keys


class Counting:
    """The static vectors under another name, which count what they are asked for, wait at a gate, and fail where they are told to."""

    id, dimension, query_prefix, passage_prefix = "counting", 384, "", ""

    def __init__(self):
        self.texts, self.gate, self.broken = [], None, False

    def encode(self, texts):
        self.texts += texts
        if self.gate is not None:
            self.gate.wait(10)
        if self.broken:
            raise OSError("gone")
        return built_in().encode(texts)


def real_set(name):
    """The folder of one real data set; skips where SHGAT_DATA does not name their folder."""
    root = os.environ.get("SHGAT_DATA")
    if not root:
        pytest.skip("SHGAT_DATA names no folder of data sets")
    return Path(root) / name


def records(rng, n_tools=14, n_capabilities=10, d=16):
    """Tools and capabilities of up to three levels, members mixed; the last two tools are in none, one capability is empty."""
    tools = [{"id": f"t{i}", "embedding": unit(rng, d)} for i in range(n_tools)]
    capabilities = []
    for c in range(n_capabilities):
        level = min(2, 3 * c // n_capabilities)
        inside = rng.choice(max(n_tools - 2, 1), size=min(max(n_tools - 2, 1), int(rng.integers(1, 4))), replace=False)
        members = [f"t{t}" for t in inside.tolist()] if c != 1 else []
        lower = [f"c{m}" for m in range(c) if min(2, 3 * m // n_capabilities) == level - 1]
        capabilities.append(
            {"id": f"c{c}", "embedding": unit(rng, d), "tools": members, "capabilities": lower[: int(rng.integers(1, 4))]}
        )
    return tools, capabilities


def unit(rng, d):
    x = rng.standard_normal(d).astype(np.float32)
    return x / np.linalg.norm(x)


def catalog(seed=0, **sizes):
    return Catalog.from_records(*records(np.random.default_rng(seed), **sizes))


def opened(model, seed=0):
    """The model with parameters as after training: gates open, maps moved, context heard."""
    rng = np.random.default_rng(seed)
    for name, view in model.params.items():
        if "gate" in name:
            view[:] = (0.7, 0.3, -0.2)
        elif name not in ("log_scale", "residual_logit", "temperature_logit"):
            view += (0.1 * rng.standard_normal(view.shape)).astype(np.float32)
    model.invalidate()
    return model


def trained(seed=0, config=None, **sizes):
    return opened(SHGAT.from_catalog(catalog(seed, **sizes), config or SHGATConfig(), seed), seed)


def pairs(n_tools=12):
    return [(f"t{i}", f"t{(i * 5 + 1) % n_tools}", 1.0 + i) for i in range(n_tools) if i != (i * 5 + 1) % n_tools]


def cosine64(x, rows):
    x, rows = np.asarray(x, np.float64), np.asarray(rows, np.float64)
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)) @ (rows / np.linalg.norm(rows, axis=1, keepdims=True)).T


def assert_cosine_order(ids, expected, column):
    """The ids stand in descending order of the float64 cosines (n,), up to what float32 can tell apart."""
    values = expected[[column[i] for i in ids]]
    assert (np.diff(values) <= 5e-7).all()
    assert values[-1] >= np.sort(expected)[::-1][len(ids) - 1] - 5e-7
