"""The loop: the same end whatever the order, the batches and the jobs, killed anywhere, on a disk that is full, under its quota."""

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import orjson
import pytest

from processes import started
from shgat.errors import BusyError, QuotaError, WorkspaceError
from shgat.progressive.disk import Disk
from shgat.progressive.generator import Plan, make
from shgat.progressive.kernel import Kernel, joined, root
from shgat.progressive.layout import Layout
from shgat.progressive.ledger import Ledger
from shgat.progressive.lock import locked
from shgat.progressive.manifest import Manifest
from shgat.progressive.quota import taken
from workspaces import lines_of, loop_of, sound

MB = 10**6


def states(workspace):
    manifest = Manifest(Path(workspace) / "manifest.db", read_only=True)
    found = [(r.state, r.reason) for r in manifest.repos()]
    manifest.close()
    return found


@pytest.mark.parametrize(
    "options", [{"batch_size": 1}, {"batch_size": 200}, {"jobs": 2}, {"jobs": 2, "batch_size": 3}, {"high_water": 0.1}]
)
def test_batches_and_jobs_change_nothing(three, tmp_path, uninterrupted, options):
    report = loop_of(tmp_path / "ws", **options).run(lines_of(*three))
    assert (report.root, report.chain) == uninterrupted[:2] == sound(tmp_path / "ws")
    assert report.status == "done"


def test_the_order_changes_the_chain_and_not_what_is_known(three, tmp_path, uninterrupted):
    report = loop_of(tmp_path / "ws").run(lines_of(*reversed(three)))
    assert report.root == uninterrupted[0]
    assert report.chain != uninterrupted[1]


def test_one_after_the_other_is_both_is_merged(three, tmp_path, uninterrupted):
    loop_of(tmp_path / "a").run(lines_of(three[0]))
    report = loop_of(tmp_path / "a").run(lines_of(*three[1:]))
    assert (report.root, report.chain) == uninterrupted[:2]
    parts = []
    for i, path in enumerate(three):
        loop_of(tmp_path / f"p{i}").run(lines_of(path))
        parts.append(Kernel.load(Layout(tmp_path / f"p{i}").kernel).units)
    assert root(joined(*parts)) == uninterrupted[0]


def test_a_clone_is_the_same_history_as_what_is_read_in_place(three, tmp_path, uninterrupted):
    report = loop_of(tmp_path / "ws").run(lines_of(*(f"file://{p}" for p in three)))
    assert report.root == uninterrupted[0]
    again = loop_of(tmp_path / "ws").run(lines_of(*three))
    assert (again.root, again.chain) == (report.root, report.chain)
    assert [s for s, _ in states(tmp_path / "ws")] == ["done"] * 3 + ["skipped"] * 3
    assert "the same history as segment 1" in states(tmp_path / "ws")[3][1]


def test_bad_ones_change_nothing_for_the_others(three, tmp_path, uninterrupted, work, commit, git):
    commit("one", {"a/b": b"1"})
    commit("two", {"a/b": b"2"})
    lost = git(work, "rev-parse", "HEAD^{tree}")
    (work / ".git/objects" / lost[:2] / lost[2:]).unlink()
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q", "--template=")
    lines = lines_of(work, three[0], "file:///nowhere", three[1], tmp_path / "empty", three[2], tmp_path)
    report = loop_of(tmp_path / "ws", tries=1, jobs=2).run(lines)
    assert (report.root, report.chain) == uninterrupted[:2] == sound(tmp_path / "ws")
    assert [s for s, _ in states(tmp_path / "ws")] == ["failed", "done", "failed", "done", "skipped", "done", "failed"]


def test_what_moved_is_read_again_and_what_has_not_is_not_taken_in_twice(tmp_path, work, commit, git, three):
    commit("one", {"a": b"1"})
    commit("two", {"a": b"2"})
    loop_of(tmp_path / "ws").run(lines_of(three[0], work))
    git(work, "reset", "-q", "--hard", "HEAD~1")
    git(work, "commit", "-q", "--allow-empty", "-m", "another two")
    commit("three", {"a": b"3"})
    before = Kernel.load(Layout(tmp_path / "ws").kernel).units
    report = loop_of(tmp_path / "ws").run(again=True)
    assert report.root == Kernel.load(Layout(tmp_path / "ws").kernel).root
    after = Kernel.load(Layout(tmp_path / "ws").kernel).units
    assert set(after) == set(before)
    assert sorted(s.rank[0] for s in after.values())[0] == 3
    assert len(Ledger(Layout(tmp_path / "ws")).chain.entries) == 3
    sound(tmp_path / "ws")


def test_what_learns_is_called_once_a_batch_with_what_was_read(three, tmp_path):
    seen = []

    def train(ledger, repos):
        seen.append([r.name for r in repos])
        assert {e.unit for e, _ in ledger.walk()} >= {r.unit for r in repos}

    loop_of(tmp_path / "ws", train=train).run(lines_of(*three))
    assert [len(names) for names in seen] == [2, 1]
    loop_of(tmp_path / "ws", train=train).run(lines_of(*three))
    assert len(seen) == 2


def test_one_that_learns_and_fails_is_called_again(three, tmp_path, uninterrupted):
    def fail(*_):
        raise WorkspaceError("no")

    with pytest.raises(WorkspaceError):
        loop_of(tmp_path / "ws", train=fail).run(lines_of(*three))
    seen = []
    report = loop_of(tmp_path / "ws", train=lambda _, repos: seen.append(len(repos))).run()
    assert seen == [2, 1]
    assert (report.root, report.chain) == uninterrupted[:2]


def test_told_to_stop_and_gone_on(three, tmp_path, uninterrupted):
    stopped = threading.Event()
    report = loop_of(tmp_path / "ws", stopped=stopped, on_event=lambda e: e.kind == "sealed" and stopped.set()).run(
        lines_of(*three)
    )
    assert report.status == "stopped"
    assert [s for s, _ in states(tmp_path / "ws")] == ["sealed", "queued", "queued"]
    report = loop_of(tmp_path / "ws").run()
    assert (report.root, report.chain) == uninterrupted[:2] == sound(tmp_path / "ws")


def test_a_second_process_is_told_at_once(three, tmp_path):
    (tmp_path / "ws").mkdir()
    with locked(tmp_path / "ws/.lock"), pytest.raises(BusyError):
        loop_of(tmp_path / "ws").run(lines_of(*three))


def test_a_clock_that_goes_back_changes_nothing(three, tmp_path, uninterrupted):
    from datetime import UTC, datetime

    loop = loop_of(tmp_path / "ws")
    times = iter(range(2_000_000_000, 0, -1000))
    loop.clock = lambda: datetime.fromtimestamp(next(times), UTC)
    report = loop.run(lines_of(*three))
    assert (report.root, report.chain) == uninterrupted[:2] == sound(tmp_path / "ws")


def killed_at(n, workspace, three):
    """Ends the process at its step n, kill -9; False where it came to its end before."""
    left = [n]

    def step(_):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    pid = started(lambda: loop_of(workspace, disk=Disk(step)).run(lines_of(*three)))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def steps_to_try(n, every):
    return range(1, n + 1, every)


@pytest.mark.parametrize("every", [13, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_every_step_the_end_is_the_same(three, tmp_path, uninterrupted, every):
    for n in steps_to_try(len(uninterrupted[2]), every):
        workspace = tmp_path / f"ws{n}"
        assert killed_at(n, workspace, three), uninterrupted[2][n - 1]
        if n % 2:
            killed_at(7 + n % 5, workspace, three)  # and while it recovers
        report = loop_of(workspace).run(lines_of(*three))
        assert (report.root, report.chain) == uninterrupted[:2] == sound(workspace), uninterrupted[2][n - 1]
        shutil.rmtree(workspace)


@pytest.mark.slow
def test_killed_at_fifty_moments_the_end_is_the_same(three, tmp_path, uninterrupted):
    rng, killed, whole = random.Random(4), 0, []
    for jobs in (1, 2):
        began = time.monotonic()
        loop_of(tmp_path / f"whole{jobs}", jobs=jobs).run(lines_of(*three))
        whole.append(time.monotonic() - began)
    for n in range(50):
        workspace = tmp_path / f"ws{n}"
        pid = started(lambda workspace=workspace, n=n: loop_of(workspace, jobs=1 + n % 2).run(lines_of(*three)))
        time.sleep(rng.uniform(0.0, whole[n % 2]))
        os.kill(pid, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
        report = loop_of(workspace).run(lines_of(*three))
        assert (report.root, report.chain) == uninterrupted[:2] == sound(workspace)
        shutil.rmtree(workspace)
    assert killed > 25


class PowerCut(BaseException):
    """The power is gone."""


class Volatile(Disk):
    """A disk that loses, when the power goes, what was not synced: contents, names and removals."""

    def __init__(self, left):
        super().__init__(self._count)
        self.left, self.off = left, False
        self.durable, self.pending = {}, {}

    def _count(self, _):
        self.left -= 1
        self.off = self.off or self.left <= 0
        if self.off:
            raise PowerCut

    def close(self, file):
        super().close(file)
        self.pending[Path(file.name)] = Path(file.name).read_bytes()

    def publish(self, part, final):
        self.step(f"publish {final.name}")
        part.replace(final)
        data = self.pending.get(part, self.durable.get(part))
        self.pending |= {part: None, final: data}
        self.sync_folder(final.parent)

    def append(self, path, data):
        new = not path.exists()
        if new:
            self.pending[path] = data
        super().append(path, data)
        if not new:
            (self.durable if path in self.durable else self.pending)[path] = path.read_bytes()

    def truncate(self, path, size):
        super().truncate(path, size)
        self.durable[path] = path.read_bytes()

    def replace(self, path, data):
        super().replace(path, data)
        self.pending[path] = data
        self._apply(path.parent)

    def remove(self, path):
        super().remove(path)
        self.pending[path] = None

    def sync_folder(self, folder):
        super().sync_folder(folder)
        self._apply(folder)

    def _apply(self, folder):
        for path in [p for p in self.pending if p.parent == folder]:
            data = self.pending.pop(path)
            if data is None:
                self.durable.pop(path, None)
            else:
                self.durable[path] = data

    def after(self, workspace):
        """The workspace as it is when the power is back; the manifest syncs itself."""
        for path in workspace.rglob("*"):
            if path.is_file() and not path.name.startswith("manifest") and path not in self.durable:
                path.unlink()
        for path, data in self.durable.items():
            path.write_bytes(data)


@pytest.mark.parametrize("every", [17, pytest.param(1, marks=pytest.mark.slow)])
def test_after_the_power_was_gone_the_end_is_the_same(three, tmp_path, uninterrupted, every):
    for n in steps_to_try(len(uninterrupted[2]), every):
        workspace = tmp_path / f"ws{n}"
        disk = Volatile(n)
        with pytest.raises(PowerCut):
            loop_of(workspace, disk=disk).run(lines_of(*three))
        disk.after(workspace)
        report = loop_of(workspace).run(lines_of(*three))
        assert (report.root, report.chain) == uninterrupted[:2] == sound(workspace), uninterrupted[2][n - 1]
        shutil.rmtree(workspace)


def test_a_disk_that_fails_once_is_an_error_and_no_loss(three, tmp_path, uninterrupted):
    for n in range(2, len(uninterrupted[2]), 11):
        left = [n]

        def step(name, left=left):
            left[0] -= 1
            if not left[0]:
                raise OSError(5, "Input/output error", name)

        workspace = tmp_path / f"ws{n}"
        with pytest.raises(OSError, match="Input/output error"):
            loop_of(workspace, disk=Disk(step)).run(lines_of(*three))
        report = loop_of(workspace).run(lines_of(*three))
        assert (report.root, report.chain) == uninterrupted[:2] == sound(workspace)


@pytest.fixture
def small_disk(tmp_path):
    """Makes a file system of a size."""
    mounted = []

    def mount(size):
        place = tmp_path / f"disk{len(mounted)}"
        place.mkdir()
        if (
            os.geteuid()
            or subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place], check=False, capture_output=True
            ).returncode
        ):
            pytest.skip("a file system cannot be mounted here")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_an_error_and_a_larger_one_goes_on(three, tmp_path, uninterrupted, small_disk):
    place = small_disk("100k")
    with pytest.raises((OSError, QuotaError)):
        loop_of(place / "ws").run(lines_of(*three))
    subprocess.run(["mount", "-o", "remount,size=40m", place], check=True)
    report = loop_of(place / "ws").run(lines_of(*three))
    assert (report.root, report.chain) == uninterrupted[:2] == sound(place / "ws")


def test_archives_that_have_no_room_stop_it_and_a_larger_quota_goes_on(tmp_path, three, uninterrupted):
    workspace = tmp_path / "ws"
    Layout(workspace).make()
    filler = Layout(workspace).archives / "filler"
    filler.write_bytes(b"x" * (2 * MB - 9000))
    with pytest.raises(QuotaError, match="archives would need"):
        loop_of(workspace, quota=20 * MB).run(lines_of(*three))
    assert len(Ledger(Layout(workspace)).raw()) == 2
    report = loop_of(workspace, quota=100 * MB).run(lines_of(*three))
    assert (report.root, report.chain) == uninterrupted[:2]
    filler.unlink()
    sound(workspace)


@pytest.fixture(scope="module")
def adversarial(tmp_path_factory, three):
    """Repositories that want more than they may have, among others."""
    from shgat.progressive.git import environment

    folder = tmp_path_factory.mktemp("adversarial")
    rng = np.random.default_rng(0)

    def imported(name, files):
        path = folder / name
        variables = environment(GIT_DIR=str(path))
        subprocess.run(["git", "init", "-q", "--bare", "--template=", "--initial-branch=main"], env=variables, check=True)
        head = b"commit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata 0\n\n"
        stream = b"".join(b"M 100644 inline %b\ndata %d\n%b\n" % (path, len(data), data) for path, data in files)
        subprocess.run(
            ["git", "-c", "core.compression=0", "fast-import", "--quiet"], env=variables, input=head + stream, check=True
        )
        return path

    large = imported("large.git", ((b"f%d" % i, rng.bytes(MB)) for i in range(60)))
    many = imported("many.git", ((b"d%d/f%d" % (i % 300, i), b"%d" % i) for i in range(60_000)))
    long = make(folder / "long.git", Plan(commits=400, seed=9)).path
    return [f"file://{p}" for p in (three[0], large, many, three[1], long, three[2])]


def sampled(workspace, work):
    """What a workspace took at most, looked at every 20 ms from another process while work is done."""
    peak, ready = os.pipe(), os.pipe()

    def sample():
        most, stop = 0, False

        def end(*_):
            nonlocal stop
            stop = True

        signal.signal(signal.SIGTERM, end)
        os.write(ready[1], b"x")
        while not stop:
            most = max(most, taken(workspace))
            time.sleep(0.02)
        os.write(peak[1], str(most).encode())
        return True

    pid = started(sample)
    os.read(ready[0], 1)
    try:
        result = work()
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
    found = int(os.read(peak[0], 30))
    for end in (*peak, *ready):
        os.close(end)
    return result, found


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("exact", [False, True])
def test_the_quota_is_never_exceeded(adversarial, tmp_path, small_disk, uninterrupted, jobs, exact):
    quota = 50 * MB
    place = small_disk(str(quota)) if exact else tmp_path
    workspace = place / "ws"
    report, peak = sampled(workspace, lambda: loop_of(workspace, quota=quota, jobs=jobs, tries=1).run(lines_of(*adversarial)))
    assert 0 < peak <= quota
    found = states(workspace)
    assert [s for s, _ in found] == ["done", "failed", "done", "done", "done", "done"]
    assert "more than the" in found[1][1]
    sound(workspace)
    assert orjson.loads((Layout(workspace).kernel / "state.json").read_bytes())["merkleRoot"] == report.root


@pytest.mark.slow
def test_a_repository_that_is_too_large_fails_and_the_others_do_not(adversarial, tmp_path):
    report = loop_of(tmp_path / "ws", quota=50 * MB, tries=1).run(lines_of(*adversarial[:2], adversarial[3]))
    assert [s for s, _ in states(tmp_path / "ws")] == ["done", "failed", "done"]
    assert report.status == "done"
