"""Where arrays lie on their way to the training child and back: nothing stays behind."""

import subprocess
import sys
from pathlib import Path

from shgat.learning.spool import Spool


def test_a_folder_of_its_own_that_is_removed():
    one, two = Spool(), Spool()
    assert one.path != two.path
    (one.path / "inside").mkdir()
    (two.path / "traces.npy").write_bytes(b"x")
    for spool in (one, two):
        spool.remove()
        spool.remove()
        assert not spool.path.exists()


def test_the_next_one_removes_what_a_killed_process_left_behind_and_nothing_else():
    code = "import os; from shgat.learning.spool import Spool; print(Spool().path, flush=True); os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    left = Path(killed.stdout.strip())
    assert left.is_dir()
    mine = Spool()
    foreign = mine.path.with_name("shgat-ranker-of-others")
    foreign.mkdir()
    later = Spool()
    assert not left.exists()
    assert mine.path.is_dir()
    assert foreign.is_dir()
    for spool in (mine, later):
        spool.remove()
    foreign.rmdir()
