"""Credentials are masked: those that are known, those that look like some, and those in URLs."""

import pytest

from shgat.importers.secrets import MASK, masked, shown_url


@pytest.mark.parametrize(
    "text",
    [
        "key sk-abcdefghijklmnopqrst",
        "ghp_abcdefghijklmnopqrstuv1234 was refused",
        "Authorization: Bearer abcdef1234567890",
        "api_key=abcdefgh123 is wrong",
        '{"password": "hunter22"}',
        "postgres://me:hunter22@host/db",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
    ],
)
def test_what_looks_like_a_credential_is_masked(text):
    shown = masked(text)
    assert MASK in shown
    for secret in ("abcdefgh", "hunter22", "eyJhbGci", "abcdef12"):
        assert secret not in shown


def test_ordinary_texts_stay():
    for text in (
        "Sends a token of thanks",
        "basic arithmetic",
        "sk-1",
        "Read https://example.org/a/b",
        "the key of the door",
        "token bucket",
    ):
        assert masked(text) == text


def test_known_values_are_masked_short_ones_only_where_they_stand_alone():
    assert masked("12 of 3125 with longsecret!", ["12", "longsecret", ""]) == f"{MASK} of 3125 with {MASK}!"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pw@host.org:8443/mcp?key=abc#x", "https://host.org:8443/mcp"),
        ("https://mcp.host.org/s/NmY3ZDk4MjItOTg3Zi00/mcp", f"https://mcp.host.org/s/{MASK}/mcp"),
        ("http://[::1", MASK),
        ("http://host:99999999/x", MASK),
    ],
)
def test_a_url_is_shown_without_what_is_secret(url, shown):
    assert shown_url(url) == shown
