"""Vectors are made once: bounded, for a while, one flight for all who ask at once."""

import threading

import numpy as np
import pytest

from people import until
from shgat.features.cache import Remembering, VectorCache
from shgat.features.static import built_in
from worlds import Counting

ENTRY = 4 * 384 + 200  # bytes, as it counts them


class Second:
    """A second level in memory."""

    trouble = ""

    def __init__(self):
        self.rows = {}

    def get(self, keys):
        return {key: self.rows[key] for key in keys if key in self.rows}

    def put(self, found):
        self.rows.update(found)


def test_what_is_held_is_bounded_in_bytes_and_what_was_asked_for_longest_ago_goes():
    encoder, cache = Counting(), VectorCache(3 * ENTRY)
    remembering = Remembering(encoder, cache)
    for text in ("a", "b", "c", "a", "d", "a", "b"):
        np.testing.assert_array_equal(remembering.encode([text]), built_in().encode([text]))
        assert cache.bytes <= 3 * ENTRY
    assert encoder.texts == ["a", "b", "c", "d", "b"]
    stats = cache.stats()
    assert (stats["hits"], stats["misses"], stats["vectors"], stats["bytes"]) == (2, 5, 3, 3 * ENTRY)
    assert stats["hit_rate"] == pytest.approx(2 / 7)
    assert remembering.encode([]).shape == (0, 384)


def test_vectors_last_a_while():
    now = [0.0]
    encoder, cache = Counting(), VectorCache(lasts=60.0, clock=lambda: now[0])
    for at in (0.0, 60.0, 60.1, 100.0):
        now[0] = at
        Remembering(encoder, cache).encode(["a", "a"])
    assert encoder.texts == ["a", "a"]
    assert cache.stats()["vectors"] == 1


def test_encoders_do_not_share_vectors():
    cache, one, two = VectorCache(), Counting(), Counting()
    two.id = "two"
    for encoder in (one, two):
        Remembering(encoder, cache).encode(["a"])
    assert (one.texts, two.texts) == (["a"], ["a"])


def asked_at_once(encoder, cache, n, ask):
    """Calls `ask` in n threads, and lets the encoder answer when all the others wait for the first."""
    encoder.gate = threading.Event()
    threads = [threading.Thread(target=ask) for _ in range(n)]
    for thread in threads:
        thread.start()
    until(lambda: cache.stats()["hits"] == n - 1)
    encoder.gate.set()
    for thread in threads:
        thread.join()


def test_several_who_ask_at_once_wait_for_one():
    encoder, cache, rows = Counting(), VectorCache(), []
    asked_at_once(encoder, cache, 6, lambda: rows.append(Remembering(encoder, cache).encode(["a"])))
    assert encoder.texts == ["a"]
    assert len(rows) == 6
    assert all((r == rows[0]).all() for r in rows)


def test_a_failure_is_everybodys_who_waits_and_is_not_remembered():
    encoder, cache, faults = Counting(), VectorCache(), []
    encoder.broken = True

    def ask():
        with pytest.raises(OSError, match="gone"):
            Remembering(encoder, cache).encode(["a"])
        faults.append("gone")

    asked_at_once(encoder, cache, 3, ask)
    assert faults == ["gone"] * 3
    encoder.broken = False
    assert Remembering(encoder, cache).encode(["a"]).any()


def test_the_second_level_is_asked_first_and_told_and_a_strange_vector_is_not_believed():
    second = Second()
    one, two = (Counting() for _ in range(2))
    Remembering(one, VectorCache(second=second)).encode(["a", "b"])
    other = VectorCache(second=second)
    np.testing.assert_array_equal(Remembering(two, other).encode(["b", "c"]), built_in().encode(["b", "c"]))
    assert two.texts == ["c"]
    assert (other.stats()["shared_hits"], other.stats()["misses"]) == (1, 1)
    second.rows = {key: row[:5] for key, row in second.rows.items()}
    np.testing.assert_array_equal(Remembering(two, VectorCache(second=second)).encode(["a"]), built_in().encode(["a"]))
    Remembering(two, VectorCache(second=second), quick=True).encode(["never seen"])
    assert len(second.rows) == 3
