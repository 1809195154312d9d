"""Many requests to one ranker: memory, descriptors and the store keep to their bounds. SHGAT_SOAK_REQUESTS=1000000 for a million."""

import gc
import os
import time
from pathlib import Path

import numpy as np
import pytest

from people import until
from processes import descriptors
from shgat import Catalog
from shgat.learning import scheduler
from shgat.serving import Ranker
from shgat.store import Retention

REQUESTS = int(os.environ.get("SHGAT_SOAK_REQUESTS", "30000"))
KEPT = 20_000
GROWTH = 48 << 20  # bytes, from a fifth of the requests on; 10 000 decisions of 256 numbers are held besides


def resident():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_memory_descriptors_and_store_keep_to_their_bounds(tmp_path, monkeypatch):
    monkeypatch.setattr(scheduler, "RETAIN", 5.0)
    rng, n, d = np.random.default_rng(0), 1000, 256
    rows = rng.standard_normal((n, d)).astype(np.float32)
    tools = [
        {"id": f"s{i % 20}/tool{i}", "server": f"s{i % 20}", "text": f"does thing {i}", "embedding": rows[i]} for i in range(n)
    ]
    servers, file = [f"s{i}" for i in range(1, 11)], tmp_path / "store.db"
    retention, took = Retention(decisions=KEPT, traces=KEPT), []
    with Ranker.open(f"sqlite:///{file}", Catalog.from_records(tools), mode="off", retention=retention) as ranker:
        for i in range(REQUESTS):
            if i == REQUESTS // 5:
                until(lambda: ranker.stats()["waiting_for_store"] == 0, 300.0)
                memory, held = resident(), descriptors()
            x = rows[i % n] + rows[(7 * i) % n]
            started = time.perf_counter()
            answer = ranker.rank(x, 5, session=f"session {i % 5000}", order="stable" if i % 10 == 0 else "score", servers=servers)
            took.append(time.perf_counter() - started)
            del took[:-100_000]
            assert len(answer.ids) >= 5
            if i % 20 == 0:
                assert ranker.feedback(answer.decision_id, tools=answer.ids[:1], outcome=1.0)
            if i % 1000 == 999:
                until(lambda: ranker.stats()["waiting_for_store"] < 5000, 300.0)
        until(lambda: ranker.stats()["waiting_for_store"] == 0, 300.0)
        ranker._scheduler._next_retention = 0.0
        until(lambda: ranker._journal.store.counts()["decisions"] <= KEPT + 1000, 120.0)
        grown, stats = resident() - memory, ranker.stats()
        print(
            f"{REQUESTS} requests, the latest at p50 {1e3 * np.median(took):.2f} ms; memory {grown / 2**20:+.0f} MB; "
            f"{descriptors() - held:+d} descriptors; the store {file.stat().st_size / 2**20:.0f} MB; {stats['dropped_decisions']} dropped"
        )
        assert grown <= GROWTH
        assert descriptors() - held <= 2
        assert stats["dropped_decisions"] == 0
        assert not stats["trouble"]
