"""Large arrays in files that processes share: what is mapped, what is refused, what is removed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shgat import SHGAT, Catalog, Tool
from shgat.model import shared_arrays
from shgat.model.shared_arrays import SharedArrays

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((200, 16)).astype(np.float32)
SHARE = """
import sys, numpy as np
from pathlib import Path
from shgat.model import shared_arrays
shared_arrays.LEAST = 1
found = shared_arrays.SharedArrays(Path(sys.argv[1])).array(np.load(sys.argv[2]))
print(found.flags.owndata, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    monkeypatch.setattr(shared_arrays, "LEAST", 1)


@pytest.fixture
def shared(tmp_path):
    return SharedArrays(tmp_path / "arrays")


def files(shared):
    return sorted(shared.folder.glob("*.array"))


def inode_of(array):
    """Of the file that is mapped where the array lies."""
    address = array.__array_interface__["data"][0]
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, _, _, _, inode, *_ = line.split()
        start, stop = (int(part, 16) for part in span.split("-"))
        if start <= address < stop:
            return int(inode)
    raise AssertionError(address)


def test_equal_arrays_are_one_file_and_nobody_writes_to_it(shared):
    one, two = shared.array(ROWS), SharedArrays(shared.folder).array(ROWS.copy())
    np.testing.assert_array_equal(one, ROWS)
    (path,) = files(shared)
    assert inode_of(one) == inode_of(two) == path.stat().st_ino
    assert shared.array(one) is one
    assert shared.array(one[3:9]).base is not None
    with pytest.raises(ValueError, match="read-only"):
        one[0, 0] = 1.0
    assert shared.folder.stat().st_mode & 0o777 == 0o700


def test_small_arrays_stay(shared, monkeypatch):
    monkeypatch.setattr(shared_arrays, "LEAST", ROWS.nbytes + 1)
    assert shared.array(ROWS) is ROWS
    assert not shared.folder.exists()


@pytest.mark.parametrize(
    "damage", [lambda p: p.write_bytes(b""), lambda p: p.write_bytes(bytes(ROWS.nbytes)), lambda p: os.truncate(p, 100)]
)
def test_a_file_that_holds_something_else_is_written_anew(shared, damage):
    first = shared.array(ROWS.copy())
    (path,) = files(shared)
    before = path.stat().st_ino
    del first
    damage(path)
    np.testing.assert_array_equal(shared.array(ROWS), ROWS)
    assert files(shared)[0].stat().st_ino != before


def test_what_nobody_holds_is_removed_and_what_another_process_holds_stays(shared, tmp_path):
    np.save(tmp_path / "other.npy", ROWS + 1)
    command = [sys.executable, "-c", SHARE, shared.folder, tmp_path / "other.npy"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "False\n"
        held = files(shared)
        mine = shared.array(ROWS)
        assert set(held) < set(files(shared))
        other.stdin.close()
    left = shared.array(ROWS + 2)
    assert len(files(shared)) == 2
    del mine
    third = shared.array(ROWS + 3)
    assert {p.stat().st_ino for p in files(shared)} == {inode_of(left), inode_of(third)}


def test_where_there_can_be_no_file_the_array_stays_and_somebody_hears_of_it(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    assert SharedArrays(tmp_path / "file").array(ROWS) is ROWS
    assert "a copy of its own" in caplog.text


def test_a_model_answers_from_shared_memory_as_from_its_own(shared, trained):
    x, texts = trained.test.vectors(np.arange(8)), list(trained.test.texts[:8])
    model = SHGAT.from_bytes(trained.model.to_bytes(), catalog=trained.model.catalog)
    model.share(shared)
    for one, text in zip(x, texts, strict=True):
        found, own = model.rank(one, text=text), trained.model.rank(one, text=text)
        assert found.ids == own.ids
        np.testing.assert_allclose(found.scores, own.scores, rtol=1e-5, atol=1e-5)
    index = model.index()
    inodes = {p.stat().st_ino for p in files(shared)}
    held = (index.tools.keys, index.tools.x, index.learned.channels.unit, index.learned.channels.memory.vectors)
    assert {inode_of(array) for array in held} <= inodes
    assert model.index() is index


def test_tools_that_come_are_answered_from_memory_of_ones_own(shared):
    catalog = shared.catalog(Catalog.from_records([Tool(f"t{i}", "", "", row) for i, row in enumerate(ROWS)]))
    assert inode_of(catalog.tool_embeddings) == files(shared)[0].stat().st_ino
    model = SHGAT.from_catalog(catalog)
    model.share(shared)
    assert inode_of(model.index().tools.x) == inode_of(catalog.tool_embeddings)
    model.add_tool(Tool("new", "", "", -ROWS[0]))
    assert model.rank(-ROWS[0], 1).ids == ("new",)
    assert len(model.rank(ROWS[3], 201)) == 201
