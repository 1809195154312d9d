"""One request of a principal whose own executions count, 1 000 tools x 1024; beside nobody's, and NumPy's reading of the executions."""

import tempfile

import numpy as np

from shgat.learning.habits import MOST
from shgat.serving import Ranker

from .serving import D, K, catalogue


class Whose:
    """How a request is answered, by who asks; `numpy` multiplies and weighs a principal's executions alone."""

    params = (["nobody", "unknown", "own", "numpy"],)
    param_names = ("whose",)
    timeout = 300

    def setup(self, whose: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        catalog = catalogue()
        self.ranker = Ranker.open(f"sqlite:///{self.folder.name}/store.db", catalog, mode="off", journal=None)
        rng = np.random.default_rng(1)
        near = rng.integers(0, len(catalog.tools), MOST)
        self.x = (catalog.tool_embeddings[near] + 0.1 * rng.standard_normal((MOST, D))).astype(np.float32)
        self.unit, self.ran = self.x / np.linalg.norm(self.x, axis=1, keepdims=True), (near + 1) % len(catalog.tools)
        if whose == "own":
            keys = [self.ranker.rank(x, K, principal="team").decision_id for x in self.x]
            for key, tool in zip(keys, self.ran, strict=True):
                self.ranker.feedback(key, tools=[catalog.tools[tool].id], outcome=1.0)
            self.ranker.principals.settle()
            self.ranker.principals.forget(keys)  # they are not new any more: what is timed is reading the executions
            self.ranker.principals.pin("team", "on")
        self.principal = {"unknown": "stranger", "own": "team"}.get(whose)
        self.at = 0

    def teardown(self, whose: str) -> None:
        self.ranker.close()
        self.folder.cleanup()

    def time_request(self, whose: str) -> None:
        self.at = (self.at + 1) % MOST
        x = self.x[self.at]
        if whose == "numpy":
            like = 1.0 / (1.0 + np.exp(-20.0 * (self.unit @ (x / np.linalg.norm(x)) - 0.6)))
            np.bincount(self.ran, like, len(self.ranker.catalog.tools))
        else:
            self.ranker.rank(x, K, principal=self.principal)
