"""Files are read whole or refused by name, and replaced whole or not at all."""

import hashlib
import io
import os
import stat
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import special_files
from shgat import InputError, _files
from shgat._files import (
    load_array,
    load_matrix,
    open_regular,
    parse_line,
    read_jsonl,
    read_lines,
    replacing,
    sha256,
    write_atomically,
)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def umask():
    """Sets the umask of the process until the test ends."""
    before = os.umask(0)
    os.umask(before)
    yield os.umask
    os.umask(before)


class TestReplacing:
    def test_a_file_appears_when_the_block_returns(self, tmp_path):
        path = tmp_path / "x"
        with replacing(path) as temporary:
            temporary.write_bytes(b"new")
            assert not path.exists()
            assert temporary.parent == tmp_path
        assert path.read_bytes() == b"new"
        assert names(tmp_path) == ["x"]

    def test_the_old_file_stays_until_the_block_returns(self, tmp_path):
        path = tmp_path / "x"
        path.write_bytes(b"old")
        with replacing(path) as temporary:
            temporary.write_bytes(b"new")
            assert path.read_bytes() == b"old"
        assert path.read_bytes() == b"new"

    @pytest.mark.parametrize("error", [KeyError("a mistake"), KeyboardInterrupt(), InputError("a fault of the input")])
    def test_an_error_in_the_block_passes_and_leaves_the_old_file(self, tmp_path, error):
        path = tmp_path / "x"
        path.write_bytes(b"old")

        def fail():
            with replacing(path) as temporary:
                temporary.write_bytes(b"torn")
                raise error

        with pytest.raises(type(error)) as caught:
            fail()
        assert caught.value is error
        assert path.read_bytes() == b"old"
        assert names(tmp_path) == ["x"]

    def test_what_cannot_be_written_names_the_path_and_leaves_the_old_file(self, tmp_path):
        path = tmp_path / "x"
        path.write_bytes(b"old")
        with pytest.raises(InputError, match=f"^cannot write {path}: No space left on device$"), replacing(path):
            raise OSError(28, "No space left on device")
        assert path.read_bytes() == b"old"
        assert names(tmp_path) == ["x"]

    def test_a_path_that_does_not_work_is_named(self, tmp_path):
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").touch()
        for name in ("none/x", "folder", "file/x", "nul\0byte", "x" * 300):
            with pytest.raises(InputError, match=r"^cannot write "):
                write_atomically(tmp_path / name, b"data")
        assert names(tmp_path) == ["file", "folder"]

    def test_two_writers_never_share_a_temporary_file(self, tmp_path):
        path = tmp_path / "x"
        with replacing(path) as one, replacing(path) as two:
            one.write_bytes(b"one")
            two.write_bytes(b"two")
            assert one != two
        assert path.read_bytes() == b"one"  # whose block ended last

    @pytest.mark.parametrize("exists", [True, False])
    def test_a_link_stays_and_what_it_points_at_is_replaced(self, tmp_path, exists):
        folder = tmp_path / "folder"
        folder.mkdir()
        if exists:
            (folder / "target").write_bytes(b"old")
        (tmp_path / "y").symlink_to(Path("folder") / "target")
        (tmp_path / "x").symlink_to("y")
        write_atomically(tmp_path / "x", b"new")
        assert (folder / "target").read_bytes() == b"new"
        assert (tmp_path / "x").is_symlink()
        assert (tmp_path / "y").is_symlink()
        assert (names(tmp_path), names(folder)) == (["folder", "x", "y"], ["target"])

    @pytest.mark.parametrize("name", special_files.NAMES)
    def test_what_is_no_file_is_left_where_it_is(self, tmp_path, name):
        path = special_files.make(tmp_path, name, "x")
        before = os.lstat(path)[:7], os.lstat(path).st_mtime_ns, names(tmp_path)
        with pytest.raises(InputError, match=f"^cannot write {path}: ") as caught:
            write_atomically(path, b"data")
        assert (os.lstat(path)[:7], os.lstat(path).st_mtime_ns, names(tmp_path)) == before
        assert name == "without a size" or "expected a regular file" in str(caught.value) or "symbolic links" in str(caught.value)

    @pytest.mark.parametrize("mask", [0o000, 0o022, 0o027, 0o077])
    def test_a_new_file_has_the_mode_that_the_umask_gives(self, tmp_path, umask, mask):
        umask(mask)
        write_atomically(tmp_path / "x", b"data")
        assert mode(tmp_path / "x") == 0o666 & ~mask

    def test_what_another_thread_creates_meanwhile_has_the_usual_mode(self, tmp_path, umask):
        umask(0o027)
        modes = []

        def created():
            path = tmp_path / f"other {len(modes)}"
            path.touch()
            return mode(path)

        with ThreadPoolExecutor(1) as pool:

            def between_calls(frame, event, argument):
                if event == "c_return":
                    modes.append(pool.submit(created).result())

            sys.setprofile(between_calls)
            try:
                write_atomically(tmp_path / "x", b"data")
            finally:
                sys.setprofile(None)
        assert len(modes) > 5
        assert set(modes) == {0o640}


class TestReading:
    @pytest.mark.parametrize("name", special_files.NAMES)
    @pytest.mark.parametrize("read", [open_regular, lambda path: list(read_lines(path)), load_array])
    def test_what_is_no_file_is_refused_at_once(self, tmp_path, name, read):
        path = special_files.make(tmp_path, name, "x")
        with pytest.raises((OSError, InputError), match=r"expected a|symbolic links"):
            read(path)

    def test_links_to_files_are_followed_and_an_empty_file_is_one(self, tmp_path):
        (tmp_path / "file").touch()
        (tmp_path / "x").symlink_to(tmp_path / "file")
        with open_regular(tmp_path / "x") as file:
            assert file.read() == b""


class TestLines:
    def test_a_line_without_end_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr(_files, "LONGEST_LINE", 1000)
        path = tmp_path / "x"
        path.write_bytes(b"{}\n" + b" " * 999 + b"\n")
        with pytest.raises(InputError, match="x, line 2: longer than"):
            list(read_lines(path))
        path.write_bytes(b"{}\n" + b" " * 998 + b"\n[]")
        assert [n for n, _ in read_lines(path)] == [1, 3]

    def test_lines_have_their_numbers_and_blank_ones_are_left_out(self, tmp_path):
        path = tmp_path / "x.jsonl"
        path.write_bytes(b'{"a": 1}\n\n  \t\r\n[2]\r\n"end"')
        assert list(read_jsonl(path)) == [(1, {"a": 1}), (4, [2]), (5, "end")]
        assert [line for _, line in read_lines(path)] == [b'{"a": 1}\n', b"[2]\r\n", b'"end"']

    def test_an_empty_file_has_no_lines(self, tmp_path):
        (tmp_path / "x").touch()
        assert list(read_jsonl(tmp_path / "x")) == []

    @pytest.mark.parametrize("line", [b"{", b"NaN", b"\xff", b"{}{}", b"'a'"])
    def test_a_line_that_is_no_json_is_named(self, tmp_path, line):
        path = tmp_path / "x.jsonl"
        path.write_bytes(b"{}\n\n" + line + b"\n")
        with pytest.raises(InputError, match=r"^x\.jsonl, line 3: not JSON \("):
            list(read_jsonl(path))
        with pytest.raises(InputError, match=r"^x\.jsonl, line 7: not JSON \("):
            parse_line(line, path, 7)

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path):
        for path in (tmp_path / "none", tmp_path, tmp_path / "nul\0byte"):
            with pytest.raises(InputError, match=f"^cannot read {path}: "):
                list(read_lines(path))


class TestArrays:
    @pytest.mark.parametrize("mmap", [True, False])
    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    def test_floats_come_back_as_they_are(self, tmp_path, dtype, mmap):
        given = np.arange(6).reshape(3, 2).astype(dtype)
        np.save(tmp_path / "x.npy", given)
        found = load_matrix(tmp_path / "x.npy", mmap=mmap)
        assert found.dtype == dtype
        assert isinstance(found, np.memmap) == mmap
        np.testing.assert_array_equal(found, given)

    @pytest.mark.parametrize("shape", [(), (6,), (1, 2, 3)])
    def test_a_matrix_has_two_axes_and_an_array_any(self, tmp_path, shape):
        np.save(tmp_path / "x.npy", np.zeros(shape))
        assert load_array(tmp_path / "x.npy").shape == shape
        with pytest.raises(InputError, match=r"x\.npy holds float64 of shape .*, expected floats of shape \(n, d\)"):
            load_matrix(tmp_path / "x.npy")

    @pytest.mark.parametrize("array", [np.zeros((2, 2), int), np.zeros((2, 2), complex), np.array([["a"]]), np.array([[True]])])
    def test_what_holds_no_floats_is_refused(self, tmp_path, array):
        np.save(tmp_path / "x.npy", array)
        with pytest.raises(InputError, match=rf"x\.npy holds {array.dtype} of shape .*, expected floats"):
            load_array(tmp_path / "x.npy")

    @pytest.mark.parametrize("mmap", [True, False])
    def test_nothing_is_unpickled(self, tmp_path, mmap):
        class Trap:
            def __reduce__(self):
                return (os.mkdir, (str(tmp_path / "sprung"),))

        np.save(tmp_path / "x.npy", np.array([Trap()], object), allow_pickle=True)
        with pytest.raises(InputError, match=r"x\.npy is no readable \.npy array"):
            load_array(tmp_path / "x.npy", mmap=mmap)
        assert not (tmp_path / "sprung").exists()

    def test_an_archive_is_refused(self, tmp_path):
        np.savez(tmp_path / "x.npz", a=np.zeros(2))
        with pytest.raises(InputError, match=r"x\.npz holds an archive"):
            load_array(tmp_path / "x.npz")

    @pytest.mark.parametrize("mmap", [True, False])
    @pytest.mark.parametrize("shape", [(1 << 62,), (1 << 40, 1 << 40), (-1, -4), (3, 5), (-2,)])
    def test_a_header_that_says_more_than_there_is_takes_no_memory(self, tmp_path, mmap, shape):
        with (tmp_path / "x.npy").open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
            file.write(bytes(32))
        with pytest.raises(InputError, match=r"x\.npy is no readable"):
            load_array(tmp_path / "x.npy", mmap=mmap)

    @pytest.mark.parametrize("mmap", [True, False])
    def test_columns_first_and_nothing_at_all(self, tmp_path, mmap):
        for array in (np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.zeros((0, 3)), np.float32(3)):
            np.save(tmp_path / "x.npy", array)
            np.testing.assert_array_equal(load_array(tmp_path / "x.npy", mmap=mmap), array)

    @pytest.mark.parametrize("mmap", [True, False])
    def test_torn_bytes_are_refused_wherever_they_end(self, tmp_path, mmap):
        path = tmp_path / "x.npy"
        np.save(path, np.zeros((4, 4)))
        whole = path.read_bytes()
        for length in (0, 1, 5, 6, 9, 60, 100, 128, len(whole) - 1):
            path.write_bytes(whole[:length])
            with pytest.raises(InputError, match=r"x\.npy is no readable \.npy array"):
                load_array(path, mmap=mmap)

    @given(st.lists(st.tuples(st.integers(0, 127), st.integers(0, 255)), min_size=1, max_size=4))
    def test_a_damaged_header_is_an_array_or_refused(self, changes):
        file = io.BytesIO()
        np.save(file, np.zeros((2, 2), np.float32))
        raw = bytearray(file.getvalue())
        for place, value in changes:
            raw[place] = value
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.npy"
            path.write_bytes(raw)
            try:
                assert load_array(path).dtype.kind == "f"
            except InputError as error:
                assert "x.npy" in str(error)  # noqa: PT017

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path):
        for path in (tmp_path / "none.npy", tmp_path):
            with pytest.raises(InputError, match=f"^cannot read {path}: "):
                load_array(path)


@pytest.mark.parametrize("sizes", [(), (0,), (1, 2), (1 << 17, (1 << 17) + 1), (400_000,)])
def test_a_digest_is_of_the_parts_one_after_another(sizes):
    parts = [np.random.default_rng(size).bytes(size) for size in sizes]
    assert sha256(*parts) == hashlib.sha256(b"".join(parts)).hexdigest()
    assert sha256(*map(memoryview, parts)) == sha256(*parts)
