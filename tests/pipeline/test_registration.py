"""A candidate becomes one version, whose facts lead back to the run."""

from shgat.pipeline.registration import register, registered
from shgat.registry import StoreRegistry
from shgat.store import Store


def test_a_version_knows_its_run(trained, up_to, sqlite_url):
    run = up_to(trained(), "register")
    with Store.open(sqlite_url) as store:
        (version,) = StoreRegistry(store).versions()
    assert run.facts("register")["version"] == version.number
    assert version.facts["pipeline"]["run"] == run.id
    assert version.facts["pipeline"]["data"] == run.facts("validate-data")["snapshot"]["fingerprint"]
    assert version.facts["metrics"]["n_traces"] == 160
    assert version.facts["reason"].startswith("better than cosine")


def test_again_is_the_same_version(trained, up_to, sqlite_url):
    pipeline = trained()
    run = up_to(pipeline, "register")
    with Store.open(sqlite_url) as store:
        work = pipeline._work(store, run)
        assert registered(work).number == 1
        assert register(work).facts["version"] == 1
        assert len(store.model_versions()) == 1
