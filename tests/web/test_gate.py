"""Every request goes through it: admitted, bounded, counted, logged, and never with a secret or a text."""

import asyncio
import io
import json

import pytest

from shgat.web.answers import Answers

PRIVATE = "a very private intent"


def test_nobody_gets_anything_without_a_key(asking, vector):
    document = asking.get("/openapi.json", key=None).json()
    closed = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            got = asking(
                method.upper(), path.replace("{id}", "v1"), key=None, json={"embedding": vector} if method == "post" else None
            )
            if operation["security"]:
                closed += 1
                assert got.status_code == 401, path
                assert set(got.json()) == {"type", "title", "status", "detail", "request_id"}
                assert got.headers["www-authenticate"].startswith("Bearer")
            else:
                assert got.status_code == 200
                assert set(got.json()) == {"status"}
    assert closed >= 12


def test_a_key_gets_what_its_scope_opens_and_nothing_else(make, vector):
    rank = make(["rank"])
    assert rank.post("/v1/rank", {"embedding": vector}).status_code == 200
    for method, path in (("GET", "/metrics"), ("GET", "/v1/models"), ("POST", "/v1/models/v1/promote"), ("POST", "/v1/catalog/sync"),
                         ("POST", "/v1/feedback"), ("GET", "/v1/stats")):  # fmt: skip
        got = rank(method, path)
        assert got.status_code == 403, path
        assert got.json()["type"].endswith("forbidden")


def test_bodies_are_bounded(make):
    small = make(body=200)
    assert small.post("/v1/rank", content=b" " * 201).status_code == 413
    assert small.post("/v1/rank", content=b'{"text": "' + b"x" * 100 + b'"}').status_code == 200
    assert small("POST", "/healthz", content=b"x", key=None).status_code == 413


def test_a_body_in_pieces_is_bounded_too(make):
    asking = make(body=100)
    answer = asyncio.run(streamed(asking, [b"x" * 60, b"x" * 60]))
    assert answer[0]["status"] == 413


def test_a_body_that_does_not_arrive_is_given_up(make):
    asking = make(body_seconds=0.05)
    start, body = asyncio.run(streamed(asking, [b"{"], ends=False))
    assert start["status"] == 408
    assert json.loads(body["body"])["type"].endswith("too-slow")


async def streamed(asking, parts, ends=True):
    waiting, sent = list(parts), []

    async def receive():
        if not waiting:
            await asyncio.sleep(60)
        part = waiting.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(waiting) or not ends}

    async def send(message):
        sent.append(message)

    headers = [(b"authorization", f"Bearer {asking.secret}".encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/rank", "headers": headers, "client": ("127.0.0.1", 1)}
    await asking.app(scope, receive, send)
    return sent


def test_an_answer_that_takes_too_long_is_given_up(make, monkeypatch):
    async def slow(self, call):
        await asyncio.sleep(5)

    monkeypatch.setattr(Answers, "rank", slow)
    got = make(request_seconds=0.05, body_seconds=0.05).post("/v1/rank", {"text": "x"})
    assert got.status_code == 503
    assert got.headers["retry-after"] == "1"


def test_what_fails_says_nothing_but_its_id(make, monkeypatch, caplog):
    async def broken(self, call):
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(Answers, "rank", broken)
    got = make().post("/v1/rank", {"text": "x"}, headers={"x-request-id": "find-me"})
    assert got.status_code == 500
    assert "hunter2" not in got.text
    assert got.headers["x-request-id"] == got.json()["request_id"] == "find-me"
    assert "find-me" in caplog.text


def test_too_many_at_once_are_told_to_come_again(make, vector):
    asking = make()
    asking.app.in_flight = asking.service.limits.in_flight
    got = asking.post("/v1/rank", {"embedding": vector})
    assert (got.status_code, got.headers["retry-after"]) == (503, "1")
    assert asking.get("/healthz", key=None).status_code == 200


def test_the_rate_of_a_key_is_kept(make, vector):
    asking = make(rate=0.5)
    assert asking.post("/v1/rank", {"embedding": vector}).status_code == 200
    got = asking.post("/v1/rank", {"embedding": vector})
    assert (got.status_code, got.headers["retry-after"]) == (429, "2")


def test_the_log_has_ids_and_no_secrets(make):
    log = io.StringIO()
    asking = make(log=log)
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    asking.post("/v1/rank", {"text": PRIVATE}, headers={"x-request-id": "r1", "traceparent": trace})
    asking.get(f"/v1/tools?q={PRIVATE}")
    asking.post("/v1/rank", {"text": PRIVATE}, key="shgat_00000000_" + "x" * 43)
    asking.get(f"/{PRIVATE}", key=None)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["status"] for line in lines] == [200, 200, 401, 401]
    assert lines[0]["id"] == "r1"
    assert lines[0]["trace"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert lines[0]["caller"] == asking.secret[6:14]
    assert len(lines[0]["decision"]) == 32
    assert PRIVATE not in log.getvalue()
    assert asking.secret[15:] not in log.getvalue()


def test_while_it_drains_connections_end(asking, vector):
    asking.app.draining = True
    assert asking.post("/v1/rank", {"embedding": vector}).headers["connection"] == "close"
    ready = asking.get("/readyz", key=None)
    assert (ready.status_code, ready.json()) == (503, {"status": "draining"})


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/rank", 405), ("GET", "/v1/nothing", 404), ("DELETE", "/v1/tools", 405),
                                                        ("GET", "/ui/../keys.py", 404)])  # fmt: skip
def test_what_is_not_there_is_a_problem_too(asking, method, path, status):
    got = asking(method, path)
    assert got.status_code == status
    assert got.headers["content-type"] == "application/problem+json"
