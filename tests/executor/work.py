"""Tasks for executors: functions of a module, as other processes need them."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from shgat.errors import CatalogError, MissingExtraError


def product(matrix, item, tell):
    """A figure that depends on every bit of what is shared."""
    tell(("begun", item))
    x = np.random.default_rng(item).standard_normal(matrix.shape[1], dtype=np.float32)
    return item, matrix @ x


def name(shared, item, tell):
    return os.getpid()


def refuses(shared, item, tell):
    if item == 3:
        raise CatalogError(["the third is wrong", "and so is its neighbour"])
    return item


def misses(shared, item, tell):
    raise MissingExtraError("nothing", "store")


def stumbles(shared, item, tell):
    return 1 // (2 - item)


def writes(shared, item, tell):
    shared[0, 0] = 1.0


def dies_once(folder, item, tell):
    """Its process is killed the first time that it works on the item."""
    mark = Path(folder) / str(item)
    if item % 4 == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item * item


def dies(shared, item, tell):
    os.kill(os.getpid(), signal.SIGKILL)


def sleeps(folder, item, tell):
    Path(folder, f"{os.getpid()}.process").touch()
    time.sleep(item)
    return item


def threads(shared, item, tell):
    return [os.environ.get(name) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")]


def slow_product(matrix, item, tell):
    time.sleep(0.3)
    return product(matrix, item, tell)


def node(shared, item, tell):
    """On which node of a Ray cluster it is."""
    import ray

    time.sleep(0.5)
    return ray.get_runtime_context().get_node_id()
