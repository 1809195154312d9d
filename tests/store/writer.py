"""Writes to a store in children that are killed with SIGKILL; run by test_endurance.py.

    python writer.py URL KILLS SEED

The parent never opens a connection. Each child reports, over a pipe, what the store has acknowledged. At the end the
parent prints the acknowledged ids and the (id, value) pairs of acknowledged priorities and models as JSON.
"""

import json
import os
import random
import select
import signal
import sys
import time

import numpy as np

from shgat.store import Store
from shgat.traces import Trace

D = 8


def write(url: str, run: int, pipe: int) -> None:
    with Store.open(url, timeout=10.0) as store:
        for i in range(1_000_000):
            ids = [f"{run}-{i}-{j}" for j in range(3)]
            vector = np.full(D, i, np.float32)
            store.add_traces([Trace(id=key, intent="i", decision_id=key, embedding=vector) for key in ids])
            os.write(pipe, f"trace {' '.join(ids)}\n".encode())
            store.set_priorities(ids, [i + 0.5] * 3)
            os.write(pipe, f"priority {ids[0]} {i + 0.5}\n".encode())
            version = store.put_model(b"%d" % i * 500, {"i": i})
            os.write(pipe, f"model {version} {i}\n".encode())


def main(url: str, kills: int, seed: int) -> None:
    random.seed(seed)
    acknowledged: list[str] = []
    for run in range(kills):
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                write(url, run, writable)
            finally:
                os._exit(1)
        os.close(writable)
        if run % 3:  # amid the writing; otherwise anywhere, most likely amid the opening
            select.select([readable], [], [], 30.0)
        time.sleep(random.uniform(0.0, 0.1))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "a child ended by itself"
        with os.fdopen(readable) as reports:
            acknowledged += [line.rstrip("\n") for line in reports if line.endswith("\n")]
    print(json.dumps(acknowledged))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
