"""Small catalogues and traces whose answer is known."""

import collections
import dataclasses

import numpy as np

from shgat import SHGAT, Catalog, SHGATConfig, Traces, TrainingConfig
from shgat.graph import Incidence
from shgat.model.index import stack
from shgat.model.memory import Memory

FLAT = [((0, 1, 2), ()), ((), ()), ((4, 1, 3), ())]
DEEP = [((0, 1), ()), ((3,), (0, 2)), ((2, 1, 4), ()), ((1,), (0,)), ((5, 1), (1,)), ((0,), (1, 3, 2))]  # levels 0 1 0 1 2 2


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def catalog(rng, n_tools, members, d, **more):
    """Tools t0, t1, ... and capabilities c0, c1, ... with the given (tools, capabilities) and `more` fields."""
    tools = [{"id": f"t{i}", "text": f"tool {i}", "embedding": e} for i, e in enumerate(unit(rng.standard_normal((n_tools, d))))]
    capabilities = [
        {
            "id": f"c{i}",
            "text": f"set {i}",
            "tools": [f"t{t}" for t in of[0]],
            "capabilities": [f"c{c}" for c in of[1]],
            "embedding": e,
            **more,
        }
        for i, (of, e) in enumerate(zip(members, unit(rng.standard_normal((len(members), d))), strict=True))
    ]
    return Catalog.from_records(tools, capabilities)


def record(i, embedding, tools, **more):
    return {"id": f"x{i}", "intent": f"intent {i}", "embedding": embedding, "tools": [f"t{t}" for t in tools], **more}


def shaken(model, rng, size=0.3):
    """The model with every parameter away from its start, gates open."""
    layout = model.params.layout
    for view in model.params.values():
        noise = rng.standard_normal(view.shape).astype(np.float32)
        view += np.float32(size / np.sqrt(view.shape[-1]) if view.ndim > 1 else 0.2) * noise
    for k in range(layout.n_levels):
        for way in ("up", "down"):
            model.params[f"level{k}.gate_{way}"][:] = (0.7, 0.4, -0.5)
    model.params["log_scale"][:] = 1.0
    model.invalidate()
    return model


def rotated(rng, n_tools=30, n_traces=300, d=16, noise=0.15, *, rotation=None, of=None, **more):
    """(catalogue, records, rotation): each intent is a rotated tool embedding and noise, so that cosine finds nothing."""
    pairs = [((i, i + 1), ()) for i in range(0, n_tools - 1, 2)]
    of = catalog(rng, n_tools, pairs, d) if of is None else of
    rotation = np.linalg.qr(rng.standard_normal((d, d)))[0] if rotation is None else rotation
    wanted = rng.permutation(np.arange(n_traces) % n_tools)
    intents = unit(of.tool_embeddings[wanted] @ rotation.T + noise / np.sqrt(d) * rng.standard_normal((n_traces, d)))
    records = [record(i, x, [t], **more) for i, (x, t) in enumerate(zip(intents, wanted.tolist(), strict=True))]
    return of, records, rotation


def planted_model(seed=0, config=None, **options):
    """(untrained model, traces, rotation)"""
    of, records, rotation = rotated(np.random.default_rng(seed), **options)
    return SHGAT.from_catalog(of, config or SHGATConfig()), Traces.from_records(records, of), rotation


def hit_at_1(model, traces):
    best = model.score(traces.vectors(np.arange(len(traces)))).argmax(axis=1)
    return float(np.mean([b in traces.tools.row(i) for i, b in enumerate(best.tolist())]))


def start_rows(model):
    """(n, d) float64 frozen embeddings of the stacked nodes."""
    return stack(model.catalog, model.params, offsets=False).astype(np.float64)


def mined(rng, n_tools=20, n_traces=90, d=16, *, named=False):
    """Every trace runs a random pair or triple; the catalogue holds each such set as a capability, some in others."""
    sets = [tuple(sorted(rng.choice(n_tools, int(rng.integers(2, 4)), replace=False).tolist())) for _ in range(n_traces)]
    unique = list(dict.fromkeys(sets))
    members = [(s, ()) for s in unique] + [((1,), (0, 3, 5)), ((2,), (len(unique),))]
    of = catalog(rng, n_tools, members, d)
    records = [
        record(i, rng.standard_normal(d), s, **({"capability": f"c{unique.index(s)}"} if named else {})) for i, s in enumerate(sets)
    ]
    return of, records


def poisoned(of, columns, rng):
    """The catalogue with other texts and embeddings of some capabilities."""
    embeddings = of.capability_embeddings.copy()
    embeddings[columns] = unit(rng.standard_normal((len(columns), embeddings.shape[1])))
    capabilities = tuple(dataclasses.replace(c, text="poison") if i in columns else c for i, c in enumerate(of.capabilities))
    return Catalog(of.tools, capabilities, of.tool_embeddings, embeddings)


def memory(rng, n=50, d=8, n_tools=9):
    """(memory of random traces, the tools of each)"""
    rows = [rng.choice(n_tools, int(rng.integers(1, 4)), replace=False).tolist() for _ in range(n)]
    texts = [" ".join(rng.choice(["mail", "page", "send", "open", "anna", "file"], 4)) for _ in range(n)]
    vectors = unit(rng.standard_normal((n, d))).astype(np.float32)
    return Memory(tuple(map(str, range(n))), vectors, texts, Incidence.from_rows(rows)), rows


def bm25(documents, query, k1=1.5, b=0.75):
    """Lucene's BM25, by its formula."""
    n, mean = len(documents), np.mean([len(d) for d in documents])
    scores = np.zeros(n)
    for word in query:
        containing = sum(word in d for d in documents)
        idf = np.log(1.0 + (n - containing + 0.5) / (containing + 0.5))
        for i, d in enumerate(documents):
            tf = collections.Counter(d)[word]
            scores[i] += idf * tf / (tf + k1 * (1.0 - b + b * len(d) / mean))
    return scores


def settled(**changes):
    """Training settings that leave nothing to the occasion."""
    return TrainingConfig(**{"epochs": 20, "batch_size": 64, "lr": 1e-3, "rho": 1.0} | changes)
