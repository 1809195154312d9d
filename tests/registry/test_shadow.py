"""A shadow compares beside the answers: it holds nobody up, whatever it does."""

import threading
import time

import pytest

from people import until
from registry.conftest import model
from shgat.registry import ServedVersion
from shgat.registry.shadow import WAITING, Shadow


@pytest.fixture
def shadow():
    shadow = Shadow()
    yield shadow
    shadow.close()


@pytest.fixture(scope="module")
def version():
    return ServedVersion("v7", 7, model(0))


def test_rankings_are_compared_with_what_went_out(shadow, version):
    for ids in (("a", "b"), ("b", "a"), ("c", "a"), ("c", "d")):
        shadow.offer(version, lambda ids=ids: ids, ("a", "b"))
    until(lambda: shadow.stats()["compared"] == 4)
    found = shadow.stats()
    assert (found["version"], found["overlap"], found["first"], found["failed"], found["dropped"]) == ("v7", 0.625, 0.25, 0, 0)
    shadow.offer(ServedVersion("v8", 8, version.model), lambda: (), ())
    until(lambda: shadow.stats()["version"] == "v8")
    assert shadow.stats()["compared"] == 1


def test_a_shadow_that_fails_or_hangs_holds_nobody_up(shadow, version):
    go = threading.Event()

    def fail():
        raise RuntimeError("no")

    shadow.offer(version, fail, ("a",))
    shadow.offer(version, lambda: (go.wait(30.0), ())[1], ("a",))
    until(lambda: shadow.stats()["failed"] == 1)
    started = time.perf_counter()
    for _ in range(WAITING + 100):
        shadow.offer(version, lambda: ("a",), ("a",))
    assert time.perf_counter() - started < 5.0  # and not until the one before has ended
    assert shadow.dropped >= 99
    go.set()
    until(lambda: shadow.stats()["compared"] > 10)


def test_a_closed_shadow_has_no_thread_and_takes_what_it_is_given(version):
    shadow = Shadow()
    shadow.close()
    shadow.offer(version, lambda: (), ())
    assert shadow.stats()["compared"] == 0
    other = Shadow()
    other.offer(version, lambda: (), ())
    other.close()
    other.close()
    assert not [t for t in threading.enumerate() if t.name == "shgat-shadow"]
