"""Many tools: one pass over all keys beside what memory can do, and candidates of a graph beside usearch and faiss alone."""

from functools import cache

import numpy as np

from benchmarks.sizes import sized
from peers import contender
from shgat import SHGAT, Catalog, Tool

D, TOPICS = 384, 5000
N = sized(50_000, 5000)  # tools


def rows(n: int, seed: int) -> np.ndarray:
    """(n, 384) of length 1: topics in 48 dimensions, their tools around them, and a little of everything."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(99)
    spread = fixed.standard_normal((48, D), dtype=np.float32) / np.float32(np.sqrt(48))
    topics = fixed.standard_normal((TOPICS, 48), dtype=np.float32)
    x = topics[rng.integers(0, TOPICS, n)] + np.float32(0.8) * rng.standard_normal((n, 48), dtype=np.float32)
    x = x @ spread + np.float32(0.3) * rng.standard_normal((n, D), dtype=np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@cache
def model(n: int) -> SHGAT:
    return SHGAT.from_catalog(Catalog.from_records([Tool(f"tool{i}", embedding=row) for i, row in enumerate(rows(n, 0))]))


class RankHundredThousand:
    """100 000 tools x 384, exact: a request, the bare product, and one reading of the same bytes."""

    params = (["shgat", "numpy", "reading"],)
    param_names = ("by",)
    timeout = 300

    def setup(self, by: str) -> None:
        made, x = model(100_000), rows(1, 5)[0]
        keys, out = made.index().tools.keys, np.empty(100_000, np.float32)
        does = {"shgat": lambda: made.rank(x), "numpy": lambda: np.dot(keys, x, out), "reading": keys.max}
        self.does = does[by]

    def time_request(self, by: str) -> None:
        self.does()


class Propose:
    """50 000 tools x 384, ten best: a request with neighbours, one without, and the libraries alone at the same parameters."""

    params = (["shgat", "exact", "usearch", "faiss"],)
    param_names = ("by",)
    timeout = 600

    def setup(self, by: str) -> None:
        keys, self.intents = rows(N, 0), rows(200, 5)
        self.right = np.argsort(-(self.intents @ keys.T), axis=1)[:, :10]
        if by in ("shgat", "exact"):
            made = model(N)
            if by == "shgat":
                made.build_neighbours(threads=1)
            self.ask = lambda x: [int(i[4:]) for i in made.rank(x).ids]
        else:
            self.ask = contender(by).search(keys, 10)
        self.at = 0

    def time_request(self, by: str) -> None:
        self.at = (self.at + 1) % 200
        self.ask(self.intents[self.at])

    def track_recall_at_10(self, by: str) -> float:
        return float(np.mean([len(set(self.ask(x)) & set(r)) / 10 for x, r in zip(self.intents, self.right.tolist(), strict=True)]))


class Allowed:
    """The same with a filter that leaves a share of the tools."""

    params = ([0.5, 0.1, 0.01], ["shgat", "exact"])
    param_names = ("share", "by")
    timeout = 600

    def setup(self, share: float, by: str) -> None:
        from shgat.model import scoring

        made, x = model(N), rows(1, 5)[0]
        if by == "shgat":
            made.build_neighbours(threads=1)
        index = made.index()
        allowed = np.flatnonzero(np.random.default_rng(1).random(N) < share).astype(np.int32)
        self.does = lambda: scoring.rank(index, x, 10, "tools", None, (), allowed, None)

    def time_request(self, share: float, by: str) -> None:
        self.does()


class OpenNeighbours:
    """The file of 50 000 tools, checked and mapped."""

    timeout = 600

    def setup_cache(self) -> str:
        from pathlib import Path
        from tempfile import mkdtemp

        from shgat.model import neighbour_file

        made = model(N)
        made.build_neighbours(threads=1)
        path = Path(mkdtemp()) / "model.neighbours"
        neighbour_file.save(made.index().neighbours, path)
        return str(path)

    def setup(self, path: str) -> None:
        self.keys = model(N).index().tools.keys

    def time_open(self, path: str) -> None:
        from pathlib import Path

        from shgat.model import neighbour_file

        neighbour_file.load(Path(path), self.keys)
