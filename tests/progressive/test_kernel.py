"""The laws of merging, and files that are what was written."""

import random
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shgat.errors import CorruptError
from shgat.progressive.events import CONFIG, canonical
from shgat.progressive.kernel import Kernel, Standing, from_bytes, joined, patterns, root, to_bytes
from shgat.progressive.unit import BUDGET, Tally


def summary(lineage="0" * 32, n=1, head="a", time=1, **labels):
    tally = Tally()
    tally.n = n
    tally.labels.update(labels)
    return tally.summary({"config": CONFIG, "lineage": lineage, "head": head, "head_time": time}, f"{head}{n}")


LINEAGES = st.sampled_from([str(i) * 32 for i in range(4)])
SUMMARIES = st.builds(summary, LINEAGES, st.integers(0, 3), st.sampled_from("abc"), st.integers(0, 2), bugfix=st.integers(0, 2))
UNITS = st.lists(SUMMARIES, max_size=5).map(lambda found: joined(*({s["lineage"]: Standing.of(s)} for s in found)))


@settings(max_examples=700)
@given(UNITS, UNITS, UNITS)
def test_join_is_associative_commutative_and_idempotent(a, b, c):
    assert joined(a, joined(b, c)) == joined(joined(a, b), c) == joined(a, b, c)
    assert joined(a, b) == joined(b, a)
    assert joined(a, a) == joined(a) == joined(a, {}) == joined({}, a) == a
    assert joined(a, joined(a, b)) == joined(a, b)
    assert len({root(joined(*order)) for order in permutations((a, b, c))}) == 1


@settings(max_examples=40)
@given(st.lists(SUMMARIES, max_size=8), st.randoms(use_true_random=False))
def test_a_folder_joins_as_the_law_says(tmp_path_factory, found, rng):
    folder = tmp_path_factory.mktemp("k")
    (folder / "units").mkdir()
    kernel = Kernel(folder)
    for s in found + rng.sample(found, len(found) // 2):
        kernel.join(s)
    expected = reduce(joined, ({s["lineage"]: Standing.of(s)} for s in found), {})
    assert kernel.units == expected == Kernel.load(folder).units
    assert kernel.root == root(expected)


def test_more_commits_win_then_the_later_head_then_the_greater_id(tmp_path):
    (tmp_path / "units").mkdir()
    kernel = Kernel(tmp_path)
    order = [
        summary(n=1, head="c", time=9),
        summary(n=2, head="a", time=1),
        summary(n=2, head="a", time=2),
        summary(n=2, head="b", time=2),
    ]
    assert [kernel.join(s) for s in order] == [True] * 4
    assert [kernel.join(s) for s in order] == [False] * 4


def test_patterns_are_counted_over_lineages_and_are_shares():
    units = {s["lineage"]: Standing.of(s) for s in (summary("1" * 32, 10, bugfix=4, test=1), summary("2" * 32, 30, bugfix=6))}
    found = patterns(units)
    assert [(p["type"], p["frequency"], p["confidence"], p["lineages"]) for p in found] == [
        ("bugfix", 10, 11 / 42, ["1" * 32, "2" * 32]),
        ("test", 1, 2 / 42, ["1" * 32]),
    ]
    assert patterns({}) == []


def test_every_byte_that_is_flipped_is_found():
    data = to_bytes(summary(bugfix=3))
    assert canonical(from_bytes(data, "x")) == canonical(summary(bugfix=3))
    rng = random.Random(0)
    for i in range(len(data)):
        flipped = bytearray(data)
        flipped[i] ^= 1 << rng.randrange(8)
        with pytest.raises(CorruptError, match="x: it is not what was written"):
            from_bytes(bytes(flipped), "x")
    for bad in (b"", data[:50], data + b"x"):
        with pytest.raises(CorruptError):
            from_bytes(bad, "x")


def test_a_file_is_a_zstd_stream_that_others_read():
    import io

    import zstandard

    reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(to_bytes(summary())), read_across_frames=True)
    assert reader.read(BUDGET) == canonical(summary())


def test_a_head_of_another_summary_or_configuration_is_found():
    import hashlib

    data = to_bytes(summary(bugfix=3))
    end = 8 + int.from_bytes(data[4:8], "little")
    cases = (
        (b'"bugfix":3', b'"bugfix":4', "another summary"),
        (CONFIG.encode(), b"0" * 16, "replay it anew"),
        (b'"unit"', b'"tinu"', "no file"),
    )
    for old, new, said in cases:
        about, frame = data[40:end].replace(old, new), data[end:]
        forged = data[:8] + hashlib.sha256(data[:8] + about + frame).digest() + about + frame
        with pytest.raises(CorruptError, match=said):
            from_bytes(forged, "x")


def test_files_that_are_not_sound_make_room(tmp_path):
    (tmp_path / "units").mkdir()
    kernel = Kernel(tmp_path)
    for lineage in ("1" * 32, "2" * 32):
        kernel.join(summary(lineage))
    kernel.path("1" * 32).write_bytes(b"x")
    kernel.path("3" * 32).write_bytes(kernel.path("2" * 32).read_bytes())
    with pytest.raises(CorruptError, match="1111"):
        Kernel.load(tmp_path)
    again = Kernel(tmp_path)
    assert again.repair() == ["1" * 32, "3" * 32]
    assert set(again.units) == {"2" * 32}
