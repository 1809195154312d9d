"""The other paths: catalogue, versions, state; and a run of schemathesis over all of them."""

import contextlib

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import validate
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

from shgat.web import Key, Keys, Limits, Service, create_app

load_all_checks()
# JSON Schema cannot say that not all numbers are zero, or that base64 holds finite ones: what is valid by it may be refused.
CHOSEN = [check for check in CHECKS.get_all() if check.__name__ not in ("positive_data_acceptance", "ignored_auth")]


def test_pages_of_the_catalogue(asking):
    first = asking.get("/v1/tools?limit=4").json()
    assert (len(first["items"]), first["total"], first["next_offset"]) == (4, 10, 4)
    assert asking.get("/v1/tools?offset=8&limit=4").json()["next_offset"] is None
    assert [t["id"] for t in asking.get("/v1/tools?server=files&q=NUMBER%207").json()["items"]] == ["files.t7"]
    outer = asking.get("/v1/capabilities?q=report").json()["items"][0]
    assert (outer["level"], outer["tools"], outer["capabilities"]) == (1, ["files.t5"], ["send"])
    assert asking.get("/v1/tools?limit=501").status_code == 422


def test_the_catalogue_follows_a_snapshot(asking, ranker):
    snapshot = {"tools": [{"name": "t9", "description": "a tool that nothing here can make an embedding of"}]}
    got = asking.post("/v1/catalog/sync", {"snapshot": snapshot, "server": "mail"}).json()
    assert got["tools"]["removed"] == [f"mail.t{i}" for i in range(5)]
    assert "t9" in got["left_out"][0]
    assert [tool.server for tool in ranker.catalog.tools] == ["files"] * 5
    assert asking.post("/v1/catalog/sync", {"snapshot": {"tools": []}}).status_code == 422


def test_state(asking, vector):
    asking.post("/v1/rank", {"embedding": vector})
    stats = asking.get("/v1/stats").json()
    assert stats["ranker"]["answers"]["all"] == 1
    assert stats["server"]["requests"] == 1
    assert asking.get("/v1/history").json()["group"] == 25
    assert 'shgat_http_requests_total{method="POST",route="/v1/rank",status="200"} 1.0' in asking.get("/metrics").text


def test_the_document_is_valid_and_knows_the_catalogue(asking):
    document = asking.get("/openapi.json", key=None).json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    numbers = document["components"]["schemas"]["RankBody"]["properties"]["embedding"]["anyOf"][0]
    assert (numbers["minItems"], numbers["maxItems"]) == (8, 8)


@pytest.fixture(scope="module")
def schema(small, tmp_path_factory):
    from shgat.serving import Ranker

    store = f"sqlite:///{tmp_path_factory.mktemp('schema')}/store.db"
    with Ranker.open(store, small, mode="off") as ranker:
        key, secret = Key.make("schemathesis", ["rank", "feedback", "catalog", "admin", "metrics"])
        app = create_app(Service(ranker, store, Keys(given=[key]), Limits()))
        found = schemathesis.openapi.from_asgi("/openapi.json", app)
        found.config.update(headers={"Authorization": f"Bearer {secret}"})
        yield found


def cases(schema, n):
    """Runs n examples of every operation, half of them against the document; how many there were in all."""
    ran = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:

            @settings(max_examples=n, suppress_health_check=list(HealthCheck), derandomize=n < 100, database=None)
            @given(case=operation.as_strategy(generation_mode=mode))
            def run(case):
                nonlocal ran
                ran += 1
                case.call_and_validate(checks=CHOSEN)

            with contextlib.suppress(Unsatisfiable):  # of an operation without parameters there is nothing wrong to be sent
                run()
    return ran


def test_no_case_makes_it_fail_or_answer_what_is_not_in_the_document(schema):
    assert cases(schema, 3) >= 50


@pytest.mark.slow
def test_ten_thousand_cases_do_not_either(schema):
    ran = cases(schema, 600)
    print(f"{ran} cases")
    assert ran >= 10_000
