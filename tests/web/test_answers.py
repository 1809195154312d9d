"""Ranking, reasons and feedback by their paths."""

import asyncio

import httpx2
import pytest

from people import until


def test_an_answer_is_that_of_the_ranker(asking, ranker, vector):
    got = asking.post("/v1/rank", {"embedding": vector, "top_k": 3}).json()
    direct = ranker.rank(vector, 3)
    assert [item["id"] for item in got["items"]] == list(direct.ids)
    assert [item["score"] for item in got["items"]] == pytest.approx(direct.scores)
    assert len(got["decision_id"]) == 32
    assert ranker._journal.decision(got["decision_id"]) is not None


def test_sets_filters_and_explanations(asking, vector):
    sets = asking.post("/v1/rank", {"embedding": vector, "kind": "sets"}).json()
    assert {item["id"]: set(item["tools"]) for item in sets["items"]}["report"] == {"files.t5", "mail.t0", "mail.t1"}
    some = asking.post("/v1/rank", {"embedding": vector, "servers": ["mail"], "explain": True, "exclude": ["mail.t0"]}).json()
    assert {item["id"] for item in some["items"]} == {f"mail.t{i}" for i in range(1, 5)}
    assert some["items"][0]["explanation"]["cosine"] <= 1.0
    by_words = asking.post("/v1/rank", {"text": "tool number 7 of files"}).json()
    assert by_words["items"][0]["id"] == "files.t7"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": 3},
        {"embedding": [1.0]},
        {"text": "x", "kind": "x"},
        {"text": "x", "kind": ""},
        {"text": "x", "top_k": True},
        [],
        {"text": "x", "order": "stable"},
        {"text": "x", "min_score": 2},
        {"text": "x", "rules": {"pin": 3}},
    ],
)
def test_what_no_request_can_mean_is_a_problem(asking, body):
    got = asking.post("/v1/rank", body)
    assert got.status_code == 422
    assert got.headers["content-type"] == "application/problem+json"
    assert got.json()["type"] == "urn:shgat:problem:invalid"


def test_why_not(asking, vector):
    said = asking.post("/v1/why-not", {"embedding": vector, "tool": "mail.t3"}).json()
    assert said["tool"] == "mail.t3"
    assert said["n_tools"] == 10
    assert said["sentences"]
    assert asking.post("/v1/why-not", {"embedding": vector, "tool": "nobody"}).status_code == 404
    assert asking.post("/v1/why-not", {"tool": "mail.t3"}).status_code == 422


def test_who_asks_is_named_in_the_decision_and_in_its_feedback(asking, ranker, vector):
    key = asking.post("/v1/rank", {"embedding": vector, "principal": "team a"}).json()["decision_id"]
    assert ranker._journal.decision(key).principal == "team a"
    told = {"decision_id": key, "tools": ["mail.t0"], "outcome": 1, "principal": "team b"}
    assert asking.post("/v1/feedback", told).status_code == 422
    assert asking.post("/v1/feedback", {**told, "principal": "team a"}).json()["counted"]
    assert asking.post("/v1/why-not", {"embedding": vector, "tool": "mail.t0", "principal": "team a"}).status_code == 200
    assert asking.post("/v1/rank", {"embedding": vector, "principal": ["a"]}).status_code == 422
    assert (
        ranker._journal.decision(asking.post("/v1/rank", {"embedding": vector, "principal": 7.0}).json()["decision_id"]).principal
        == "7"
    )


def test_feedback_says_which_step_of_which_session_it_is(asking, ranker, vector):
    key = asking.post("/v1/rank", {"embedding": vector, "session": "s"}).json()["decision_id"]
    told = {"decision_id": key, "tools": ["mail.t1"], "outcome": 1, "step": 0.0, "end": "terminal", "rating": 4}
    assert asking.post("/v1/feedback", {**told, "session": "t"}).status_code == 422
    assert asking.post("/v1/feedback", {**told, "session": "s"}).json()["counted"]
    until(lambda: not ranker.stats()["waiting_for_store"])
    (trace,) = ranker._journal.store.session("s")
    assert (trace.decision_id, trace.step, trace.end, trace.rating) == (key, 0, "terminal", 4.0)


def test_feedback_counts_once_by_its_decision(asking, ranker, vector):
    key = asking.post("/v1/rank", {"embedding": vector}).json()["decision_id"]
    told = {"decision_id": key, "tools": ["mail.t1"], "outcome": 1, "duration_ms": 12}
    first, again = asking.post("/v1/feedback", told).json(), asking.post("/v1/feedback", told).json()
    assert first["counted"]
    assert again == {"decision_id": key, "receipt": "known", "counted": False}
    assert ranker.stats()["success"]["waiting_for_training"] == 1


def test_an_idempotency_key_gives_the_same_answer_to_the_same_feedback(asking, vector):
    key = asking.post("/v1/rank", {"embedding": vector}).json()["decision_id"]
    told, header = {"decision_id": key, "tools": ["mail.t1"], "outcome": True}, {"idempotency-key": "abc"}
    first = asking.post("/v1/feedback", told, headers=header)
    assert asking.post("/v1/feedback", told, headers=header).json() == first.json()
    other = asking.post("/v1/feedback", {**told, "outcome": False}, headers=header)
    assert other.json()["type"] == "urn:shgat:problem:reused-key"


def test_the_same_feedback_at_the_same_time_counts_once(asking, ranker, vector):
    key = asking.post("/v1/rank", {"embedding": vector}).json()["decision_id"]
    told = {"decision_id": key, "tools": ["mail.t1"], "outcome": 1}

    async def many():
        headers = {"authorization": f"Bearer {asking.secret}"}
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(asking.app), base_url="http://x", headers=headers) as http:
            return await asyncio.gather(*(http.post("/v1/feedback", json=told) for _ in range(16)))

    assert sum(got.json()["counted"] for got in asyncio.run(many())) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"outcome": 1},
        {"decision_id": "x", "outcome": 1, "tools": []},
        {"decision_id": "0" * 32, "outcome": 2, "tools": []},
        {"decision_id": "0" * 32, "outcome": 1},
        {"decision_id": "0" * 32, "outcome": 1, "tools": "mail.t1"},
        {"decision_id": "0" * 32, "outcome": 1, "tools": [], "duration_ms": -1},
        {"decision_id": "0" * 32, "outcome": 1, "tools": [], "error": 5},
        {"decision_id": "0" * 32, "outcome": 1, "tools": [], "step": 0.5},
        {"decision_id": "0" * 32, "outcome": 1, "tools": [], "end": True},
        {"decision_id": "0" * 32, "outcome": 1, "tools": [], "rating": "5"},
    ],
)
def test_feedback_that_cannot_be_meant_is_refused(asking, body):
    assert asking.post("/v1/feedback", body).status_code == 422
