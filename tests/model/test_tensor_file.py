"""A file of tensors: what was packed comes back, safetensors reads it too, and anything else is refused before memory is taken."""

import os
import struct

import numpy as np
import orjson
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

import special_files
from shgat import InputError, ModelFileError
from shgat.model import tensor_file
from shgat.model.tensor_file import pack, read, unpack

TENSORS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "half": np.array([0.5, np.inf], np.float16),
    "none": np.zeros((0, 4)),
    "one": np.array([3], np.int64),
    "rows": np.array([0, 2, 5], np.int32),
}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


def test_what_was_packed_comes_back_and_nothing_is_copied(tmp_path):
    data = pack(TENSORS, {"name": "é"})
    (tmp_path / "x").write_bytes(data)
    assert read(tmp_path / "x") == data
    tensors, manifest = unpack(data, "x")
    assert_same(tensors, TENSORS)
    assert manifest["name"] == "é"
    assert not any(array.flags.writeable or array.flags.owndata for array in tensors.values())


def test_it_is_a_safetensors_file():
    assert_same(safetensors.numpy.load(pack(TENSORS, {})), TENSORS)


def crafted(entries, content=b"", size=None):
    header = orjson.dumps({"__metadata__": {"shgat": "0 {}"}, **entries})
    return struct.pack("<Q", len(header) if size is None else size) + header + content


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1234567",
        crafted({}, size=1 << 62),
        crafted({}, size=0),
        crafted({"a": entry(shape=[1 << 40, 1 << 40])}, bytes(8)),
        crafted({"a": entry(offsets=[0, 1 << 60], shape=[1 << 58])}, bytes(8)),
        crafted({"a": entry(shape=[-1, -2])}, bytes(8)),
        crafted({"a": entry(shape=[True, 2])}, bytes(8)),
        crafted({"a": entry(shape=[2.0])}, bytes(8)),
        crafted({"a": entry(shape="2")}, bytes(8)),
        crafted({"a": entry(offsets=[-8, 0])}, bytes(8)),
        crafted({"a": entry(offsets=[0])}, bytes(8)),
        crafted({"a": entry(offsets=None)}, bytes(8)),
        crafted({"a": entry(dtype="O")}, bytes(8)),
        crafted({"a": entry(dtype=None)}, bytes(8)),
        crafted({"a": entry(), "b": entry()}, bytes(8)),
        crafted({"a": entry(), "b": entry(offsets=[16, 24])}, bytes(24)),
        crafted({"a": None}, bytes(8)),
        crafted({"a": entry()}, bytes(9)),
        crafted({"a": entry()}, bytes(7)),
    ],
)
def test_a_header_that_does_not_describe_the_file_is_refused(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(ModelFileError, match="torn or no shgat file"):
        read(tmp_path / "x")
    with pytest.raises(ModelFileError, match="torn or no shgat file"):
        unpack(data, "x")


@pytest.mark.parametrize("name", special_files.NAMES)
def test_what_is_no_file_is_refused_at_once(tmp_path, name):
    with pytest.raises(ModelFileError, match="cannot read"):
        read(special_files.make(tmp_path, name, "x"))


def test_a_file_that_is_larger_than_the_memory_is_not_begun(tmp_path, monkeypatch):
    (tmp_path / "x").write_bytes(crafted({"a": entry(shape=[1 << 40], offsets=[0, 1 << 42])}))
    os.truncate(tmp_path / "x", (tmp_path / "x").stat().st_size + (1 << 42))  # a hole, which takes no place on the disk
    with pytest.raises(ModelFileError, match="more than this machine's memory"):
        read(tmp_path / "x")
    monkeypatch.setattr(tensor_file, "_memory", lambda: 4)
    (tmp_path / "x").write_bytes(pack(TENSORS, {}))
    with pytest.raises(ModelFileError, match="more than this machine's memory"):
        read(tmp_path / "x")


@given(st.data())
def test_bytes_that_were_changed_never_give_other_tensors(data):
    packed = bytearray(pack(TENSORS, {"n": 1}))
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        tensors, manifest = unpack(packed, "x")
    except ModelFileError:
        return
    assert_same(tensors, TENSORS)
    assert manifest["n"] == 1


def test_numbers_json_cannot_hold_are_refused():
    with pytest.raises(InputError, match=r"manifest\.a is nan"):
        pack({}, {"a": float("nan")})
