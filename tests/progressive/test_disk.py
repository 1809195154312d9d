"""The door: in order, announced, and whole or not at all."""

import pytest

from shgat.progressive.disk import Disk


def test_steps_are_announced_in_order(tmp_path):
    steps = []
    disk = Disk(steps.append)
    file = disk.create(tmp_path / "a.part")
    file.write(b"1")
    disk.close(file)
    disk.publish(tmp_path / "a.part", tmp_path / "a")
    disk.append(tmp_path / "log", b"12")
    disk.append(tmp_path / "log", b"34")
    disk.truncate(tmp_path / "log", 3)
    disk.replace(tmp_path / "a", b"2")
    disk.remove(tmp_path / "none")
    folder = tmp_path.name
    assert steps == ["create a.part", "close a.part", "publish a", f"sync {folder}", "append log", f"sync {folder}", "append log",
                     "truncate log", "replace a", "remove none"]  # fmt: skip
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "log").read_bytes()) == (b"2", b"123")


def test_a_full_disk_is_the_disks_fault(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        Disk().replace(tmp_path / "no" / "file", b"1")
