"""Repositories that are read, and archives that are packed, at the same time. They come back in the order of the list, each within what the
quota has for it."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .chain import Entry
from .children import Children, Inline, Waiting
from .disk import Disk
from .job import Outcome, Task
from .layout import Layout
from .manifest import Repo
from .quota import BLOCK, Quota
from .settings import Settings

_LEAST = 64 << 10  # bytes that a repository's segment may have at least
Held = dict[str, int]


class Reading:
    """What hands repositories to workers.

    Parameters
    ----------
    layout, settings : of the workspace
    quota : of which each repository gets its share before it is read
    rotate : makes room in the ledger
    stopped : set where no more are to be read
    """

    def __init__(
        self, layout: Layout, settings: Settings, quota: Quota, rotate: Callable[[], None], stopped: threading.Event
    ) -> None:
        self._layout, self._settings, self._quota, self._rotate, self._stopped = layout, settings, quota, rotate, stopped
        self._workers: Inline | Children | None = None
        self._most = 2 * settings.jobs if settings.jobs > 1 else 1  # that are read or wait for their turn

    @contextmanager
    def workers(self, disk: Disk) -> Iterator[None]:
        """Starts them, and ends them."""
        self._workers = Children(self._settings.jobs) if self._settings.jobs > 1 else Inline(disk)
        try:
            yield
        finally:
            self._workers.close()

    def outcomes(self, rows: Sequence[Repo]) -> Iterator[tuple[Repo, Outcome]]:
        """Each repository and what came of it, in order; those that were given up are left out."""
        window: deque[tuple[Repo, Task, Waiting, Held]] = deque()
        for repo in rows:
            while len(window) >= self._most:
                yield from self._finished(*window.popleft())
            if self._stopped.is_set():
                break
            window.append(self._submit(repo, self._most - len(window)))
        while window:
            yield from self._finished(*window.popleft())

    @property
    def n(self) -> int:
        """How many archives are packed at the same time."""
        return self._settings.jobs

    def pack(self, segments: Sequence[tuple[Entry, Path]], stamp: str) -> Callable[[], Path | None]:
        """Begins to store an archive in a worker, within its share of what is free."""
        if not isinstance(self._workers, Children):
            return lambda: None
        free = self._quota.free("archives") // (2 * self.n) - 2 * BLOCK
        if free < BLOCK:
            return lambda: None
        held = self._quota.reserve("archives", min(free, sum(e.bytes for e, _ in segments)))
        waiting = self._workers.pack(segments, self._layout.archives, stamp, held - 2 * BLOCK)

        def part() -> Path | None:
            found = waiting()
            self._quota.release("archives", held)
            return found

        return part

    def _submit(self, repo: Repo, slots: int) -> tuple[Repo, Task, Waiting, Held]:
        """Hands a repository on, with its share of what is free."""
        quota, settings = self._quota, self._settings
        if quota.used["ledger"] > settings.high_water * quota.caps["ledger"] or quota.free("ledger") < _LEAST * slots:
            self._rotate()
        remote = "://" in repo.place
        held = {name: self._grant(name, slots) for name in ("ledger", *(("corpus",) if remote else ()))}
        task = Task(
            repo.place,
            repo.key,
            repo.name,
            str(self._layout.part(repo.position)),
            str(self._layout.corpus / f"{repo.key}.git") if remote else "",
            held["ledger"] - 2 * BLOCK,
            held.get("corpus", 0) - 2 * BLOCK,
            settings.timeout,
            settings.tries,
            settings.backoff,
        )
        assert self._workers is not None
        return repo, task, self._workers.submit(task), held

    def _grant(self, name: str, slots: int) -> int:
        return self._quota.reserve(name, max(self._quota.free(name) // slots // BLOCK * BLOCK - BLOCK, BLOCK))

    def _finished(self, repo: Repo, task: Task, waiting: Waiting, held: Held) -> Iterator[tuple[Repo, Outcome]]:
        outcome = waiting()
        self._release(held)
        if outcome.status == "too_big" and not self._stopped.is_set():
            outcome = self._alone(repo, task, outcome)
        if outcome.status == "read" or not self._stopped.is_set():
            yield repo, outcome

    def _alone(self, repo: Repo, task: Task, before: Outcome) -> Outcome:
        """What was too large for its share gets all that can be made free, once."""
        self._rotate()
        if self._quota.free("ledger") <= task.most + 4 * BLOCK and self._quota.free("corpus") <= task.clone_most + 4 * BLOCK:
            return before
        _, _, waiting, held = self._submit(repo, 1)
        outcome = waiting()
        self._release(held)
        return outcome

    def _release(self, held: Held) -> None:
        for name, n in held.items():
            self._quota.release(name, n)
