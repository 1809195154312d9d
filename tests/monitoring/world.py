"""A ranker whose store holds a version and the executions that it was made of, and everything that can go wrong with it, for real.

Each fault is a context: it is there inside, and mended at the end. Nobody here is told of the monitor.
"""

import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from shgat import SHGAT, Catalog
from shgat.drift import kept
from shgat.learning.stopwatch import LATELY
from shgat.registry import StoreRegistry, facts_of
from shgat.serving import Ranker
from shgat.store import Store
from shgat.store.feature_build import build_features
from shgat.traces import Trace

D, TOOLS, BEFORE, LATEST = 32, 6, 400, 180
_RNG = np.random.default_rng(0)
_EMBEDDINGS = _RNG.standard_normal((2 * TOOLS, D))  # of tools, and of what nobody asked for yet


def unit(x):
    return (x / np.linalg.norm(x)).astype(np.float32)


def catalog(rows=_EMBEDDINGS):
    tools = [{"id": f"t{i}", "text": f"tool {i}", "embedding": unit(rows[i])} for i in range(TOOLS)]
    sets = [
        {"id": f"c{i}", "text": f"set {i}", "tools": [f"t{i}", f"t{i + 2}"], "embedding": unit(_EMBEDDINGS[i])} for i in range(4)
    ]
    return Catalog.from_records(tools, sets, encoder="town")


class Encoder:
    """Texts are "wish W nr N": near what tool W does."""

    id, dimension, down = "town", D, False

    def encode(self, texts):
        if self.down:
            raise OSError("connection refused")
        return np.stack([self._one(text) for text in texts])

    @staticmethod
    def _one(text):
        words = text.split()
        wish, number = (int(words[1]), int(words[3])) if len(words) == 4 and words[0] == "wish" else (0, 0)
        return unit(unit(_EMBEDDINGS[wish]) + 0.12 * np.random.default_rng(number).standard_normal(D))


class World:
    """Attributes
    ----------
    ranker : that serves
    """

    def __init__(self, url):
        self.url, self.encoder, self._n = url, Encoder(), 0
        made = time.time() - 600.0
        with Store.open(url, D, clock=lambda: made) as store:
            store.keep_catalog(catalog())
            store.add_traces([
                Trace(id=f"b{i}", intent=(text := f"wish {i % TOOLS} nr {100_000 + i}"), embedding=Encoder._one(text), tools=(f"t{i % TOOLS}",),
                      outcome=float(i % 20 != 7), timestamp=made - 3600.0 + i)
                for i in range(BEFORE)
            ])  # fmt: skip
            registry = StoreRegistry(store)
            model = SHGAT.from_catalog(catalog())
            number = registry.add(model.to_bytes(), facts_of(model, 1.0)).number
            registry.move("production", number, who="ann")
            kept.keep(store, catalog(), number, made)
            assert build_features(store).written
        self.ranker = Ranker.open(url, catalog(), mode="off", encoder=self.encoder)

    def close(self):
        self.ranker.close()

    def people(self, n, wishes=range(TOOLS), works=lambda tool: True, settle=True):
        """n of them ask and tell; the tool that fits is run."""
        for _ in range(n):
            self._n += 1
            wish = wishes[self._n % len(wishes)]
            answer = self.ranker.rank(None, text=f"wish {wish} nr {self._n}")
            tool = f"t{wish % TOOLS}"
            self.ranker.feedback(
                answer.decision_id, tools=[tool], outcome=float(works(tool) and self._n % 20 != 7), duration_ms=120.0, rating=4.0
            )
        if settle:
            self.settle()

    def settle(self):
        """Waits until the store has it."""
        until = time.monotonic() + 30
        while self.ranker.stats()["waiting_for_store"]:
            assert time.monotonic() < until
            time.sleep(0.02)

    # ---------------------------------------------------------------- faults
    @contextmanager
    def collapse(self):
        """The embeddings of all tools become one."""
        self._serve(np.tile(_EMBEDDINGS[:1], (TOOLS, 1)) + 0.001 * np.random.default_rng(1).standard_normal((TOOLS, D)))
        yield
        self._serve(_EMBEDDINGS)

    @contextmanager
    def score_shift(self):
        """The tools' embeddings move away from what they stood for, the intents do not."""
        noise = np.random.default_rng(2).standard_normal((TOOLS, D))
        self._serve(np.stack([unit(x) + 0.8 * unit(e) for x, e in zip(_EMBEDDINGS, noise, strict=False)]))
        yield
        self._serve(_EMBEDDINGS)

    def _serve(self, rows):
        self.ranker.add([{"id": t.id, "text": t.text, "embedding": t.embedding} for t in catalog(rows).tools])

    @contextmanager
    def stale_features(self):
        with Store.open(self.url) as store:
            state, rows = store.feature_state(), list(store.features().values())
            store.put_features([replace(row, computed_at=row.computed_at - 3 * 86400.0) for row in rows], state)
            yield
            store.put_features(rows, state)

    @contextmanager
    def missing_embeddings(self):
        with Store.open(self.url) as store:
            state, rows = store.feature_state(), list(store.features().values())
            store.put_features(rows[:-1], state)
            yield
            store.put_features(rows, state)

    @contextmanager
    def slow_store(self):
        """Somebody else holds the write lock for most of the time."""
        stop = threading.Event()

        def hold():
            other = sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=30, isolation_level=None)
            while not stop.is_set():
                other.execute("BEGIN IMMEDIATE")
                stop.wait(1.6)
                other.execute("COMMIT")
                stop.wait(0.2)
            other.close()

        thread = threading.Thread(target=hold)
        thread.start()
        try:
            time.sleep(0.05)
            self.people(1, settle=False)
            time.sleep(1.2)
            yield
        finally:
            stop.set()
            thread.join()
        self.settle()
        time.sleep(LATELY)

    @contextmanager
    def dead_encoder(self):
        self.encoder.down = True
        self.people(30)
        yield
        self.encoder.down = False
        until = time.monotonic() + 90
        while self.ranker.stats()["encoder"]["trouble"]:
            assert time.monotonic() < until
            self.people(1)
            time.sleep(0.2)

    @contextmanager
    def drifted_intents(self):
        """People ask for what nobody asked for before."""
        self.people(LATEST, wishes=range(TOOLS, 2 * TOOLS))
        yield
        self.people(LATEST)

    @contextmanager
    def failing_tool(self):
        """One works no more; people ask for it as often as ever."""
        self.people(LATEST, works=lambda tool: tool != "t3")
        yield
        self.people(LATEST)


FAULTS = {
    "collapse": "EmbeddingsCollapsed",
    "stale_features": "FeaturesStale",
    "missing_embeddings": "EmbeddingsMissing",
    "slow_store": "StoreSlow",
    "dead_encoder": "EncoderDown",
    "drifted_intents": "IntentsDrifted",
    "failing_tool": "ToolsFailing",
    "score_shift": "ScoresShifted",
}
