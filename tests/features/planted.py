"""Catalogues whose capabilities take their tools from hidden groups."""

import numpy as np

from shgat import Catalog
from shgat.features.member_graph import MemberGraph
from shgat.graph import Incidence


def members(n_tools, n_capabilities, n_groups, rng, noise=0.1):
    """The tools of each capability: 3 to 11 of one group, a tenth of them of any."""
    group_of = rng.integers(n_groups, size=n_tools)
    groups = [np.flatnonzero(group_of == g) for g in range(n_groups)]
    rows = []
    for _ in range(n_capabilities):
        own = groups[rng.integers(n_groups)]
        chosen = rng.choice(own, min(int(rng.integers(3, 12)), len(own)), replace=False).tolist()
        rows.append(sorted({t if rng.random() > noise else int(rng.integers(n_tools)) for t in chosen}))
    return rows


def split(rows, rng, share=0.15):
    """(kept, held): a share of each row of more than three is held out, as (tool, row)."""
    kept, held = [], []
    for i, row in enumerate(rows):
        out = set(rng.permutation(row)[: round(share * len(row))].tolist()) if len(row) > 3 else set()
        kept.append([t for t in row if t not in out])
        held += [(t, i) for t in sorted(out)]
    return kept, held


def graph(rows, n_tools):
    """Its graph, without a catalogue."""
    neighbours = [[] for _ in range(n_tools)] + [list(row) for row in rows]
    for i, row in enumerate(rows):
        for t in row:
            neighbours[t].append(n_tools + i)
    nodes = tuple([("tool", f"t{i}") for i in range(n_tools)] + [("capability", f"c{i}") for i in range(len(rows))])
    return MemberGraph(nodes, Incidence.from_rows(neighbours))


def catalog(rows, n_tools, rng=None, d=16, origin="declared"):
    """A catalogue of them, with embeddings where there is a generator."""

    def item(key, **more):
        return {"id": key, **more} if rng is None else {"id": key, "embedding": rng.standard_normal(d), **more}

    tools = [item(f"t{i}") for i in range(n_tools)]
    return Catalog.from_records(tools, [item(f"c{i}", tools=[f"t{t}" for t in r], origin=origin) for i, r in enumerate(rows)])


def auc(space, rows, held, n_tools, rng):
    """How often a held-out link has a larger cosine than a pair that is not linked."""
    v, tools = space.vectors, [space.number["tool", f"t{t}"] for t in range(n_tools)]
    known = [t for t in range(n_tools) if v[tools[t]].any()]
    linked, others = [], []
    for t, i in held:
        if not v[tools[t]].any():
            continue
        c = v[space.number["capability", f"c{i}"]]
        stranger = int(rng.choice(known))
        while stranger in rows[i]:
            stranger = int(rng.choice(known))
        linked.append(c @ v[tools[t]])
        others.append(c @ v[tools[stranger]])
    a, b = np.array(linked), np.array(others)
    return float(((a[:, None] > b).mean() + (a[:, None] >= b).mean()) / 2)
