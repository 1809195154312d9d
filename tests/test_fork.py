"""A forked child gets what it needs anew, whatever other threads of the parent were doing."""

import os
import threading
from functools import cached_property

import pytest

from processes import forked
from shgat import _fork
from shgat.graph import Catalog
from shgat.registry import ServedVersion, Slots
from shgat.serving.session import Sessions
from worlds import catalog, trained

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


class Held:
    def __init__(self):
        self.lock = threading.Lock()
        _fork.renew(self)

    def after_fork(self):
        self.lock = threading.Lock()


def test_what_is_registered_is_renewed_in_the_child_alone():
    held = Held()
    before = held.lock
    with held.lock:
        assert forked(lambda: held.lock is not before and not held.lock.locked())
        assert held.lock is before


def test_what_is_gone_is_not_held():
    held = Held()
    before = len(_fork._renewed)
    del held
    assert len(_fork._renewed) == before - 1


@pytest.mark.parametrize(
    ("make", "use"),
    [
        (trained, lambda model: model.add_tool({"id": "new", "embedding": [1.0] * 16})),
        (lambda: Slots(ServedVersion("v1", 1, trained())), lambda slots: slots.put(ServedVersion("v2", 2, trained()))),
        (Sessions, lambda sessions: sessions.grown("s", "tools", ["a"], {}, ["a"])),
    ],
)
def test_a_lock_that_another_thread_holds_holds_up_no_child(make, use):
    item = make()
    locked, done = threading.Event(), threading.Event()

    def hold():
        with item._lock:
            locked.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait()
    try:
        assert forked(lambda: use(item) or True)
    finally:
        done.set()
        thread.join()


def test_a_property_that_another_thread_computes_is_computed_in_the_child():
    one = catalog()
    prop = vars(Catalog)["tool_column"]
    assert isinstance(prop, cached_property)
    if not hasattr(prop, "lock"):
        pytest.skip("this Python has no lock there")
    locked, done = threading.Event(), threading.Event()

    def hold():
        with prop.lock:
            locked.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait()
    try:
        vars(one).pop("tool_column", None)
        assert forked(lambda: "t0" in one.tool_column)
    finally:
        done.set()
        thread.join()


def test_a_child_that_hangs_is_noticed():
    """What the tests here rely on."""
    assert not forked(lambda: threading.Event().wait(60), seconds=0.5)
    assert not forked(lambda: os._exit(3))
    assert not forked(lambda: 1 / 0)
