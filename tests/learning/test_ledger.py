"""What was appended is on the disk, belongs to one process at a time, and goes once it is in the store."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from people import until
from processes import descriptors, forked
from shgat.errors import InputError
from shgat.learning import ledger as module
from shgat.learning.ledger import Ledger, folder_for

KILLED = """
import os, sys
from pathlib import Path
from shgat.learning.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
assert all([ledger.append(f"k{i}", b"line %d\\n" % i).result(10) for i in range(int(sys.argv[2]))])
print("ready", flush=True)
if len(sys.argv) > 3:
    sys.stdin.read()
os.kill(os.getpid(), 9)
"""
forking = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


def killed(folder, n):
    """The folder holds the lines of a process that was killed."""
    subprocess.run([sys.executable, "-c", KILLED, folder, str(n)], timeout=60, check=False, stdout=subprocess.DEVNULL)


def files(folder):
    return sorted(folder.glob("*.jsonl"))


def lines(folder):
    return b"".join(path.read_bytes() for path in files(folder))


def adopt(ledger):
    """Everything that is left behind; nothing of it is in the store yet."""
    found = []
    for segment, some in ledger.orphans():
        segment.keys.update(f"k{line.split()[1].decode()}" for line in some)
        found += some
    return found


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "journal"


@pytest.fixture
def ledger(folder):
    made = Ledger(folder)
    yield made
    made.close()


def test_what_was_acknowledged_is_on_the_disk_for_the_owner_alone(ledger, folder):
    assert not folder.exists()  # before there is something to keep
    results = [ledger.append(f"k{i}", b"line %d\n" % i) for i in range(100)]
    assert all(written.result(10) is True for written in results)
    assert lines(folder).splitlines() == [b"line %d" % i for i in range(100)]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files(folder))


def test_what_is_in_the_store_leaves_the_disk(ledger, folder):
    for i in range(10):
        ledger.append(f"k{i}", b"line\n").result(10)
    ledger.done([f"k{i}" for i in range(9)])
    assert lines(folder)
    ledger.done(["k9", "unknown"])
    assert lines(folder) == b""
    ledger.append("k10", b"more\n").result(10)
    assert lines(folder) == b"more\n"


def test_a_line_that_the_store_has_before_the_disk_is_durable_and_not_written(ledger, folder):
    with ledger._io:  # the disk is busy
        first = ledger.append("a", b"first\n")
        until(lambda: ledger._thread is not None)
        second = ledger.append("b", b"second\n")
        done = threading.Thread(target=ledger.done, args=(["a", "b"],))
        done.start()
    done.join()
    assert first.result(10) is True
    assert second.result(10) is True
    until(lambda: lines(folder) == b"")


def test_files_are_bounded_by_what_waits(ledger, folder, monkeypatch):
    monkeypatch.setattr(module, "_SEGMENT", 1000)
    for i in range(200):
        ledger.append(f"k{i}", b"x" * 99 + b"\n").result(10)
        if i >= 10:
            ledger.done([f"k{i - 10}"])
        assert len(files(folder)) <= 3
    ledger.done([f"k{i}" for i in range(200)])
    assert lines(folder) == b""
    assert len(files(folder)) <= 1


def test_closing_leaves_what_waits_and_nothing_else(folder):
    one = Ledger(folder)
    one.append("a", b"line 1\n").result(10)
    one.done(["a"])
    one.close()
    assert not folder.exists()
    two = Ledger(folder)
    two.append("b", b"line 2\n")
    before = descriptors()
    two.close()
    assert lines(folder) == b"line 2\n"
    assert descriptors() <= before


def test_the_lines_of_a_killed_process_are_adopted_once(ledger, folder):
    killed(folder, 5)
    other = Ledger(folder)
    assert sorted(adopt(ledger) + adopt(other)) == [b"line %d" % i for i in range(5)]
    assert adopt(other) == adopt(ledger) == []
    assert len(files(folder)) == 1  # until it is in the store
    ledger.done([f"k{i}" for i in range(5)])
    assert files(folder) == []
    other.close()


def test_the_lines_of_a_living_process_are_not_adopted(ledger, folder):
    command = [sys.executable, "-c", KILLED, folder, "3", "wait"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as living:
        assert living.stdout.readline() == "ready\n"
        assert adopt(ledger) == []
        path = files(folder)[0]
        path.rename(path.with_name(f"999999999-{path.name}"))  # no process of that number: the lock tells, not the name
        assert adopt(ledger) == []
    until(lambda: adopt(ledger) == [b"line 0", b"line 1", b"line 2"])


def test_a_torn_last_line_is_left_out(ledger, folder, caplog):
    killed(folder, 3)
    path = files(folder)[0]
    path.write_bytes(path.read_bytes()[:-3])
    assert adopt(ledger) == [b"line 0", b"line 1"]
    assert "the middle of a line" in caplog.text


def test_what_is_no_file_is_left_alone(ledger, folder):
    folder.mkdir()
    os.mkfifo(folder / "fifo.jsonl")
    (folder / "folder.jsonl").mkdir()
    (folder / "link.jsonl").symlink_to("/dev/zero")
    (folder / "empty.jsonl").touch()
    assert adopt(ledger) == []
    assert not (folder / "empty.jsonl").exists()


def test_a_folder_that_was_removed_is_made_again(ledger, folder):
    ledger.append("a", b"a\n").result(10)
    for path in files(folder):
        path.unlink()
    folder.rmdir()
    assert ledger.append("b", b"b\n").result(10) is True
    assert lines(folder) == b"b\n"


def test_where_the_disk_takes_nothing_it_says_so_and_goes_on(tmp_path):
    place = tmp_path / "away" / "journal"
    ledger = Ledger(place)
    assert ledger.append("a", b"a\n").result(10) is False
    assert "in memory alone" in ledger.trouble
    place.parent.mkdir()
    assert ledger.append("b", b"b\n").result(10) is True
    assert ledger.trouble == ""
    assert lines(place) == b"b\n"
    ledger.close()


def test_a_write_that_fails_half_way_leaves_no_torn_line(ledger, folder, monkeypatch):
    ledger.append("a", b"first\n").result(10)
    write = os.write
    monkeypatch.setattr(module.os, "fdatasync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    monkeypatch.setattr(module.os, "write", lambda descriptor, data: write(descriptor, data[: max(1, len(data) // 2)]))
    assert ledger.append("b", b"second\n").result(10) is False
    monkeypatch.undo()
    assert ledger.append("c", b"third\n").result(10) is True
    assert lines(folder) == b"first\nthird\n"


def test_without_a_folder_nothing_is_durable():
    ledger = Ledger(None)
    assert ledger.append("a", b"a\n").result(0) is False
    assert (list(ledger.orphans()), ledger.trouble) == ([], "")
    ledger.done(["a"])
    ledger.close()


@forking
def test_a_forked_child_has_a_file_of_its_own(ledger, folder):
    ledger.append("a", b"line 1\n").result(10)

    def child():
        assert adopt(ledger) == []  # the parent lives
        assert ledger.append("b", b"line 2\n").result(10)
        ledger.close()
        return len(files(folder)) == 2

    assert forked(child)
    ledger.append("c", b"line 3\n").result(10)
    assert adopt(ledger) == [b"line 2"]
    ledger.done(["a", "c"])
    assert lines(folder) == b"line 2\n"


@forking
def test_a_child_that_lives_on_does_not_keep_its_parents_file(folder):
    code = """
import os, sys, time
from pathlib import Path
from shgat.learning.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
ledger.append("k", b"line 0\\n").result(10)
if os.fork() == 0:
    time.sleep(float(sys.argv[2]))
    os._exit(0)
os._exit(0)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, folder, "20"], timeout=60, check=True)
    ledger = Ledger(folder)
    until(lambda: adopt(ledger) == [b"line 0"], 5.0)
    ledger.close()


class TestFolder:
    def test_beside_a_file_of_sqlite(self, tmp_path):
        assert folder_for(f"sqlite:///{tmp_path}/s.db", "") == tmp_path / "s.db.journal"
        assert not list(tmp_path.iterdir())

    def test_for_a_server_under_the_users_state_without_a_secret(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        url = "postgresql://bob:{}@host/db?sslpassword={}"
        one, two = (folder_for(url.format(secret, secret), "") for secret in ("first", "second"))
        assert one == two
        assert one.parent == tmp_path / "shgat"
        assert folder_for("postgresql://bob:first@host/other", "") != one

    def test_without_a_home_there_is_none(self, monkeypatch, tmp_path):
        monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/no")
        assert folder_for("postgresql://host/db", "") is None

    def test_the_given_one_is_created_or_refused(self, tmp_path):
        assert folder_for("sqlite:///s.db", None) is None
        assert folder_for("sqlite:///s.db", tmp_path / "a" / "b").is_dir()
        (tmp_path / "file").touch()
        for bad in (tmp_path / "file" / "x", "nul\0", "/proc/no/folder"):
            with pytest.raises(InputError, match="journal:"):
                folder_for("sqlite:///s.db", bad)

    @pytest.mark.parametrize("url", ["no url", "sqlite://", ""])
    def test_what_is_no_url_has_none(self, url):
        assert folder_for(url, "") is None or isinstance(folder_for(url, ""), Path)
