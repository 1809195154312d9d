"""Where arrays lie on their way to the training child and back: nothing stays behind, and no place is needed."""

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from processes import forked
from shgat.errors import StoreError, WorkerError
from shgat.learning import spool as module
from shgat.learning.spool import Spool

HERE = [sys.executable, "-c"]
KILLED = """
import os
from pathlib import Path
from shgat.learning.spool import Spool
print(Spool().tried(lambda folder: folder), flush=True)
os.kill(os.getpid(), 9)
"""


def folder(spool):
    return spool.tried(lambda folder: folder)


@pytest.fixture
def spool(tmp_path):
    """Makes spools and removes them at the end."""
    made = []

    def make(beside=None):
        made.append(Spool(beside))
        return made[-1]

    yield make
    for one in made:
        one.remove()


def test_a_folder_of_its_own_that_is_removed():
    one, two = Spool(), Spool()
    paths = [folder(one), folder(two)]
    assert paths[0] != paths[1]
    assert folder(one) == paths[0]
    assert all(path.stat().st_mode & 0o777 == 0o700 for path in paths)
    (paths[0] / "inside").mkdir()
    (paths[1] / "traces.npy").write_bytes(b"x")
    for spool, path in zip((one, two), paths, strict=True):
        spool.remove()
        spool.remove()
        assert not path.exists()


def test_nothing_is_made_before_it_is_needed():
    before = set(module.MEMORY.glob(f"*-{os.getpid()}-*"))
    Spool()
    assert set(module.MEMORY.glob(f"*-{os.getpid()}-*")) == before


def test_the_next_one_removes_what_a_killed_process_left_behind_and_nothing_else(spool):
    killed = subprocess.run([*HERE, KILLED], capture_output=True, text=True, timeout=60, check=False)
    left = Path(killed.stdout.strip())
    assert left.is_dir()
    mine = folder(spool())
    foreign = mine.with_name("shgat-ranker-of-others")
    foreign.mkdir()
    try:
        folder(spool())
        assert not left.exists()
        assert mine.is_dir()
        assert foreign.is_dir()
    finally:
        foreign.rmdir()


def test_whose_folder_it_is_says_a_lock_and_no_process_number(spool):
    """Two PID namespaces know nothing of each other's processes."""
    mine = spool()
    path = folder(mine)
    stranger = path.with_name("shgat-ranker-999999999-elsewhere")
    path.rename(stranger)
    folder(spool())
    assert stranger.is_dir()
    mine.remove()
    (stranger / ".lock").unlink()
    stranger.rmdir()


def test_a_folder_that_somebody_removed_is_made_anew(spool):
    one = spool()
    path = folder(one)
    for file in path.iterdir():
        file.unlink()
    path.rmdir()
    assert folder(one).is_dir()


def places(spool, raised):
    """Where the work was tried: everywhere it raises something."""
    seen = []

    def work(path):
        seen.append(path.parent)
        if path.parent != raised[-1][0]:
            raise dict(raised)[path.parent]
        return path

    return spool.tried(work), seen


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EROFS, "Read-only file system"),
        WorkerError("cannot write /dev/shm/x: No space left on device"),
    ],
)
def test_a_place_that_is_full_is_followed_by_the_next(spool, tmp_path, error):
    order = [module.MEMORY, Path(tempfile.gettempdir()), tmp_path]
    found, seen = places(spool(tmp_path), [(order[0], error), (order[1], error), (order[2], None)])
    assert seen == order
    assert found.parent == tmp_path
    assert not list(module.MEMORY.glob(f"shgat-ranker-{os.getpid()}-*"))


def test_a_place_that_is_removed_meanwhile_is_followed_by_the_next(spool, tmp_path):
    seen = []

    def work(path):
        seen.append(path.parent)
        if len(seen) == 1:
            (path / ".lock").unlink()
            path.rmdir()
            (path / "file").touch()
        return path

    assert spool(tmp_path).tried(work).is_dir()
    assert len(seen) == 2


@pytest.mark.parametrize("error", [WorkerError("it broke the protocol"), StoreError("No space left on device"), ValueError("else")])
def test_what_has_other_reasons_is_raised_at_once(spool, tmp_path, error):
    seen = []

    def work(path):
        seen.append(path)
        raise error

    with pytest.raises(type(error)):
        spool(tmp_path).tried(work)
    assert len(seen) == 1


def test_work_that_fails_since_the_folders_were_removed_is_not_tried_again(spool, tmp_path):
    one, seen = spool(tmp_path), []

    def work(path):
        seen.append(path)
        one.remove()
        raise WorkerError("the training child ended without an answer")

    with pytest.raises(WorkerError, match="without an answer"):
        one.tried(work)
    assert len(seen) == 1


def test_where_no_place_is_fit_it_says_so(spool, tmp_path):
    def work(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(WorkerError, match=r"no place to train in.*No space"):
        spool(tmp_path).tried(work)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_has_a_folder_of_its_own_and_leaves_the_parents(spool):
    one = spool()
    path = folder(one)
    assert forked(lambda: one.remove() is None and path.is_dir() and folder(one) != path and one.remove() is None)
    assert folder(one) == path
