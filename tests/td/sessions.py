"""Small sessions for tests: sizes, and everything else at random."""

import numpy as np

from shgat.graph import Incidence
from shgat.td.episodes import Episodes

D, N_TOOLS = 5, 7


def episodes(lengths=(3, 1, 0, 4), seed=0, offer=False, terminal=None, **columns):
    """Sessions of these lengths over 7 tools."""
    rng = np.random.default_rng(seed)
    n = sum(lengths)
    made = {
        "indptr": np.cumsum([0, *lengths]),
        "intents": rng.standard_normal((3, D), dtype=np.float32),
        "intent": rng.integers(3, size=n).astype(np.int32),
        "actions": rng.integers(N_TOOLS, size=n).astype(np.int32),
        "rewards": rng.standard_normal(n),
        "outcomes": rng.random(n),
        "seconds": 10 * rng.random(n),
        "terminal": np.ones(len(lengths), np.bool_) if terminal is None else np.array(terminal),
        "propensity": rng.uniform(0.2, 1.0, n),
    } | columns
    if offer:
        made["offered"] = Incidence.from_rows([{int(a), *rng.integers(N_TOOLS, size=3).tolist()} for a in made["actions"]])
    return Episodes(**made)


def embeddings(seed=1):
    return np.random.default_rng(seed).standard_normal((N_TOOLS, D), dtype=np.float32)
