"""Versions of the model: which one serves, the one way back, and that a damaged one never serves."""

import logging
import shutil
import sqlite3

import numpy as np
import pytest
import sqlalchemy as sa

from shgat.errors import InputError, ModelFileError, StoreError
from shgat.store import Store
from shgat.store.database import DamagedError
from shgat.store.schema import model_versions
from traces.examples import D


def newest(store, user_id="local"):
    """The version that serves as it was stored, and those that were passed over."""
    found = store.newest_model(lambda version: version, user_id)
    assert found is None or found.version == found.content.version
    return found


def damage(store, version, column, change):
    with store.database.write() as connection:
        where = model_versions.c.version == version
        value = connection.scalar(sa.select(model_versions.c[column]).where(where))
        connection.execute(model_versions.update().where(where).values({column: change(value)}))


def flip(value, bit):
    raw = bytearray(value if isinstance(value, bytes) else value.encode())
    raw[bit // 8 % len(raw)] ^= 1 << (bit % (8 if isinstance(value, bytes) else 3))
    return bytes(raw) if isinstance(value, bytes) else raw.decode()


def test_a_version_comes_back_as_it_went(store):
    assert newest(store) is None
    assert store.active_model() is None
    assert store.model_age() is None
    manifest = {"config": {"d": 8, "rate": 1e-6, "large": 1e16}, "name": "thé \0"}
    version = store.put_model(b"\0tensors\xff", manifest)
    found = newest(store)
    assert (found.content.data, found.content.manifest, found.damaged) == (b"\0tensors\xff", manifest, ())
    assert found.version == version == store.active_model()


def test_the_newest_activated_version_serves(store):
    first = store.put_model(b"1", {})
    second = store.put_model(b"2", {})
    third = store.put_model(b"3", {}, activate=False)
    assert newest(store).version == second
    store.activate_model(third)
    assert newest(store).version == third
    store.activate_model(first)
    assert newest(store).version == first
    assert [v.active for v in store.model_versions()] == [True, False, False]
    assert store.model(second).data == b"2"
    with pytest.raises(StoreError, match="version 99: there is no such"):
        store.activate_model(99)
    assert newest(store).version == first == store.active_model()


def test_a_version_that_is_only_stored_does_not_serve(store):
    version = store.put_model(b"1", {}, activate=False)
    assert newest(store) is None
    assert store.active_model() is None
    store.activate_model(version, who="ann", why="it is the first")
    assert newest(store).version == version
    (move,) = store.moves()
    assert (move.who, move.why, move.before, move.after) == ("ann", "it is the first", None, version)


def test_an_alias_names_an_intact_version_of_its_user(store):
    mine, theirs = store.put_model(b"1", {}), store.put_model(b"2", {}, user_id="another")
    with pytest.raises(StoreError, match=f"version {theirs}: 'local' has no such version"):
        store.move_model_alias("staging", theirs)
    damage(store, mine, "data", lambda data: data + b"x")
    with pytest.raises(DamagedError, match="damaged"):
        store.move_model_alias("staging", mine)
    assert store.aliases() == {"production": mine}
    assert store.aliases("another") == {"production": theirs}
    assert len(store.moves()) == 1


def test_manifests_are_as_they_were_written(store):
    numbers = [store.put_model(b"1", {"n": n}) for n in (1, 2)]
    store.put_model(b"1", {"n": 3}, user_id="another")
    assert store.manifests() == {numbers[0]: '{"n": 1}', numbers[1]: '{"n": 2}'}


def test_users_do_not_share(store):
    store.put_model(b"mine", {}, user_id="me")
    assert newest(store) is None
    store.put_model(b"ours", {})
    assert newest(store, "me").content.data == b"mine"
    assert newest(store).content.data == b"ours"


def test_age_and_times_are_measured_by_the_clock(url):
    now = [100.0]
    with Store.open(url, D, clock=lambda: now[0]) as store:
        version = store.put_model(b"12345", {})
        now[0] = 160.0
        assert store.model_age() == 60.0
        store.activate_model(version)
        assert store.model_age() == 0.0
        assert store.model_versions() == [(version, True, 5, 100.0, 160.0)]
        assert store.model(version).created_at == 100.0
        now[0] = 50.0
        assert store.model_age() == 0.0


@pytest.mark.parametrize("manifest", [{"x": float("nan")}, {"x": object()}])
def test_a_manifest_is_json(store, manifest):
    with pytest.raises(InputError, match="manifest"):
        store.put_model(b"1", manifest)
    assert newest(store) is None


class TestTheWayBack:
    @pytest.fixture
    def clock(self, store):
        now = [0.0]
        store.clock = lambda: now[0]
        return now

    @pytest.fixture
    def served(self, store, clock):
        """The versions that served, the last one first; others never did."""
        versions = []
        for clock[0] in (1.0, 2.0, 3.0):
            versions.append(store.put_model(b"%d" % len(versions), {}))
            store.put_model(b"rejected by the gate", {}, activate=False)
        clock[0] = 4.0
        store.activate_model(versions[0])
        return [versions[0], versions[2], versions[1]]

    @pytest.mark.parametrize("n_bad", range(3))
    def test_what_cannot_be_read_gives_way_to_what_served_before(self, store, served, caplog, n_bad):
        asked = []

        def read(found):
            asked.append(found.version)
            if found.version in served[:n_bad]:
                raise ModelFileError(f"version {found.version} is of another catalogue")
            return found.data.decode()

        with caplog.at_level(logging.ERROR, "shgat"):
            found = store.newest_model(read)
        assert asked == served[: n_bad + 1]
        assert (found.version, found.content) == (served[n_bad], "021"[n_bad])
        assert found.damaged == tuple(served[:n_bad])
        assert [r.getMessage() for r in caplog.records] == [f"version {v} is of another catalogue" for v in served[:n_bad]]

    def test_nothing_is_asked_to_read_what_is_damaged(self, store, served):
        damage(store, served[0], "data", lambda data: data + b"x")
        asked = []
        found = store.newest_model(lambda version: asked.append(version.version))
        assert (asked, found.damaged) == ([served[1]], (served[0],))

    def test_the_active_version_is_first_even_where_the_clock_went_back(self, store, clock):
        clock[0] = 10.0
        before = store.put_model(b"1", {})
        clock[0] = 5.0
        active = store.put_model(b"2", {})
        assert newest(store).version == active
        damage(store, active, "data", lambda data: data + b"x")
        assert newest(store).version == before

    def test_nothing_that_can_be_read_is_an_error(self, store, served):
        def read(found):
            raise ModelFileError("torn")

        with pytest.raises(DamagedError, match="all 3 versions of the model are damaged; train anew"):
            store.newest_model(read)
        for version in served:
            damage(store, version, "data", lambda value: value[:-1])
        with pytest.raises(DamagedError, match="all 3 versions of the model are damaged; train anew"):
            newest(store)

    @pytest.mark.parametrize(
        "error", [StoreError("the server went away"), InputError("a fault of the caller"), KeyError("a mistake")]
    )
    def test_what_is_no_damage_is_not_taken_for_damage(self, store, served, caplog, error):
        asked = []

        def read(found):
            asked.append(found.version)
            raise error

        with pytest.raises(type(error)) as caught:
            store.newest_model(read)
        assert caught.value is error
        assert asked == served[:1]
        assert not caplog.records

    def test_a_store_that_fails_on_the_way_is_not_taken_for_damage(self, url):
        def read(found):
            with store.database.write() as connection:
                connection.exec_driver_sql("ALTER TABLE model_versions RENAME TO elsewhere")
            raise ModelFileError("torn")

        with Store.open(url, D) as store:
            store.put_model(b"1", {})
            store.put_model(b"2", {})
            with pytest.raises(StoreError, match="model_versions") as caught:
                store.newest_model(read)
            assert not isinstance(caught.value, DamagedError)

    def test_another_user_is_no_way_back(self, store, served):
        store.put_model(b"theirs", {}, user_id="another")
        for version in served:
            damage(store, version, "sha256", lambda digest: digest[::-1])
        with pytest.raises(DamagedError, match="all 3"):
            newest(store)
        assert newest(store, "another").content.data == b"theirs"


def test_every_flipped_bit_is_found_and_the_previous_version_serves(store, caplog):
    rng = np.random.default_rng(0)
    never = store.put_model(b"rejected by the gate", {}, activate=False)
    store.activate_model(good := store.put_model(rng.bytes(4000), {"a": [1.5, 2]}))
    store.put_model(b"rejected as well", {}, activate=False)
    for column, n in (("data", 25), ("manifest", 10), ("sha256", 5)):
        for bit in rng.integers(0, 30_000, n).tolist():
            bad = store.put_model(rng.bytes(4000), {"a": [1.5, 2], "text": "abc"})
            damage(store, bad, column, lambda value, bit=bit: flip(value, bit))
            caplog.clear()
            with caplog.at_level(logging.ERROR, "shgat"):
                found = newest(store)
            assert (found.version, found.damaged[0]) == (good, bad)
            assert f"version {bad} is damaged" in caplog.text
            with pytest.raises(DamagedError, match="damaged"):
                store.activate_model(bad)
            store.activate_model(good)
    assert never != newest(store).version


@pytest.mark.parametrize("length", [0, 1, 2000, 3999])
def test_a_torn_row_is_found(store, length):
    good = store.put_model(b"good", {})
    bad = store.put_model(bytes(4000), {})
    damage(store, bad, "data", lambda value: value[:length])
    assert (newest(store).version, newest(store).damaged) == (good, (bad,))


@pytest.mark.parametrize("change", ["data = 'text'", "data = 7", "manifest = x'7b7d'"])
def test_a_column_of_another_type_is_damage(sqlite_url, change):
    with Store.open(sqlite_url, D) as store:
        version = store.put_model(b"1", {})
        with store.database.write() as connection:
            connection.exec_driver_sql(f"UPDATE model_versions SET {change}")
        with pytest.raises(DamagedError, match="version 1 is damaged: its columns hold other types"):
            store.model(version)


def test_flipped_bits_in_the_file_never_reach_the_ranker(tmp_path):
    """Anything may fail where the file itself is damaged; wrong bytes may not come back."""
    url = f"sqlite:///{tmp_path / 'good.db'}"
    rng = np.random.default_rng(1)
    contents = [rng.bytes(60_000), rng.bytes(60_000)]
    with Store.open(url, D) as store:
        for data in contents:
            store.put_model(data, {"n": 1})
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
                found = newest(store).content
        except StoreError:
            served["error"] += 1
        else:
            assert found.data in contents
            served["newest" if found.data == contents[1] else "previous"] += 1
        for leftover in tmp_path.glob("bad.db*"):
            leftover.unlink()
    assert served["previous"] > 0, served
    shutil.rmtree(tmp_path)
