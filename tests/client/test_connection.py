import httpx2
import pytest

from shgat.client.connection import Attempts, Connection
from shgat.client.requests import MODELS, moved
from shgat.errors import RemoteError


class Blocking(Connection):
    _kind = "Client"


@pytest.fixture
def connection():
    connection = Blocking("http://x/base/", attempts=2)
    yield connection
    connection._http.close()


def test_it_tries_as_often_as_it_may(connection):
    attempts = Attempts(connection, MODELS)
    attempts.failed(httpx2.ReadTimeout("slow"))
    assert attempts.again
    assert attempts.wait > 0.0
    with pytest.raises(RemoteError, match=r"http://x/base/ does not answer \(ReadTimeout\)"):
        attempts.failed(httpx2.ReadTimeout("slow"))


def test_an_answer_ends_it(connection):
    attempts = Attempts(connection, MODELS)
    attempts.got(httpx2.Response(429, headers={"retry-after": "2"}))
    assert (attempts.again, attempts.wait, attempts.answer) == (True, 2.0, None)
    attempts.got(httpx2.Response(200, json={"a": 1}))
    assert (attempts.again, attempts.answer) == (False, {"a": 1})


def test_what_may_have_been_done_is_not_sent_again(connection):
    with pytest.raises(RemoteError):
        Attempts(connection, moved(1, "promote", {})).failed(httpx2.ReadTimeout("slow"))
    refused = Attempts(connection, moved(1, "promote", {}))
    refused.failed(httpx2.ConnectError("no"))
    assert refused.again
