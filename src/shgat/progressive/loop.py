"""The loop: read a batch of repositories, learn from it, archive it, take it away, and go on with the next, under the quota.

One process seals, in the order of the list, so that the chain does not depend on how many read at once. What was interrupted goes on where
it was: what is sealed is never read again, and what is not leaves nothing behind.
"""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..errors import CorruptError, QuotaError
from . import state
from .corpus import Line
from .disk import Disk
from .events import canonical
from .extraction import Extracted
from .job import Outcome
from .kernel import Kernel, to_bytes
from .layout import Layout
from .ledger import Ledger
from .lock import locked
from .manifest import WAITING, Manifest, Repo, opened
from .quota import Quota
from .reading import Reading
from .recovery import recover
from .settings import Settings, remember, remembered


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: `kind` is begun, sealed, skipped, failed, learned, archived, trained or ended."""

    kind: str
    name: str = ""
    detail: str = ""
    commits: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended.

    Attributes
    ----------
    run : its number
    status : done, or stopped where it was told to
    root, chain : of the kernel and the ledger
    peak : bytes, the most that was seen to be used
    """

    run: int
    status: str
    root: str
    chain: str
    peak: int


Trainer = Callable[[Ledger, Sequence[Repo]], None]


@dataclass
class Loop:
    """A workspace, and what is done to it.

    Attributes
    ----------
    layout : its places
    settings : how it is run
    clock : gives the time
    disk : the door
    train : is called after each batch, with the ledger and the repositories that were read; None where nothing learns. Called again
        for the same batch where it was killed
    on_event : is told what happens
    stopped : set by who wants it to end; what is being read is given up, what is sealed stays
    """

    layout: Layout
    settings: Settings
    clock: Callable[[], datetime]
    disk: Disk = field(default_factory=Disk)
    train: Trainer | None = None
    on_event: Callable[[Event], None] = lambda _: None
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self, lines: Sequence[Line] = (), *, again: bool = False) -> Report:
        """Reads what is not read yet.

        Parameters
        ----------
        lines : of a list; what the workspace does not have is added to it
        again : read everything again; what has not changed is the same unit, and is not taken in twice

        Raises
        ------
        BusyError
            where another process is at it.
        QuotaError
            where the kernel or the archives have no room left. What is sealed stays, and a larger quota goes on.
        CorruptError
            where something is not what was written.
        """
        self.layout = replace(self.layout, root=self.layout.root.absolute())
        self.layout.make()
        with locked(self.layout.lock):
            remembered(self.layout)
            remember(self.layout, self.settings, self.disk)
            quota = Quota(self.layout, self.settings.quota)
            manifest = opened(self.layout.manifest, quota.caps["other"] // 2, self.disk.step)
            try:
                return _Run(self, quota, manifest).whole(lines, again)
            finally:
                manifest.close()


class _Run:
    """One run, while the lock is held."""

    def __init__(self, loop: Loop, quota: Quota, manifest: Manifest) -> None:
        self.loop, self.quota, self.manifest = loop, quota, manifest
        self.settings, self.layout = loop.settings, loop.layout
        self.ledger = Ledger(loop.layout, loop.disk)
        self.kernel = Kernel(loop.layout.kernel, loop.disk)
        recover(self.layout, self.ledger, self.kernel, manifest)
        quota.check()
        self.units = {e.unit: e.seq for e in self.ledger.chain.entries}
        self.reading = Reading(self.layout, self.settings, quota, self._rotate, loop.stopped)
        self.number = self.at = 0

    def whole(self, lines: Sequence[Line], again: bool) -> Report:
        self.manifest.register(lines)
        self.manifest.requeue("failed", *(("done", "skipped") if again else ()))
        repos = self.manifest.repos()
        size = self.settings.batch_size
        batches = [repos[i : i + size] for i in range(0, len(repos), size)]
        self.number = self.manifest.begin(self.loop.clock().timestamp(), os.getpid(), len(batches))
        status = "failed"
        try:
            with self.reading.workers(self.loop.disk):
                for self.at, batch in enumerate(batches):
                    if any(r.state in WAITING for r in batch):
                        self._batch(batch)
                    if self.loop.stopped.is_set():
                        break
            self._write_state()
            status = "stopped" if self.loop.stopped.is_set() else "done"
        except QuotaError:
            status = "quota"
            raise
        except CorruptError:
            status = "corrupt"
            raise
        finally:
            self.quota.measure()
            self.manifest.progress(self.number, self.at, self._gauges())
            self.manifest.end(self.number, self.loop.clock().timestamp(), status)
        self._tell(Event("ended", detail=status))
        return Report(self.number, status, self.kernel.root, self.ledger.chain.tip, self.quota.peak)

    def _batch(self, batch: Sequence[Repo]) -> None:
        """Reads what is queued of a batch, and then learns from it, archives it and takes it away."""
        self._tell(Event("begun", f"batch {self.at + 1}"))
        for repo, outcome in self.reading.outcomes([r for r in batch if r.state == "queued"]):
            self._take(repo, outcome)
        if self.loop.stopped.is_set():
            return
        places = {r.position for r in batch}
        rows = [r for r in self.manifest.repos() if r.position in places]
        fresh = [r for r in rows if r.state == "sealed"]
        if self.loop.train is not None and fresh:
            self.loop.train(self.ledger, fresh)
            self._tell(Event("trained", f"batch {self.at + 1}"))
        self.manifest.move([r.position for r in fresh], "trained")
        self._rotate()
        self._write_state()
        root = self.kernel.root
        pointer = {"batch": self.at + 1, "merkleRoot": root, "units": len(self.kernel.units), "chain": self.ledger.chain.tip}
        self.loop.disk.replace(self.layout.substrate / f"kernel_state_batch_{self.at + 1}.json", canonical(pointer) + b"\n")
        self.manifest.batch(self.at + 1, root, len(self.kernel.units))
        self.manifest.move([r.position for r in rows if r.state in ("sealed", "trained")], "done")

    def _take(self, repo: Repo, outcome: Outcome) -> None:
        """Seals what was read, in its turn, or says why it was not."""
        if outcome.extracted is not None:
            self._seal(repo, outcome, outcome.extracted)
        elif outcome.status == "disk":
            raise OSError(5, outcome.reason, str(self.layout.ledger))
        else:
            status = "skipped" if outcome.status == "empty" else "failed"
            self.manifest.ended(repo.position, status, outcome.reason, outcome.attempts, outcome.seconds)
            self._tell(Event(status, repo.name, outcome.reason))
        self.manifest.progress(self.number, self.at, self._gauges())

    def _seal(self, repo: Repo, outcome: Outcome, found: Extracted) -> None:
        part = self.layout.part(repo.position)
        known = self.units.get(found.owner.unit)
        if known is not None:
            self.loop.disk.remove(part)
            self.manifest.ended(repo.position, "skipped", f"the same history as segment {known}", outcome.attempts, outcome.seconds)
            self._tell(Event("skipped", repo.name, f"the same history as segment {known}"))
            return
        room = self.quota.reserve("kernel", len(to_bytes(found.summary)))
        entry = self.ledger.seal(part, found.measured, found.owner)
        self.units[found.owner.unit] = entry.seq
        self.quota.measure("ledger")
        self.kernel.join(found.summary)
        self.quota.release("kernel", room)
        self.manifest.sealed(entry, found.n_commits, outcome.seconds, outcome.attempts)
        self._tell(Event("sealed", repo.name, f"segment {entry.seq}, {found.measured.bytes} bytes", found.n_commits))

    def _rotate(self) -> None:
        """Archives what lies in the ledger as lines, and takes it away."""
        held: list[int] = []
        try:
            helpers = self.reading if self.settings.jobs > 1 else None
            done = self.ledger.rotate(self.loop.clock(), lambda n: held.append(self.quota.reserve("archives", n)), helpers=helpers)
            for archive in done:
                self._tell(Event("archived", archive.path.name, f"{archive.raw_bytes} -> {archive.size} bytes"))
        finally:
            self.quota.release("archives", sum(held))
            self.quota.measure("ledger")

    def _write_state(self) -> None:
        names = {r.lineage: r.name for r in reversed(self.manifest.repos()) if r.lineage}
        described = state.described(self.kernel.units, names, self.manifest.batches(), self.loop.clock())
        data = canonical(described) + b"\n"
        room = self.quota.reserve("kernel", len(data))
        self.loop.disk.replace(self.layout.kernel / "state.json", data)
        self.quota.release("kernel", room)

    def _gauges(self) -> list[tuple[str, int, int, int]]:
        return [(name, self.quota.used[name], self.quota.reserved[name], cap) for name, cap in self.quota.caps.items()]

    def _tell(self, event: Event) -> None:
        self.loop.on_event(event)
