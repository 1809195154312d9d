"""Learning beside the answers: from spawn to swap, and what an answer costs meanwhile."""

import asyncio
import gc
import os
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import orjson

import shgat
from shgat import Catalog
from shgat.learning.learner import Learner, Plan
from shgat.learning.scheduler import BATCH, LIVE
from shgat.registry import Versions
from shgat.serving import Ranker
from shgat.store import Store
from shgat.worker import Child

SAMPLE = Path(shgat.__file__).parent / "sample"


class _Gateway:
    """A ranker over the sample catalogue, 400 traces that are used round and round, and a learner that trains when it is told to."""

    timeout = 120
    number = 1
    repeat = 5
    warmup_time = 0

    def open(self, n: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.rows = [orjson.loads(line) for line in (SAMPLE / "train.jsonl").read_bytes().splitlines()]
        self.x = np.load(SAMPLE / "train.npy").astype(np.float32)
        catalog, url = Catalog.load(SAMPLE), f"sqlite:///{self.folder.name}/store.db"
        self.ranker, self.store, self.child = Ranker.open(url, catalog, mode="off"), Store.open(url), Child()
        self.learner = Learner(Versions(catalog, "local"), self.child, 0)
        for i in range(n):
            row = self.rows[i % 400]
            answer = self.ranker.rank(self.x[i % 400], 5, text=row["intent"])
            self.ranker.feedback(answer.decision_id, tools=row["tools"], outcome=row["outcome"])

    def train(self, plan: Plan) -> None:
        after, training = self.learner.train(self.store, self.ranker.slots.production, plan)
        assert training is not None
        self.ranker.slots.put(after)

    def teardown(self, *_: object) -> None:
        self.learner.close()
        self.store.close()
        self.ranker.close()
        self.folder.cleanup()


class Live(_Gateway):
    """50 traces, one epoch, from spawn to swap; the child cold or warm."""

    params = (["cold", "warm"],)
    param_names = ("child",)

    def setup(self, child: str) -> None:
        self.open(60)
        if child == "warm":
            self.train(LIVE)

    def time_spawn_to_swap(self, child: str) -> None:
        self.train(LIVE)


class Batch(_Gateway):
    """500 traces, three epochs, from scratch with validation, the child cold."""

    def setup(self) -> None:
        self.open(520)

    def time_spawn_to_swap(self) -> None:
        self.train(BATCH)


class Answering(_Gateway):
    """An asyncio gateway on one core, its child on another: 300 answers a second, idle and while one training follows the other.

    Its event loop sleeps for a millisecond at a time; the lag is how much later it wakes. As docs/gateway.md has it, the gateway calls
    `gc.freeze()` when it is set up.
    """

    params = (["text", "vector"],)
    param_names = ("by",)

    def setup(self, by: str) -> None:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[-1:])  # threads that are started later inherit it
        self.open(150)
        self.train(Plan(150, 3, True))
        for thread in Path(f"/proc/{self.child.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores[:1])
        while self.ranker.stats()["waiting_for_store"]:
            time.sleep(0.01)
        gc.collect()
        gc.freeze()
        self.texts = [row["intent"] if by == "text" else None for row in self.rows]

    def segment(self, training: bool) -> tuple[list[float], list[float]]:
        """Seconds of each answer, and of the lag of each heartbeat, during one training or half a second."""
        done, took, lags = threading.Event(), list[float](), list[float]()

        def beside() -> None:
            if training:
                self.train(LIVE)
            else:
                time.sleep(0.5)
            done.set()

        async def heart() -> None:
            while not done.is_set():
                slept = time.perf_counter()
                await asyncio.sleep(0.001)
                lags.append(time.perf_counter() - slept - 0.001)

        async def answers() -> None:
            while not done.is_set():
                i, began = len(took) % 400, time.perf_counter()
                self.ranker.rank(self.x[i], 5, text=self.texts[i])
                took.append(time.perf_counter() - began)
                await asyncio.sleep(1 / 300)

        async def both() -> None:
            await asyncio.gather(heart(), answers())

        thread = threading.Thread(target=beside)
        thread.start()
        asyncio.run(both())
        thread.join()
        return took, lags

    def p99(self, training: bool) -> float:
        return 1000 * float(np.percentile(np.concatenate([self.segment(training)[0] for _ in range(10)]), 99))

    def lag(self, training: bool) -> float:
        return 1000 * float(np.median([max(self.segment(training)[1]) for _ in range(10)]))

    def track_p99_while_training(self, by: str) -> float:
        return self.p99(True)

    def track_p99_while_training_over_idle(self, by: str) -> float:
        return self.p99(True) / self.p99(False)

    def track_worst_lag_idle(self, by: str) -> float:
        return self.lag(False)

    def track_worst_lag_of_a_training(self, by: str) -> float:
        return self.lag(True)


for _name, _unit in (
    ("p99_while_training", "ms"), ("p99_while_training_over_idle", "ratio"),
    ("worst_lag_idle", "ms"), ("worst_lag_of_a_training", "ms"),
):  # fmt: skip
    setattr(getattr(Answering, f"track_{_name}"), "unit", _unit)  # noqa: B010
