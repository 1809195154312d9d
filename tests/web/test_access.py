"""Closed unless it is named open."""

import pytest

from shgat.errors import InputError
from shgat.web.access import Access, is_loopback, scope_of
from shgat.web.keys import Key, Keys
from shgat.web.limits import Limits
from shgat.web.problems import Problem


def test_a_path_that_nobody_named_needs_a_key():
    assert scope_of("/v1/rank") == scope_of("/whatever") == scope_of("/uix") == "rank"
    assert scope_of("/v1/models/v7/promote") == scope_of("/v1/models") == "admin"
    assert scope_of("/v1/catalog/sync") == "catalog"
    assert scope_of("/metrics") == scope_of("/v1/stats") == "metrics"
    assert scope_of("/healthz") is scope_of("/ui/") is scope_of("/ui/main.js") is None


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.com", False),
        ("127.0.0.1.example.com", False),
    ],
)
def test_loopback(host, local):
    assert is_loopback(host) is local


def refused(access, scope, headers, client="127.0.0.1"):
    with pytest.raises(Problem) as caught:
        access.admit(scope, headers, client)
    return caught.value.kind


def test_a_key_may_do_what_its_scopes_say():
    key, secret = Key.make("x", ["rank"])
    access = Access(Keys(given=[key]), Limits())
    assert access.admit("rank", {"authorization": f"Bearer {secret}"}, "10.0.0.1").id == key.id
    assert access.admit("rank", {"authorization": f"bearer {secret}"}, "10.0.0.1").id == key.id
    assert refused(access, "admin", {"authorization": f"Bearer {secret}"}) == "forbidden"
    for given in (
        {},
        {"authorization": ""},
        {"authorization": secret},
        {"authorization": f"Basic {secret}"},
        {"authorization": "Bearer x"},
    ):
        assert refused(access, "rank", given) == "unauthorised"


def test_each_key_has_its_rate():
    (slow, one), (_, two) = pairs = [Key.make("slow", ["rank"], 0.5), Key.make("other", ["rank"])]
    access = Access(Keys(given=[key for key, _ in pairs]), Limits(rate=0.25))
    assert slow.rate == 0.5
    for secret in (one, two):
        access.admit("rank", {"authorization": f"Bearer {secret}"}, "x")
        assert refused(access, "rank", {"authorization": f"Bearer {secret}"}) == "too-many"


def test_what_is_open_is_open_to_programs_of_this_machine():
    access = Access(Keys(), Limits(), ["rank"])
    here = {"host": "127.0.0.1:8321"}
    assert access.admit("rank", here, "127.0.0.1").id == "local"
    assert access.admit("rank", {"host": "[::1]:8321", "origin": "http://[::1]:8321"}, "::1").id == "local"
    assert refused(access, "rank", here, "10.0.0.1") == "unauthorised"
    assert refused(access, "metrics", here) == "unauthorised"
    for more in (
        {"x-forwarded-for": "1.2.3.4"},
        {"host": "evil.example:8321"},
        {"origin": "http://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "null"},
    ):
        assert refused(access, "rank", {**here, **more}) == "unauthorised", more


@pytest.mark.parametrize("scope", ["admin", "catalog"])
def test_what_changes_things_is_never_open(scope):
    with pytest.raises(InputError, match="needs a key"):
        Access(Keys(), Limits(), [scope])
