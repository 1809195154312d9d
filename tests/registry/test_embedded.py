"""The registry on the store: what the contract does not say."""

import pytest

from shgat.errors import DamagedError, StoreError
from shgat.registry import StoreRegistry
from shgat.store.schema import model_versions


def tear(store, number, **values):
    with store.database.write() as connection:
        connection.execute(model_versions.update().where(model_versions.c.version == number).values(**values))


def test_what_a_gateway_deploys_is_in_production(store, files):
    registry = StoreRegistry(store)
    number = store.put_model(files[0], {"reason": "better"}, who="gateway", why="better")
    assert registry.aliases() == {"production": number}
    (move,) = registry.moves()
    assert (move.action, move.who, move.why, move.after) == ("deploy", "gateway", "better", number)
    other = registry.add(files[1], {})
    registry.move("production", other.number, expected=number, action="promote", who="ann")
    assert store.active_model() == other.number
    assert store.newest_model(lambda v: v.data).content == files[1]


def test_users_do_not_share(store, files):
    mine, theirs = StoreRegistry(store), StoreRegistry(store, "another")
    number = theirs.add(files[0], {}).number
    assert mine.versions() == []
    for call in (mine.version, mine.data, lambda n: mine.move("production", n)):
        with pytest.raises(StoreError, match=f"version {number}: .*no such version"):
            call(number)


def test_what_is_damaged_is_listed_and_named_by_no_alias(store, files):
    registry = StoreRegistry(store)
    good, bad, odd = (registry.add(data, {"n": i}).number for i, data in enumerate(files[:3]))
    for number in (good, bad):
        registry.move("production", number)
    tear(store, bad, data=files[1][:-1])
    tear(store, odd, manifest="no JSON")
    assert [(v.number, v.facts) for v in registry.versions()] == [(good, {"n": 0}), (bad, {"n": 1}), (odd, {})]
    for number in (bad, odd):
        with pytest.raises(DamagedError, match="damaged"):
            registry.move("staging", number)
    assert registry.rollback(who="ann").after == good


def test_a_rollback_passes_over_what_is_gone_or_damaged(store, files):
    registry = StoreRegistry(store)
    numbers = [registry.add(data, {}).number for data in files]
    for number in numbers:
        registry.move("production", number)
    tear(store, numbers[2], data=b"x")
    with store.database.write() as connection:
        connection.execute(model_versions.delete().where(model_versions.c.version == numbers[1]))
    assert registry.rollback(who="ann").after == numbers[0]
