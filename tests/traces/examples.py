"""A small catalogue, traces for it, and files of them."""

from typing import Any

import numpy as np
import orjson
from hypothesis import strategies as st

from shgat.traces import Trace
from training import planted

D = 8
CATALOG = planted.catalog(np.random.default_rng(0), 5, [((0, 1), ()), ((2,), (0,))], D)
GOOD = {"id": "a", "intent": "send it", "tools": ["t0", "t1"], "embedding": [0.5] * D}

names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)
numbers = st.floats(0, 1e12)
any_trace = st.builds(
    Trace,
    intent=st.just("") | names,
    tools=st.lists(names, max_size=4),
    outcome=st.floats(0, 1),
    capability=st.none() | names,
    context_tools=st.lists(names, max_size=3),
    weight=st.floats(0, 1e6),
    duration_ms=st.none() | numbers,
    error=st.none() | names,
    parent_id=st.none() | names,
    timestamp=numbers,
    priority=st.none() | numbers,
    principal=st.just("") | names,
    session=st.just("") | names,
    step=st.none() | st.integers(0, 2**31 - 1),
    end=st.sampled_from(("", "terminal", "truncated")),
    rating=st.none() | st.floats(1, 5),
    offered=st.lists(names, max_size=3),
    propensity=st.none() | st.floats(0, 1, exclude_min=True),
    embedding=st.none() | st.lists(st.floats(-(2.0**40), 2.0**40, width=32), min_size=D, max_size=D),
)


def make_trace(i: int = 0, **changes: Any) -> Trace:
    values: dict[str, Any] = {
        "id": f"t{i}",
        "intent": f"find thé thing № {i}",
        "embedding": np.random.default_rng(i).standard_normal(D).astype(np.float32),
        "tools": ("fs.read", f"tool {i}"),
        "capability": "cap:read",
        "context_tools": ("fs.list",),
        "outcome": (i % 3) / 3,
        "weight": 0.1 + i,
        "duration_ms": 12.5 + i,
        "error": None if i % 3 else "timed out",
        "decision_id": f"d{i}",
        "parent_id": f"t{i // 2}" if i else None,
        "timestamp": 1_700_000_000.123 + i,
    }
    return Trace(**(values | changes))


def columns(trace: Trace) -> dict[str, Any]:
    """Every column of a trace, comparable."""
    return {k: v.tobytes() if isinstance(v, np.ndarray) else v for k, v in vars(trace).items() if k != "seq"}


def write(folder, *records, vectors=None):
    """A file of the records, or of whole lines, and the matrix beside it."""
    path = folder / "traces.jsonl"
    path.write_bytes(b"".join((r if isinstance(r, bytes) else orjson.dumps(r)) + b"\n" for r in records))
    if vectors is not None:
        np.save(folder / "traces.npy", vectors)
    return path
