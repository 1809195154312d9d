"""A Ray cluster, by its address. Needs the extra `ray`; shgat has to be installed on every node, in the same version."""

import os
import socket
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import numpy as np

from ..errors import MissingExtraError, WorkerError
from . import parcel
from .contract import Executor, OnEvent, R, S, Shared, T, Task
from .window import RETRIES, in_order

LOCAL = "local"
_PATIENCE = 10.0  # seconds to reach a cluster
_LOOK = 0.5  # seconds between looks at what was told
_KEPT = 4  # shared values that a process remembers
_REMEMBERED = 10_000  # things told that wait to be heard
_numbers = count()


class RayCluster(Executor):
    """Ray's tasks, one processor each; what is shared lies in the object store of each node.

    Parameters
    ----------
    address : "ray://HOST:10001" through the client's port, "HOST:6379" of a node of the cluster, "auto" for the one that this machine
        belongs to, or "local" for one that begins and ends with this executor
    jobs : tasks at once, None for as many as there are processors

    Raises
    ------
    MissingExtraError
        where Ray is not installed.
    WorkerError
        where no cluster answers at the address.
    """

    def __init__(self, address: str = LOCAL, jobs: int | None = None) -> None:
        self._ray = ray = _ray()
        self.moved, self._mine = 0, not ray.is_initialized()
        if self._mine:
            _check_reachable(address)
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
            try:
                if address == LOCAL:
                    ray.init(address="local", num_cpus=jobs, include_dashboard=False, **options)
                else:
                    ray.init(address=address, **options)
            except (ConnectionError, OSError, RuntimeError, ValueError, TimeoutError) as error:
                raise WorkerError(f"no Ray cluster at {address!r:.200}: {' '.join(str(error).split())}") from None
        self.jobs = jobs or max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._task = ray.remote(num_cpus=1, max_retries=RETRIES)(_work)
        self._box: Any = None

    def share(self, value: S) -> Shared[S]:
        """Puts the value into the object store."""
        pickled, beside = parcel.packed(value)
        arrays = [np.frombuffer(buffer, np.uint8) for buffer in beside]
        self.moved += len(pickled) + sum(array.nbytes for array in arrays)
        return Shared(value, (f"{os.getpid()}-{next(_numbers)}", self._ray.put((pickled, arrays))))

    def map(self, task: Task[S, T, R], shared: Shared[S], items: Iterable[T], on_event: OnEvent | None = None) -> Iterator[R]:
        """See `Executor.map`."""
        ray, (name, reference) = self._ray, shared.place
        if on_event is not None and self._box is None:
            self._box = ray.remote(num_cpus=0, max_restarts=-1)(_Box).remote()
        box = None if on_event is None else self._box
        started: set[Any] = set()

        def start(number: int, call: bytes) -> Any:
            self.moved += len(call)
            handle = self._task.remote(call, name, reference, box, number)
            started.add(handle)
            return handle

        def ended(under_way: Collection[Any]) -> list[tuple[Any, bytes | None]]:
            done, _ = ray.wait(list(under_way), num_returns=1, timeout=_LOOK)
            self._hear(on_event)
            started.difference_update(done)
            return [(handle, self._answer(handle)) for handle in done]

        try:
            for answer in in_order((parcel.call(task, item) for item in items), start, ended, self.jobs):
                self.moved += len(answer)
                yield parcel.result(answer)
        finally:
            self._hear(on_event)
            while started:
                with suppress(Exception):  # its node may have ended
                    ray.cancel(started.pop(), force=True)

    def close(self) -> None:
        """Lets go of the cluster; one that began with this executor ends."""
        self._box = None
        if self._mine and self._ray.is_initialized():
            self._ray.shutdown()

    def _answer(self, handle: Any) -> bytes | None:
        errors = self._ray.exceptions
        try:
            return bytes(self._ray.get(handle))
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.ObjectLostError, errors.OutOfMemoryError):
            return None
        except errors.RayError as error:
            raise WorkerError(f"the Ray cluster failed: {' '.join(str(error).split())}") from None

    def _hear(self, on_event: OnEvent | None) -> None:
        if on_event is None or not self._ray.is_initialized():
            return
        with suppress(self._ray.exceptions.RayError):  # the node that listened ended: what it had heard is lost
            for number, event in self._ray.get(self._box.heard.remote(), timeout=2 * _LOOK):
                on_event(number, event)


class _Box:
    """What tasks told and nobody has heard yet; an actor of the cluster."""

    def __init__(self) -> None:
        self._told: list[tuple[int, Any]] = []

    def tell(self, number: int, event: object) -> None:
        """A task says something."""
        if len(self._told) < _REMEMBERED:
            self._told.append((number, event))

    def heard(self) -> list[tuple[int, Any]]:
        """All that was told since the last time."""
        told, self._told = self._told, []
        return told


def _check_reachable(address: str) -> None:
    """Does anybody listen there? Ray itself would go on trying for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return  # "local", "auto", or a name that Ray looks up
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise WorkerError(f"no Ray cluster at {address!r:.200}: {getattr(error, 'strerror', None) or error}") from None


def _ray() -> Any:
    try:
        import ray
        import ray.exceptions
    except ImportError:
        raise MissingExtraError("ray", "ray") from None
    return ray


# ---------------------------------------------------------------- on the nodes
_shared: dict[str, Any] = {}


def _work(call: bytes, name: str, shared: tuple[bytes, list[Any]], box: Any, number: int) -> bytes:
    if name not in _shared:
        while len(_shared) >= _KEPT:
            del _shared[next(iter(_shared))]
        _shared[name] = parcel.unpacked(*shared)
    return parcel.answered(call, _shared[name], lambda event: None if box is None else box.tell.remote(number, event))
