"""Versions of parameters: which one serves, and that a damaged one never does."""

import logging
import shutil
import sqlite3

import numpy as np
import pytest
import sqlalchemy as sa

from shgat.errors import InputError, StoreError
from shgat.store import Store
from shgat.store.schema import parameters

D = 8


def damage(store, version, column, change):
    with store.database.write() as connection:
        where = parameters.c.version == version
        value = connection.scalar(sa.select(parameters.c[column]).where(where))
        connection.execute(parameters.update().where(where).values({column: change(value)}))


def flip(value, bit):
    raw = bytearray(value if isinstance(value, bytes) else value.encode())
    raw[bit // 8 % len(raw)] ^= 1 << (bit % (8 if isinstance(value, bytes) else 3))
    return bytes(raw) if isinstance(value, bytes) else raw.decode()


def test_a_version_comes_back_as_it_went(store):
    assert store.latest_parameters() is None
    assert store.parameters_age() is None
    manifest = {"config": {"d": 8, "rate": 1e-6, "large": 1e16}, "name": "thé \0"}
    version = store.put_parameters(b"\0tensors\xff", manifest)
    found = store.latest_parameters()
    assert (found.version, found.data, found.manifest, found.damaged) == (version, b"\0tensors\xff", manifest, ())


def test_the_newest_activated_version_serves(store):
    first = store.put_parameters(b"1", {})
    second = store.put_parameters(b"2", {})
    third = store.put_parameters(b"3", {}, activate=False)
    assert store.latest_parameters().version == second
    store.activate_parameters(third)
    assert store.latest_parameters().version == third
    store.activate_parameters(first)
    assert store.latest_parameters().version == first
    assert [v.active for v in store.parameter_versions()] == [True, False, False]
    assert store.parameters(second).data == b"2"
    with pytest.raises(StoreError, match="version 99: there is no such"):
        store.activate_parameters(99)
    assert store.latest_parameters().version == first


def test_users_do_not_share(store):
    store.put_parameters(b"mine", {}, user_id="me")
    assert store.latest_parameters() is None
    store.put_parameters(b"ours", {})
    assert store.latest_parameters("me").data == b"mine"


def test_age_is_measured_by_the_clock(url):
    now = [100.0]
    with Store.open(url, D, clock=lambda: now[0]) as store:
        store.put_parameters(b"1", {})
        now[0] = 160.0
        assert store.parameters_age() == 60.0
        now[0] = 50.0
        assert store.parameters_age() == 0.0


@pytest.mark.parametrize("manifest", [{"x": float("nan")}, {"x": object()}])
def test_a_manifest_is_json(store, manifest):
    with pytest.raises(InputError, match="manifest"):
        store.put_parameters(b"1", manifest)
    assert store.latest_parameters() is None


def test_every_flipped_bit_is_found_and_the_previous_version_serves(store, caplog):
    rng = np.random.default_rng(0)
    never = store.put_parameters(b"rejected by the gate", {}, activate=False)
    store.activate_parameters(good := store.put_parameters(rng.bytes(4000), {"a": [1.5, 2]}))
    store.put_parameters(b"rejected as well", {}, activate=False)
    for column, n in (("data", 25), ("manifest", 10), ("sha256", 5)):
        for bit in rng.integers(0, 30_000, n).tolist():
            bad = store.put_parameters(rng.bytes(4000), {"a": [1.5, 2], "text": "abc"})
            damage(store, bad, column, lambda value, bit=bit: flip(value, bit))
            caplog.clear()
            with caplog.at_level(logging.ERROR, "shgat"):
                found = store.latest_parameters()
            assert (found.version, found.damaged[0]) == (good, bad)
            assert f"version {bad} is damaged" in caplog.text
            with pytest.raises(StoreError, match="damaged"):
                store.activate_parameters(bad)
            store.activate_parameters(good)
    assert never != store.latest_parameters().version


@pytest.mark.parametrize("length", [0, 1, 2000, 3999])
def test_a_torn_row_is_found(store, length):
    good = store.put_parameters(b"good", {})
    bad = store.put_parameters(bytes(4000), {})
    damage(store, bad, "data", lambda value: value[:length])
    assert (store.latest_parameters().version, store.latest_parameters().damaged) == (good, (bad,))


def test_nothing_intact_is_an_error(store):
    for _ in range(2):
        damage(store, store.put_parameters(b"data", {}), "data", lambda value: value[:-1])
    with pytest.raises(StoreError, match="all 2 versions of the parameters are damaged; train anew"):
        store.latest_parameters()


def test_flipped_bits_in_the_file_never_reach_the_ranker(tmp_path):
    """Anything may fail where the file itself is damaged; wrong bytes may not come back."""
    url = f"sqlite:///{tmp_path / 'good.db'}"
    rng = np.random.default_rng(1)
    contents = [rng.bytes(60_000), rng.bytes(60_000)]
    with Store.open(url, D) as store:
        for data in contents:
            store.put_parameters(data, {"n": 1})
    connection = sqlite3.connect(tmp_path / "good.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    served = {"newest": 0, "previous": 0, "error": 0}
    original = (tmp_path / "good.db").read_bytes()
    for i in range(80):
        raw = bytearray(original)
        for place in rng.integers(0, len(raw), 1 + i // 20):
            raw[place] ^= 1 << int(rng.integers(8))
        (tmp_path / "bad.db").write_bytes(raw)
        try:
            with Store.open(f"sqlite:///{tmp_path / 'bad.db'}") as store:
                found = store.latest_parameters()
        except StoreError:
            served["error"] += 1
        else:
            assert found.data in contents
            served["newest" if found.data == contents[1] else "previous"] += 1
        for leftover in tmp_path.glob("bad.db*"):
            leftover.unlink()
    assert served["previous"] > 0, served
    shutil.rmtree(tmp_path)
