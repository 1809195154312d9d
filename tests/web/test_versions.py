"""Versions over HTTP: listed, promoted past a gate or against it, and rolled back once."""

import pytest

from shgat import SHGAT
from shgat.errors import InputError
from shgat.registry import StoreRegistry, facts_of
from shgat.store import Store
from shgat.web.versions import VersionsOverHttp


@pytest.fixture
def two(asking, ranker, small, tmp_path):
    """Two versions that are registered and named by nothing."""
    with Store.open(f"sqlite:///{tmp_path}/store.db", small.dimension) as store:
        for seed in (1, 2):
            model = SHGAT.from_catalog(small, seed=seed)
            StoreRegistry(store).add(model.to_bytes(), facts_of(model, 1.0 + seed))
    return asking


def promoted(asking, name, **told):
    return asking.post(f"/v1/models/{name}/promote", {"force": True, "why": "a test", **told})


def test_what_there_is(two):
    found = two.get("/v1/models").json()
    assert [v["version"] for v in found["versions"]] == [2, 1]
    assert (found["serving"], found["aliases"], found["moves"]) == ("untrained", {}, [])


def test_promotion_serves_at_once_and_goes_back_once(two, ranker):
    assert promoted(two, "v1").json()["serving"] == "v1"
    assert promoted(two, 2).json()["move"]["before"] == 1
    assert ranker.model_version == "v2"
    back = two.post("/v1/models/v2/rollback", {"why": "worse"}).json()
    assert (back["serving"], back["move"]["why"]) == ("v1", "worse")
    assert back["move"]["who"] == f"key {two.secret[6:14]}"
    again = two.post("/v1/models/v2/rollback")
    assert (again.status_code, again.json()["type"]) == (409, "urn:shgat:problem:conflict")
    assert two.post("/v1/models/v1/rollback").status_code == 409  # the first in production


def test_the_gate_says_no(two):
    got = two.post("/v1/models/v1/promote", {})
    assert got.status_code == 409
    assert got.json()["type"] == "urn:shgat:problem:refused-by-gate"
    assert "20 are needed" in got.json()["detail"]


def test_other_aliases(two):
    assert two.post("/v1/models/1/promote", {"alias": "canary", "percent": 10, "hours": 1}).status_code == 200
    assert two.get("/v1/models").json()["aliases"] == {"canary": 1}
    assert two.post("/v1/models/canary/rollback", {"alias": "canary"}).json()["move"]["after"] is None


@pytest.mark.parametrize(("path", "body", "status"), [
    ("/v1/models/v9/promote", {}, 404), ("/v1/models/nobody/promote", {}, 404), ("/v1/models/production/rollback", {}, 404),
    ("/v1/models/v1/promote", {"force": True}, 422), ("/v1/models/v1/promote", {"alias": "shadow", "percent": 5}, 422),
    ("/v1/models/v1/promote", {"alias": "king"}, 422), ("/v1/models/v1/promote", {"forse": True}, 422), ("/v1/models/v1/rollback", [], 422),
])  # fmt: skip
def test_what_cannot_be_done(two, path, body, status):
    got = two.post(path, body)
    assert (got.status_code, got.headers["content-type"]) == (status, "application/problem+json")


def test_force_is_the_gates(two, ranker, tmp_path):
    versions = VersionsOverHttp(ranker, f"sqlite:///{tmp_path}/store.db", "local")
    with pytest.raises(InputError, match="which alone has a gate"):
        versions.promote("v1", "staging", "x", "y", True, None, None)
