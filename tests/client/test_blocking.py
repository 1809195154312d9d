"""The client against a server that runs, and against networks that fail."""

import httpx2
import numpy as np
import pytest

from shgat.client import Client
from shgat.errors import InputError, RemoteError

X = np.arange(1, 9, dtype=np.float64)


@pytest.fixture
def client(server):
    with Client(server.url, server.key) as client:
        yield client


def test_ranking_and_feedback(client):
    by_vector = client.rank(X, 3, servers=["mail"])
    assert len(by_vector) == 3
    assert all(item.id.startswith("mail.") and 0.0 <= item.score <= 1.0 for item in by_vector)
    assert client.rank("tool number 7 of files", 1).ids == ["files.t7"]
    (outer, *_) = client.rank(X, 2, "sets").items
    assert outer.tools
    assert client.rank(X, 1, explain=True).items[0].explanation["cosine"] <= 1.0
    taken = client.feedback(by_vector, [by_vector.ids[0]], outcome=True, duration_ms=3.0)
    assert taken.counted
    assert not client.feedback(by_vector.decision_id, [by_vector.ids[0]], outcome=1.0).counted


def test_the_rest_of_it(client):
    assert {tool.server for tool in client.all_tools()} == {"mail", "files"}
    assert client.tools(8, 5).next_offset is None
    assert [c.level for c in client.capabilities().items] == [0, 1]
    assert client.why_not(X, "mail.t3").sentences
    assert client.models().serving == "untrained"
    assert client.stats()["ranker"]["answers"]["all"] > 0
    assert client.sync([{"name": "t0", "description": "tool number 0 of mail"}], "nobody")["left_out"]
    with pytest.raises(RemoteError, match="no version") as caught:
        client.promote(7)
    assert (caught.value.status, caught.value.kind) == (404, "not-found")
    with pytest.raises(RemoteError, match="names no version"):
        client.rollback()


def test_problems_become_errors(server, client):
    with pytest.raises(RemoteError, match="expected") as caught:
        client.rank(X[:3])
    assert (caught.value.status, caught.value.kind) == (422, "invalid")
    assert caught.value.request_id
    with Client(server.url, "shgat_00000000_" + "x" * 43) as stranger, pytest.raises(RemoteError) as caught:
        stranger.rank(X)
    assert caught.value.kind == "unauthorised"
    assert "xxx" not in repr(stranger)


def flaky(*answers):
    """A network whose answers come in turn; the requests that it got."""
    waiting, got = list(answers), []

    def answer(request):
        got.append(request)
        found = waiting.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    return httpx2.MockTransport(answer), got


def busy(status=503, **headers):
    return httpx2.Response(status, json={"type": "urn:shgat:problem:unavailable", "detail": "not now"}, headers=headers)


TAKEN = httpx2.Response(200, json={"decision_id": "0" * 32, "receipt": "durable", "counted": True})


def asking(*answers, **options):
    network, got = flaky(*answers)
    client, slept = Client("http://x", "k", transport=network, **options), []
    client._sleep = slept.append
    return client, got, slept


def test_what_fails_for_a_moment_is_asked_again_under_the_same_key():
    client, got, slept = asking(httpx2.ConnectError("no"), httpx2.ReadTimeout("slow"), busy(**{"retry-after": "3"}), TAKEN)
    assert client.feedback("0" * 32, ["a"], outcome=1).counted
    assert len({request.headers["idempotency-key"] for request in got}) == 1
    assert slept[2] == 3.0
    assert 0.0 < slept[0] < slept[1] * 2 < 1.0
    client.close()


def test_it_gives_up_and_says_so():
    client, got, _ = asking(*[busy() for _ in range(3)], attempts=3)
    with pytest.raises(RemoteError, match=r"not now \(503\)"):
        client.models()
    assert len(got) == 3
    client, got, _ = asking(*[httpx2.ConnectError("no") for _ in range(2)], attempts=2)
    with pytest.raises(RemoteError, match="does not answer") as caught:
        client.models()
    assert (caught.value.status, caught.value.kind) == (0, "unreachable")


def test_a_move_is_not_made_twice():
    client, got, _ = asking(httpx2.ReadTimeout("slow"))
    with pytest.raises(RemoteError, match="does not answer"):
        client.promote(1)
    client, got, _ = asking(busy(502))
    with pytest.raises(RemoteError):
        client.rollback()
    assert len(got) == 1


@pytest.mark.parametrize(
    "answer", [httpx2.Response(200, text="<html>"), httpx2.Response(404, text="nginx"), httpx2.Response(200, json={"a": 1})]
)
def test_another_server_is_noticed(answer):
    client, _, _ = asking(answer)
    with pytest.raises(RemoteError, match=r"shgat server|another version"):
        client.rank("x")


def test_addresses():
    for wrong in ("", "127.0.0.1:8321", "ftp://x", None):
        with pytest.raises(InputError, match="http://"):
            Client(wrong)
    with pytest.raises(InputError, match="key="):
        Client("http://user:password@x")
