"""Remembered traces: what a request pays for them, with all of them compared and with the nearest cells alone, and what a file holds."""

from dataclasses import replace

import numpy as np

from benchmarks.neighbours import model, rows
from benchmarks.sizes import sized
from shgat import SHGAT
from shgat.graph import Incidence
from shgat.model import memory as module
from shgat.model.channels import Fusion, Learned
from shgat.model.memory import Memory

TOOLS = 2000
VERBS = ["read", "write", "list", "send", "find", "close", "open", "merge", "plan", "book", "pay", "call", "sort", "print", "check"]


def remembering(n: int) -> SHGAT:
    """A model with the memory of so many traces: popular tools by far the most, each asked for beside its own embedding."""
    plain = model(TOOLS)
    if not n:
        learned = Learned(Fusion.cold_start(), Memory.empty(384), tuple(plain.tool_ids), frozenset())
        return SHGAT(replace(plain.state, learned=learned))
    rng = np.random.default_rng(1)
    popular = 1.0 / np.arange(1, TOOLS + 1)
    tools = rng.choice(TOOLS, n, p=popular / popular.sum()).astype(np.int32)
    embeddings = plain.catalog.tool_embeddings
    vectors = np.empty((n, 384), np.float16)
    for at in range(0, n, 50_000):
        part = tools[at : at + 50_000]
        x = embeddings[part] + np.float32(0.04) * rng.standard_normal((len(part), 384), dtype=np.float32)
        vectors[at : at + 50_000] = x / np.linalg.norm(x, axis=1, keepdims=True)
    words = rng.integers(0, len(VERBS), (n, 4))
    texts = [" ".join(VERBS[w] for w in row) + f" item {t}" for row, t in zip(words.tolist(), tools.tolist(), strict=True)]
    heard = Memory(tuple(f"trace-{i}" for i in range(n)), vectors, texts, Incidence(np.arange(n + 1, dtype=np.int32), tools))
    kept = Memory.empty(384).extended(replace(heard, vectors=vectors.astype(np.float32)))
    learned = Learned(Fusion.cold_start(), kept, tuple(plain.tool_ids), frozenset())
    return SHGAT(replace(plain.state, learned=learned))


class RequestWithMemory:
    """2000 tools x 384, channels semantic and memory; and the words of the traces where the intent has its text."""

    params = (sized([0, 20_000, 1_000_000], [0, 10_000]), ["cells", "all"], ["vector", "text"])
    param_names = ("traces", "compared", "by")
    timeout = 600

    def setup(self, traces: int, compared: str, by: str) -> None:
        self.celled = module.CELLED
        if compared == "all":
            if not traces:
                raise NotImplementedError("there is nothing to compare")
            module.CELLED = 10**9
        self.model, self.at = remembering(traces), 0
        self.intents, self.text = rows(200, 5), "read and write the item 17" if by == "text" else None
        self.model.rank(self.intents[0], text=self.text)

    def teardown(self, traces: int, compared: str, by: str) -> None:
        module.CELLED = self.celled

    def time_request(self, traces: int, compared: str, by: str) -> None:
        self.at = (self.at + 1) % 200
        self.model.rank(self.intents[self.at], 10, text=self.text)

    def track_file_megabytes(self, traces: int, compared: str, by: str) -> float:
        return len(self.model.to_bytes()) / 1e6
