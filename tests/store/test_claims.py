"""Of several owners one has the claim, until it gives it back, or its lease ends because it was killed."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from shgat.errors import InputError
from shgat.store import Store
from shgat.store.schema import claims

CLAIMER = Path(__file__).parent / "claimer.py"


def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_one_owner_at_a_time_for_each_user(store):
    assert store.claim("one", seconds=100.0)
    assert not store.claim("two", seconds=100.0)
    assert store.claim("one", seconds=100.0)  # prolonged
    assert store.claim("two", "another user", 100.0)
    assert not store.release("two")
    assert store.release("one")
    assert not store.release("one")
    assert store.claim("two", seconds=100.0)


def test_a_claim_ends_with_its_lease(store):
    now = 1000.0
    store.clock = lambda: now
    assert store.claim("one", seconds=10.0)
    now = 1009.9
    assert not store.claim("two", seconds=10.0)
    now = 1010.0
    assert store.claim("two", seconds=10.0)
    assert not store.claim("one", seconds=10.0)
    assert not store.release("one")


def test_of_many_at_once_one_gets_it(url):
    together = threading.Barrier(8)

    def work(i):
        with Store.open(url, 8, timeout=30.0) as store:
            together.wait(60)
            return store.claim(f"owner {i}", seconds=1000.0)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 1


def lease_of(store, owner):
    """When the owner's claim ends."""
    with store.database.read() as connection:
        return connection.scalar(select(claims.c.expires_at).where(claims.c.owner == owner))


def test_a_block_keeps_its_claim_however_long_it_takes_and_gives_it_back(store):
    with store.claimed("one", lease=1.0) as mine:
        assert mine
        first = lease_of(store, "one")
        until(lambda: lease_of(store, "one") > first)
    assert lease_of(store, "one") is None
    with pytest.raises(KeyError), store.claimed("one"):
        raise KeyError
    assert store.claim("two", seconds=100.0)
    with store.claimed("one") as mine:
        assert not mine
    assert lease_of(store, "two") is not None


@pytest.mark.parametrize(("owner", "seconds"), [("", 1.0), (None, 1.0), ("one", 0.0), ("one", float("nan"))])
def test_claims_that_make_no_sense_are_refused(store, owner, seconds):
    with pytest.raises(InputError, match="claim"):
        store.claim(owner, seconds=seconds)


def test_a_killed_owner_loses_its_claim(url):
    with Store.open(url, 8) as store:
        with subprocess.Popen([sys.executable, CLAIMER, url], stdout=subprocess.PIPE, text=True) as owner:
            assert owner.stdout.readline() == "claimed\n"
            held = not store.claim("me")
            owner.kill()
        assert held
        until(lambda: store.claim("me"))
