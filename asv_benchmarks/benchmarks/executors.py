"""What it costs to work elsewhere: the start, an item, what is shared; beside Python's own pool, which starts in the same way."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from shgat.executor import Processes

SHARED = np.zeros((500, 2000), np.float32)  # 4 MB
N_ITEMS = 50


def nothing(shared, item, tell):
    return item


def alone(item):
    return item


def column(shared, item, tell):
    return float(shared[:, item].sum())


def column_alone(shared_and_item):
    shared, item = shared_and_item
    return float(shared[:, item].sum())


def pool():
    return ProcessPoolExecutor(2, multiprocessing.get_context("spawn"))


class Start:
    """Two processes, from nothing to the first answer."""

    params = (["shgat", "pool"],)
    param_names = ("by",)
    number, repeat, warmup_time, timeout = 1, (3, 5, 60.0), 0.0, 120.0

    def time_first_answer(self, by: str) -> None:
        if by == "shgat":
            with Processes(2) as executor:
                list(executor.map(nothing, executor.share(None), [1, 2]))
        else:
            with pool() as plain:
                list(plain.map(alone, [1, 2]))


class Items:
    """50 items in two processes that are there, without anything shared and with 4 MB, which a plain pool sends with each item."""

    params = (["shgat", "pool"],)
    param_names = ("by",)
    number, repeat, warmup_time, timeout = 1, (3, 7, 60.0), 0.0, 120.0

    def setup(self, by: str) -> None:
        self.by, self.plain = by, pool()
        self.executor = Processes(2)
        list(self.executor.map(nothing, self.executor.share(None), [1, 2]))
        list(self.plain.map(alone, [1, 2]))

    def teardown(self, by: str) -> None:
        self.executor.close()
        self.plain.shutdown()

    def time_small(self, by: str) -> None:
        if by == "shgat":
            list(self.executor.map(nothing, self.executor.share(None), range(N_ITEMS)))
        else:
            list(self.plain.map(alone, range(N_ITEMS)))

    def time_shared(self, by: str) -> None:
        if by == "shgat":
            list(self.executor.map(column, self.executor.share(SHARED), range(N_ITEMS)))
        else:
            list(self.plain.map(column_alone, ((SHARED, i) for i in range(N_ITEMS))))

    def track_bytes_moved(self, by: str) -> float:
        if by == "pool":
            return float(N_ITEMS * SHARED.nbytes)
        before = self.executor.moved
        list(self.executor.map(column, self.executor.share(SHARED), range(N_ITEMS)))
        return float(self.executor.moved - before)

    track_bytes_moved.unit = "bytes"
