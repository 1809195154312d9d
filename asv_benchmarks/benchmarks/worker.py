"""Learning beside the answers: from spawn to swap, and what an answer costs meanwhile."""

import contextlib
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import orjson

import shgat
from shgat import Catalog
from shgat.serving import Ranker
from shgat.serving.learner import Plan

SAMPLE = Path(shgat.__file__).parent / "sample"


class _Gateway:
    """A ranker over the sample catalogue, and 400 traces that are used round and round."""

    timeout = 120
    number = 1
    repeat = 5
    warmup_time = 0

    def open(self, n: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.rows = [orjson.loads(line) for line in (SAMPLE / "train.jsonl").read_bytes().splitlines()]
        self.x = np.load(SAMPLE / "train.npy").astype(np.float32)
        self.ranker = Ranker.open(f"sqlite:///{self.folder.name}/store.db", Catalog.load(SAMPLE), mode="off")
        for i in range(n):
            row = self.rows[i % 400]
            answer = self.ranker.rank(self.x[i % 400], 5, text=row["intent"])
            self.ranker.feedback(answer.decision_id, tools=row["tools"], outcome=row["outcome"])

    def train(self, plan: Plan) -> None:
        ranker = self.ranker
        after, training = ranker._background._learner.train(ranker._journal.store, ranker._background.served, plan)
        assert training is not None
        ranker.serve(after)

    def teardown(self, *_: object) -> None:
        self.ranker.close()
        self.folder.cleanup()


class Live(_Gateway):
    """50 traces, one epoch, from spawn to swap; the child cold or warm."""

    params = (["cold", "warm"],)
    param_names = ("child",)

    def setup(self, child: str) -> None:
        self.open(60)
        if child == "warm":
            self.train(Plan(50, 1, False))
        else:
            self.ranker._background._learner._child.close()

    def time_spawn_to_swap(self, child: str) -> None:
        self.train(Plan(50, 1, False))


class Batch(_Gateway):
    """500 traces, three epochs, from scratch with validation, the child cold."""

    def setup(self) -> None:
        self.open(520)

    def time_spawn_to_swap(self) -> None:
        self.train(Plan(500, 3, True))


class Answering(_Gateway):
    """Milliseconds of an answer, 400 a second, idle and while one training follows the other."""

    params = (["idle", "training"], ["text", "vector"])
    param_names = ("beside", "by")
    unit = "ms"

    def setup(self, beside: str, by: str) -> None:
        self.open(150)
        self.train(Plan(150, 3, True))
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._learn if beside == "training" else self.done.wait)
        self.thread.start()

    def _learn(self) -> None:
        while not self.done.is_set():
            with contextlib.suppress(shgat.WorkerError):
                self.train(Plan(50, 1, False))

    def teardown(self, *_: object) -> None:
        self.done.set()
        self.thread.join()
        super().teardown()

    def _percentile(self, q: float, by: str) -> float:
        took = []
        for i in range(2000):
            began = time.perf_counter()
            self.ranker.rank(self.x[i % 400], 5, text=self.rows[i % 400]["intent"] if by == "text" else None)
            took.append(time.perf_counter() - began)
            time.sleep(0.0025)
        return 1000 * float(np.percentile(took, q))

    def track_p50(self, beside: str, by: str) -> float:
        return self._percentile(50, by)

    def track_p99(self, beside: str, by: str) -> float:
        return self._percentile(99, by)


setattr(Answering.track_p50, "unit", "ms")  # noqa: B010
setattr(Answering.track_p99, "unit", "ms")  # noqa: B010
