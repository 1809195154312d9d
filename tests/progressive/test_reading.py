"""Reading at the same time: in order, and within what each has."""

import threading

import pytest

from shgat.progressive.disk import Disk
from shgat.progressive.manifest import Repo
from shgat.progressive.quota import Quota
from shgat.progressive.reading import Reading
from shgat.progressive.settings import Settings


def rows(paths):
    return [Repo(i, f"{i:016d}", str(p), p.name, "queued", "", 0, None, None, None, 0, 0, 0.0) for i, p in enumerate(paths)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_in_the_order_of_the_list_and_everything_is_given_back(layout, three, jobs):
    quota = Quota(layout, 10**9)
    reading = Reading(layout, Settings(jobs=jobs), quota, lambda: None, threading.Event())
    found = []
    with reading.workers(Disk()):
        for repo, outcome in reading.outcomes(rows([*three, *three])):
            assert outcome.status == "read"
            found.append(repo.position)
    assert found == list(range(6))
    assert set(quota.reserved.values()) == {0}


def test_what_is_too_large_for_its_share_is_read_alone(layout, planted):
    rotated = []
    quota = Quota(layout, 20_000_000)
    stuck = quota.reserve("ledger", quota.free("ledger") - 200_000)

    def rotate():
        rotated.append(True)
        quota.release("ledger", stuck if len(rotated) == 1 else 0)

    reading = Reading(layout, Settings(quota=20_000_000, jobs=2), quota, rotate, threading.Event())
    with reading.workers(Disk()):
        ((_, outcome),) = reading.outcomes(rows([planted.path]))
    assert outcome.status == "read"
    assert rotated


def test_told_to_stop(layout, three):
    stopped = threading.Event()
    quota = Quota(layout, 10**9)
    reading = Reading(layout, Settings(), quota, lambda: None, stopped)
    found = []
    with reading.workers(Disk()):
        for repo, _ in reading.outcomes(rows(three)):
            found.append(repo.position)
            stopped.set()
    assert len(found) < 3
    assert set(quota.reserved.values()) == {0}
