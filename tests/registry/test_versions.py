"""Versions: opened over the catalogue that is served, stored when they are sound, and one way back from damaged ones."""

import numpy as np
import pytest

from shgat import SHGAT, Catalog
from shgat.errors import ModelFileError, StoreError
from shgat.registry import Versions
from shgat.store import Store
from shgat.store.schema import model_versions
from worlds import catalog, opened, records, unit

D = 16


@pytest.fixture
def store(sqlite_url):
    with Store.open(sqlite_url, D) as store:
        yield store


@pytest.fixture
def versions():
    return Versions(catalog(), "local")


def model(seed):
    return opened(SHGAT.from_catalog(catalog(), seed=seed), seed)


def tear(store, version):
    """Half of the bytes are gone, and the SHA-256 does not fit any more."""
    where = model_versions.c.version == version
    with store.database.write() as connection:
        connection.execute(model_versions.update().where(where).values(data=store.model(version).data[:-999]))


def test_a_version_that_was_added_is_active_and_ranks_as_the_model_did(store, versions):
    made = model(1)
    added = versions.add(store, made.to_bytes(), {"reason": "better"})
    assert (added.name, added.number, added.trouble) == ("v1", 1, "")
    assert store.active_model() == 1
    manifest = store.model(1).manifest
    assert {name: manifest[name] for name in ("reason", "parent", "catalog")} == {
        "reason": "better", "parent": None, "catalog": made.catalog.fingerprint,
    }  # fmt: skip
    (move,) = store.moves()
    assert (move.alias, move.after, move.who, move.why) == ("production", 1, "gateway", "trained")
    found = versions.newest(store)
    x = unit(np.random.default_rng(0), D)
    for version in (added, found):
        assert (version.name, version.number, version.trouble) == ("v1", 1, "")
        assert version.model.rank(x, 5).ids == made.rank(x, 5).ids
        np.testing.assert_array_equal(version.model.score(x), made.score(x))


def test_a_store_without_versions_has_no_newest(store, versions):
    assert versions.newest(store) is None
    store.put_model(model(1).to_bytes(), {}, user_id="another")
    assert versions.newest(store) is None


def test_a_version_is_opened_over_the_catalogue_that_is_served(store):
    made = model(1)
    store.put_model(made.to_bytes(), {})
    rng = np.random.default_rng(0)
    tools, capabilities = records(rng)
    grown = Catalog.from_records([{"id": "new", "embedding": unit(rng, D)}, *tools[1:]], capabilities[2:3])
    found = Versions(grown, "local").newest(store).model
    assert found.tool_ids == [t.id for t in grown.tools]
    assert len(found.rank(unit(rng, D), 100)) == len(grown.tools)
    np.testing.assert_array_equal(found.params["w_intent"], made.params["w_intent"])


def test_a_rollback_serves_what_was_activated_last(store, versions):
    for seed in (1, 2):
        versions.add(store, model(seed).to_bytes(), {})
    store.activate_model(1)
    found = versions.newest(store)
    assert (found.name, found.trouble) == ("v1", "")


def test_a_damaged_version_is_passed_over_and_said_to_be(store, versions):
    for seed in (1, 2, 3):
        versions.add(store, model(seed).to_bytes(), {})
    tear(store, 3)
    found = versions.newest(store)
    assert (found.name, found.trouble) == ("v2", "model v3 is damaged, v2 serves")
    tear(store, 2)
    found = versions.newest(store)
    assert (found.name, found.trouble) == ("v1", "model v3, v2 are damaged, v1 serves")
    versions.add(store, model(4).to_bytes(), {})
    assert versions.newest(store).trouble == ""


def test_a_file_that_cannot_be_opened_is_damaged_though_its_bytes_are_those_that_were_stored(store, versions):
    versions.add(store, model(1).to_bytes(), {})
    store.put_model(b"no model file", {})
    store.put_model(model(2).to_bytes()[:-1], {})
    found = versions.newest(store)
    assert (found.name, found.trouble) == ("v1", "model v3, v2 are damaged, v1 serves")


def test_a_model_of_other_embeddings_cannot_be_opened(store, versions):
    versions.add(store, model(1).to_bytes(), {})
    store.put_model(SHGAT.from_catalog(catalog(d=8)).to_bytes(), {})
    assert versions.newest(store).name == "v1"


def test_a_version_that_never_served_is_no_way_back(store, versions):
    versions.add(store, model(1).to_bytes(), {})
    store.put_model(model(2).to_bytes(), {}, activate=False)
    tear(store, 1)
    with pytest.raises(StoreError, match="all 1 versions of the model are damaged"):
        versions.newest(store)


def test_where_nothing_is_intact_it_is_an_error(store, versions):
    versions.add(store, model(1).to_bytes(), {})
    tear(store, 1)
    store.put_model(b"no model file", {})
    with pytest.raises(StoreError, match="all 2 versions of the model are damaged; train anew"):
        versions.newest(store)


def test_what_cannot_be_opened_is_not_stored(store, versions):
    with pytest.raises(ModelFileError, match="the trained model"):
        versions.add(store, model(1).to_bytes()[:-1], {})
    assert store.model_versions() == []


def test_the_oldest_beyond_twenty_go(store, versions):
    data = model(1).to_bytes()
    for _ in range(22):
        store.put_model(data, {})
    assert versions.add(store, data, {}).number == 23
    assert [v.version for v in store.model_versions()] == list(range(4, 24))
