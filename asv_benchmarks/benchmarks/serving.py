"""One request to a gateway's ranker: 1 000 tools x 1024 by vector, filtered, ruled, written down; beside the bare product in NumPy."""

import tempfile

import numpy as np

from shgat import Catalog
from shgat.serving import Ranker

N, D, K = 1000, 1024, 10
SERVERS, TAGS = [f"s{i}" for i in range(1, 8)], ["t1", "t2", "t3", "t4"]


def catalogue(n: int = N, d: int = D) -> Catalog:
    """Tools of 20 servers with one tag of ten each."""
    rows = np.random.default_rng(0).standard_normal((n + 10, d)).astype(np.float32)
    tools = [
        {"id": f"s{i % 20}/tool{i}", "text": f"does thing {i}", "server": f"s{i % 20}", "embedding": rows[i]} for i in range(n)
    ]
    tags = [
        {"id": f"tag:t{j}", "tools": [tools[i]["id"] for i in range(j, n, 10)], "embedding": rows[n + j]} for j in range(min(10, n))
    ]
    return Catalog.from_records(tools, tags)


class Asked:
    """How a request is answered, by what is asked for; `numpy` multiplies, masks and sorts, and writes nothing down."""

    params = (["all", "filters", "rules", "explore", "numpy"],)
    param_names = ("asked",)

    def setup(self, asked: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.catalog = catalogue()
        self.x = np.random.default_rng(1).standard_normal((256, D)).astype(np.float32)
        self.unit = self.catalog.tool_embeddings / np.linalg.norm(self.catalog.tool_embeddings, axis=1, keepdims=True)
        self.allowed = np.flatnonzero([t.server in SERVERS for t in self.catalog.tools])
        self.options = {
            "filters": {"servers": SERVERS, "tags": TAGS, "exclude": ["s1/tool1"]},
            "rules": {"rules": {"pin": ["s3/tool3"], "boost": {"s4/tool4": 2.0}, "block": ["s1/tool1"]}},
        }.get(asked, {})
        url = f"sqlite:///{self.folder.name}/store.db"
        self.ranker = Ranker.open(url, self.catalog, mode="off", explore=0.05 if asked == "explore" else None)
        self.at = 0

    def teardown(self, asked: str) -> None:
        self.ranker.close()
        self.folder.cleanup()

    def time_request(self, asked: str) -> None:
        self.at = (self.at + 1) % 256
        if asked == "numpy":
            z = (self.unit @ self.x[self.at])[self.allowed]
            best = np.argpartition(-z, K)[:K]
            self.allowed[best[np.argsort(-z[best])]]
        else:
            self.ranker.rank(self.x[self.at], K, **self.options)


class Opened:
    """From the folder of 10 000 tools x 384 to the first answer."""

    def setup(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        catalogue(10_000, 384).save(self.folder.name)
        self.x = np.random.default_rng(1).standard_normal(384).astype(np.float32)

    def teardown(self) -> None:
        self.folder.cleanup()

    def time_ready(self) -> None:
        with tempfile.TemporaryDirectory() as store, Ranker.open(f"sqlite:///{store}/s.db", self.folder.name, mode="off") as ranker:
            ranker.rank(self.x, K)
