import pytest

from shgat.web.call import Call
from shgat.web.problems import Problem


def call(body=b"", **headers):
    pairs = [(n.replace("_", "-").encode(), v.encode("latin-1")) for n, v in headers.items()]
    found = Call.of({"method": "POST", "path": "/", "headers": pairs})
    found.body = body
    return found


def test_a_request_has_an_id_of_its_own_or_the_clients():
    assert call(x_request_id="abc-1.2:3").id == "abc-1.2:3"
    for wrong in ("", "a b", "x" * 65, 'a"b', "é"):
        assert call(x_request_id=wrong).id != wrong
    assert call().id != call().id


@pytest.mark.parametrize(("given", "trace"), [
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", ""),
    ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", ""), ("x", ""),
    ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", ""),
])  # fmt: skip
def test_traceparent(given, trace):
    assert call(traceparent=given).trace == trace


@pytest.mark.parametrize(("body", "kind", "problem"), [
    (b"{", "application/json", "malformed"), (b"", "application/json", "malformed"), (b'{"a": NaN}', "application/json", "malformed"),
    (b"\xff", "application/json", "malformed"), (b"[" * 100_000, "application/json", "malformed"), (b"{}", "text/plain", "media-type"),
])  # fmt: skip
def test_a_body_that_is_no_json_is_refused(body, kind, problem):
    with pytest.raises(Problem) as caught:
        call(body, content_type=kind).json()
    assert caught.value.kind == problem


def test_json_may_say_its_alphabet():
    assert call(b'{"a": 1}', content_type="Application/JSON; charset=utf-8").json() == {"a": 1}
    assert call(b"1").json() == 1
