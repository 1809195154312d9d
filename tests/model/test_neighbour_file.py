"""Neighbours in a file: what comes back, and what is refused before usearch sees it."""

import subprocess
import sys

import numpy as np
import pytest

from shgat import InputError, ModelFileError
from shgat.model import neighbour_file
from shgat.model.neighbours import Neighbours

RNG = np.random.default_rng(0)
KEYS = RNG.standard_normal((500, 16)).astype(np.float32)
KEYS /= np.linalg.norm(KEYS, axis=1, keepdims=True)
OPEN = """
import sys, numpy as np
from pathlib import Path
from shgat import ModelFileError
from shgat.model import neighbour_file
keys = np.load(sys.argv[1])
for path in sys.argv[2:]:
    try:
        neighbour_file.load(Path(path), keys).graph.search(keys[0], 10)
    except ModelFileError:
        continue
    print("taken:", path)
"""


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "m.neighbours"
    made = Neighbours.of(KEYS, threads=1).grown(502)
    neighbour_file.save(made, path)
    return path, made


def test_what_was_saved_comes_back_mapped(saved):
    path, made = saved
    found = neighbour_file.load(path, np.concatenate([KEYS, KEYS[:2]]))
    np.testing.assert_array_equal(found.column_of, made.column_of)
    assert found.loose.tolist() == [500, 501]
    np.testing.assert_array_equal(found.graph.marks, made.graph.marks)
    assert not found.graph.marks.flags.owndata
    for q in KEYS[:20]:
        np.testing.assert_array_equal(found.graph.search(q, 20), made.graph.search(q, 20))
    again = path.with_name("again")
    neighbour_file.save(found, again)
    assert again.read_bytes() == path.read_bytes()


def test_over_other_keys_every_tool_is_loose(saved):
    assert len(neighbour_file.load(saved[0], -KEYS).loose) == 500


def test_whatever_is_damaged_is_refused_and_ends_no_process(saved, tmp_path):
    """In a process of its own: usearch dies of some of these."""
    path, _ = saved
    whole, broken = path.read_bytes(), []
    damages = [whole[:n] for n in (0, 1, 63, 64, 4095, 4096, len(whole) // 2, len(whole) - 1)] + [whole + b"\0"]
    for at in RNG.integers(0, len(whole), 40).tolist():
        damages.append(whole[:at] + bytes([whole[at] ^ (1 << int(RNG.integers(8)))]) + whole[at + 1 :])
    for i, data in enumerate(damages):
        broken.append(tmp_path / f"broken-{i}")
        broken[-1].write_bytes(data)
    np.save(tmp_path / "keys.npy", KEYS)
    done = subprocess.run(
        [sys.executable, "-c", OPEN, tmp_path / "keys.npy", *broken], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "format 2"),
        ({"dimension": 8}, "8 dimensions"),
        ({"labels": 499}, "500 rows"),
        ({"labels": 10**9}, "holds no neighbours"),
        ({"labels": "x"}, "holds no neighbours"),
        ({"graph": 100}, "holds no neighbours"),
    ],
)
def test_a_header_that_does_not_fit_is_named_though_its_checksum_does(saved, change, said):
    import orjson

    from shgat._files import sha256

    path, _ = saved
    data = path.read_bytes()
    header = orjson.loads(data[64:4096]) | change
    body = orjson.dumps(header).ljust(4032) + data[4096:]
    path.write_bytes(sha256(body).encode() + body)
    with pytest.raises(ModelFileError, match=said):
        neighbour_file.load(path, KEYS)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ModelFileError, match="folder"):
        neighbour_file.load(tmp_path, KEYS)
    with pytest.raises(InputError, match="folder"):
        neighbour_file.save(Neighbours.of(KEYS, threads=1), tmp_path)
