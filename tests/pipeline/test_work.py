"""What steps have to hand is what the run was begun with."""

import pytest

from pipeline import town
from shgat import Catalog
from shgat.errors import InputError
from shgat.store import Store


def test_another_catalogue_ends_a_run(make, lived, up_to, sqlite_url):
    pipeline = make()
    up_to(pipeline, "validate-data")
    with Store.open(sqlite_url) as store:
        store.remove_from_catalog(["t23"])
    with pytest.raises(InputError, match="the catalogue has changed since run"):
        pipeline.step("train")
    assert pipeline.runs.latest().steps["train"].status == "failed"


def test_a_store_without_a_catalogue_says_so(make, sqlite_url):
    with Store.open(sqlite_url, town.D):
        pass
    with pytest.raises(InputError, match="holds no catalogue yet"):
        make().run()


def test_a_catalogue_without_embeddings_says_so(make, sqlite_url, tmp_path):
    with Store.open(sqlite_url, town.D):
        pass
    Catalog.from_records([{"id": "a", "text": "a tool"}], []).save(tmp_path / "tools")
    with pytest.raises(InputError, match="no embeddings: shgat embed"):
        make(catalog="tools").run()


@pytest.mark.slow
def test_a_folder_is_the_catalogue_where_it_is_named(make, lived, tmp_path):
    town.catalog().save(tmp_path / "tools")
    assert make(catalog="tools").run().status == "promoted"
