"""Servers as clients configure them; what is secret is known as such."""

import pytest

from shgat.errors import InputError
from shgat.importers.findings import Findings
from shgat.importers.secrets import masked
from shgat.importers.servers import Server, entries_of, of_url, read


def test_servers_of_every_client(monkeypatch):
    monkeypatch.setenv("TOKEN_X", "from-environment")
    about = Findings("mcp.json")
    entries = {
        "local": {
            "command": "npx",
            "args": ["-y", "pkg", 7],
            "env": {"KEY": "${TOKEN_X}", "DEBUG": True},
            "cwd": "${HOME_X:-/tmp}",
        },
        "far": {"type": "http", "url": "https://host/mcp", "headers": {"Authorization": "Bearer ${env:TOKEN_X}"}},
        "old": {"transport": "sse", "url": "https://host/sse"},
        "either": {"url": "https://host/x"},
        "off": {"command": "x", "disabled": True},
        "also off": {"command": "x", "enabled": False},
        "unset": {"command": "x", "args": ["${NOT_SET_X}"]},
        "asks": {"command": "x", "env": {"K": "${input:key}"}},
        "nothing": {},
        "text": "npx",
        "bad args": {"command": "x", "args": "a b"},
        "bad env": {"command": "x", "env": ["a"]},
        "bad url": {"url": "file:///etc/passwd"},
    }
    local, far, old, either = read({"mcpServers": entries}, about)
    assert (local.command, dict(local.env), local.cwd) == (
        ("npx", "-y", "pkg", "7"),
        {"KEY": "from-environment", "DEBUG": "true"},
        "/tmp",
    )
    assert (far.url, far.sse, dict(far.headers)) == ("https://host/mcp", False, {"Authorization": "Bearer from-environment"})
    assert old.sse
    assert either.sse is None
    whys = {note.item: note.why for note in about.notes}
    assert whys["server off"] == whys["server also off"] == "it is switched off"
    assert whys["server unset"] == "it needs the environment variable NOT_SET_X, which is not set"
    assert "only an editor can fill in" in whys["server asks"]
    assert whys["server nothing"] == "it has neither a command nor a url"
    assert len(about.notes) == 9


def test_configurations_and_what_is_none():
    assert entries_of({"servers": {"a": {"command": "x"}}})
    assert entries_of({"mcp": {"mcpServers": {}}}) == {}
    assert entries_of({"servers": [{"url": "https://host"}]}) is None
    assert entries_of([]) is None


def test_secrets_are_known_and_never_shown():
    server = Server(
        "x",
        ("run", "--api-key", "arg-secret", "--token=joined-secret", "-y"),
        env={"A": "env-secret"},
        headers={"Authorization": "Bearer header-secret"},
    )
    far = of_url("https://me:user-secret@host/s/AbC123dEf456gHi789/mcp?key=query-secret")
    said = "arg-secret joined-secret env-secret header-secret -y"
    assert masked(said, server.secrets) == "*** *** *** *** -y"
    assert "secret" not in masked("user-secret query-secret", far.secrets)
    assert "AbC123" not in masked("at AbC123dEf456gHi789", far.secrets)
    for shown in (repr(server), repr(far), far.shown):
        assert "secret" not in shown
        assert "AbC123" not in shown


@pytest.mark.parametrize("url", ["", "host", "ftp://host", "http://", "http://[::1", "https://host:99999999"])
def test_a_url_that_is_none(url):
    with pytest.raises(InputError, match="begins with http"):
        of_url(url)
