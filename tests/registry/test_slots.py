"""Slots: there is always a version in production, and whoever reads sees one version or the other."""

import threading

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.registry import ROLES, ServedVersion, Slots
from worlds import trained, unit


def version(n):
    return ServedVersion(f"v{n}", n, trained(seed=n))


def test_production_is_there_from_the_start_and_the_other_roles_are_empty():
    first = version(1)
    slots = Slots(first)
    assert slots.production is slots.get("production") is first
    assert [slots.get(role) for role in ROLES] == [first, None, None]
    assert slots.swaps == 0


def test_production_cannot_be_emptied():
    first = version(1)
    slots = Slots(first)
    with pytest.raises(InputError, match="role is one of shadow, canary, not 'production'"):
        slots.clear("production")
    assert slots.production is first


@pytest.mark.parametrize("role", ["shadow", "canary"])
def test_another_role_is_filled_and_emptied_beside_production(role):
    first, other, later = (version(n) for n in (1, 2, 3))
    slots = Slots(first)
    slots.put(other, role)
    assert slots.get(role) is other
    slots.put(later, role)
    assert (slots.get(role), slots.production) == (later, first)
    slots.clear(role)
    slots.clear(role)
    assert slots.get(role) is None
    assert slots.production is first


def test_only_swaps_of_production_are_counted():
    slots = Slots(version(1))
    slots.put(version(2), "shadow")
    slots.put(version(3), "canary")
    slots.clear("shadow")
    assert slots.swaps == 0
    slots.put(version(4))
    slots.put(slots.get("canary"), "production")
    assert (slots.swaps, slots.production.name) == (2, "v3")


@pytest.mark.parametrize("role", ["", "Production", "staging", None])
def test_a_role_that_does_not_exist_is_refused(role):
    first = version(1)
    slots = Slots(first)
    with pytest.raises(InputError, match="role is one of"):
        slots.put(version(2), role)
    with pytest.raises(InputError, match="role is one of"):
        slots.get(role)
    with pytest.raises(InputError, match="role is one of"):
        slots.clear(role)
    assert (slots.production, slots.swaps) == (first, 0)


def test_readers_see_whole_versions_while_they_are_swapped():
    versions = [version(n) for n in range(1, 4)]
    x = unit(np.random.default_rng(0), 16)
    expected = {v.name: v.model.rank(x, 5) for v in versions}
    slots = Slots(versions[0])
    faults, read, done = [], [0], threading.Event()

    def reader(role):
        while not done.is_set():
            found = slots.get(role)
            read[0] += 1
            if found is None:
                if role == "production":
                    faults.append(None)
            elif found.model.rank(x, 5).ids != expected[found.name].ids or found.name != f"v{found.number}":
                faults.append(found)

    threads = [threading.Thread(target=reader, args=(role,)) for role in ("production", "production", "shadow")]
    for thread in threads:
        thread.start()
    for i in range(300):
        slots.put(versions[i % 3])
        slots.put(versions[(i + 1) % 3], "shadow")
        slots.clear("shadow")
    done.set()
    for thread in threads:
        thread.join()
    assert not faults
    assert read[0] > 0
    assert slots.swaps == 300


def test_writers_of_different_roles_lose_nothing_of_each_other():
    versions = {role: [version(n) for n in range(2)] for role in ROLES}
    slots = Slots(versions["production"][0])

    def writer(role):
        for i in range(2000):
            slots.put(versions[role][i % 2], role)

    threads = [threading.Thread(target=writer, args=(role,)) for role in ROLES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [slots.get(role) for role in ROLES] == [versions[role][1] for role in ROLES]
    assert slots.swaps == 2000
