"""A small town with habits: for each of twelve wishes another tool works than the one that fits best by its embedding.

What works is a function from a wish to a tool, so that a test may change the habit. People take one of the first two tools that they are shown.
"""

import time
from dataclasses import dataclass

import numpy as np

from shgat import SHGAT, Catalog, Traces
from shgat.pipeline.settings_file import of_table
from shgat.registry import StoreRegistry, facts_of
from shgat.store import Store
from shgat.traces import Trace

D, WISHES = 16, 12
_EMBEDDINGS = np.random.default_rng(0).standard_normal((2 * WISHES, D))


def good(wish):
    """The habit of today."""
    return WISHES + wish


def former(wish):
    """Another habit: what was so before, or what a shuffled log says."""
    return WISHES + (wish + 5) % WISHES


def catalog():
    return Catalog.from_records(
        [{"id": f"t{i}", "text": f"tool {i}", "embedding": _unit(x)} for i, x in enumerate(_EMBEDDINGS)], []
    )


@dataclass(frozen=True, eq=False)
class Asked:
    """One intent: which wish, its embedding, and what is said."""

    wish: int
    embedding: object
    text: str


def asked(rng, n):
    rows = [(w, 0.15 * rng.standard_normal(D)) for w in rng.integers(0, WISHES, n).tolist()]
    return [Asked(w, _unit(_unit(_EMBEDDINGS[w]) + noise), f"wish {w} for {rng.integers(1000)}") for w, noise in rows]


def lived(rng, n, works=good, *, begin=-20.0, end=0.0, name="a"):
    """n traces, evenly over days relative to now, the last one a moment ago."""
    times = time.time() - 60.0 + 86400.0 * np.linspace(begin, end, n)
    return [
        Trace(
            id=f"{name}{i}",
            intent=a.text,
            embedding=a.embedding,
            tools=(f"t{works(a.wish)}",),
            timestamp=float(t),
        )
        for i, (a, t) in enumerate(zip(asked(rng, n), times, strict=True))
    ]


def fill(url, traces):
    """A store with the catalogue and traces."""
    with Store.open(url, D) as store:
        store.keep_catalog(catalog())
        store.add_traces(traces)


def content(ids, a, works=good):
    """Does a person find what works?"""
    return float(f"t{works(a.wish)}" in ids[:2])


def serve_former(url):
    """Puts a model into production that has learned the habit of before."""
    model = SHGAT.from_catalog(catalog())
    assert model.fit(Traces.from_records(lived(np.random.default_rng(2), 150, former, name="f"), catalog())).accepted
    with Store.open(url, D) as store:
        registry = StoreRegistry(store)
        number = registry.add(model.to_bytes(), facts_of(model, 1.0)).number
        registry.move("production", number, who="ann")
        return number


def settings(folder, **sections):
    """Settings of a short pipeline, whose store an environment variable names."""
    return of_table({"store": "env:TOWN_URL", "evaluation": {"protocols": []}, "canary": {"percent": 0}, **sections}, folder)


def _unit(x):
    return (x / np.linalg.norm(x)).astype(np.float32)
