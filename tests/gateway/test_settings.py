"""What a gateway is told: files of servers, addresses, and the store of a file."""

import json

import pytest

from shgat.errors import InputError
from shgat.gateway.settings import Settings, address, configured, default_store, need_sdk


def write(folder, value):
    path = folder / "mcp.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_servers_of_a_file_on_stdio_and_http_with_variables_and_one_that_is_off(tmp_path, monkeypatch):
    monkeypatch.setenv("GATEWAY_TOKEN", "a-secret-value")
    monkeypatch.delenv("GATEWAY_NOT_SET", raising=False)
    found = configured(
        write(
            tmp_path,
            {
                "mcpServers": {
                    "notes": {"command": "notes-mcp", "args": ["--fast"], "env": {"TOKEN": "${GATEWAY_TOKEN}"}},
                    "web": {"url": "https://example.org/mcp", "headers": {"Authorization": "Bearer ${GATEWAY_TOKEN}"}},
                    "off": {"command": "x", "disabled": True},
                    "poor": {"command": "x", "env": {"KEY": "${GATEWAY_NOT_SET}"}},
                }
            },
        ),
        7.0,
    )
    notes, web = found.servers
    assert (notes.name, notes.command, dict(notes.env), notes.timeout) == (
        "notes",
        ("notes-mcp", "--fast"),
        {"TOKEN": "a-secret-value"},
        7.0,
    )
    assert web.headers["Authorization"] == "Bearer a-secret-value"
    assert "a-secret-value" not in repr(found)
    assert found.refused["off"] == "it is switched off"
    assert found.refused["poor"] == "it needs the environment variable GATEWAY_NOT_SET, which is not set"


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "is no JSON"), ("[]", "names no server"), ('{"mcpServers": {}}', "names no server"), ("{}", "names no server")],
)
def test_a_file_that_is_no_configuration(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        configured(write(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*none\.json: No such file"):
        configured(tmp_path / "none.json")


def test_each_file_has_a_store_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "a").mkdir()
    one, other = default_store(tmp_path / "mcp.json"), default_store(tmp_path / "a/mcp.json")
    assert one != other
    assert one == default_store(tmp_path / "a/../mcp.json")
    assert one.startswith(f"sqlite:///{tmp_path}/state/shgat/mcp-")
    assert (tmp_path / "state/shgat").stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"cannot create .*; say where by --store"):
        default_store(tmp_path / "mcp.json")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert Settings(tmp_path / "mcp.json").store == one


def test_what_is_listed_by_default(tmp_path):
    assert (Settings(tmp_path).limit, Settings(tmp_path, mode="filter").limit, Settings(tmp_path, limit=3).limit) == (5, 40, 3)
    with pytest.raises(InputError, match="mode"):
        Settings(tmp_path, mode="all")
    with pytest.raises(InputError, match="answers_within"):
        Settings(tmp_path, answers_within=0.0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:9", ("::1", 9)),
        (":8931", ("127.0.0.1", 8931)),
    ],
)
def test_addresses_of_this_machine(text, found):
    assert address(text) == found


@pytest.mark.parametrize("text", ["0.0.0.0:80", "192.168.1.4:80", "example.org:80", "[::]:80"])
def test_nothing_listens_where_other_machines_are(text):
    with pytest.raises(InputError, match="can be reached from other machines"):
        address(text)


@pytest.mark.parametrize("text", ["127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", ""])
def test_what_is_no_address(text):
    with pytest.raises(InputError, match=r"is no HOST:PORT"):
        address(text)


def test_the_sdk_is_there():
    need_sdk()
