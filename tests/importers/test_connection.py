"""Real MCP servers, on stdio and HTTP, good and bad: what they list, that they are ended, and that nothing secret is told."""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from shgat.importers import Server, read, update
from shgat.importers.connection import listings

pytest.importorskip("mcp")
SCRIPT = str(Path(__file__).parents[1] / "mcp_server.py")
LONG = 120.0  # seconds: the machine may be busy


def local(name, *arguments, **fields):
    return Server(name, (sys.executable, SCRIPT, name or "itself", *arguments), **{"timeout": LONG, **fields})


def children():
    """Processes of this one that are there, zombies too."""
    listed = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "pid=,args="], capture_output=True, text=True, check=False
    ).stdout
    return [line for line in listed.splitlines() if "mcp_server" in line or "defunct" in line]


@contextmanager
def http_server(name, *arguments):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, SCRIPT, name, "--http", str(port), *arguments]) as process:
        try:
            for _ in range(600):
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/{'sse' if '--sse' in arguments else 'mcp'}"
        finally:
            process.terminate()


@pytest.mark.slow
def test_a_server_on_stdio_lists_its_tools_and_is_ended():
    (listing,) = listings([local("notes")])
    assert listing.error == ""
    assert [tool["name"] for tool in listing.tools] == ["look_up", "write_down"]
    assert (listing.name, listing.text) == ("notes", "Everything about notes.")
    assert children() == []


def test_servers_of_a_configuration_on_stdio_and_http_beside_servers_that_are_not_there(tmp_path):
    with http_server("web") as url:
        config = {
            "mcpServers": {
                "web": {"url": url, "headers": {"Authorization": "Bearer header-secret-1"}},
                "notes": {"command": sys.executable, "args": [SCRIPT, "notes"], "env": {"TOKEN": "env-secret-3"}},
                "gone": {"url": "http://127.0.0.1:1/mcp?key=query-secret-2"},
                "nothing": {"url": url.removesuffix("mcp") + "s/AbCdEf0123456789secret/x"},
                "no program": {"command": "no-such-program-here"},
                "off": {"command": "x", "disabled": True},
            }
        }
        (tmp_path / "mcp.json").write_text(json.dumps(config))
        found = update(tmp_path / "out", tmp_path / "mcp.json", timeout=LONG)
    errors = {source.source: source.error for source in found.report.sources}
    assert errors["server web"] == ""
    assert "cannot be started" in errors["server no program"]
    assert errors["server gone"]
    assert errors["server nothing"]
    assert errors["server notes"] == ""
    assert [t.id for t in found.catalog.tools] == ["web/look_up", "web/write_down", "notes/look_up", "notes/write_down"]
    assert [c.text for c in found.catalog.capabilities] == ["Everything about web", "Everything about notes"]
    assert children() == []
    everything = json.dumps(found.report.to_dict()) + "".join(p.read_text() for p in (tmp_path / "out").iterdir())
    assert "secret" not in everything
    # A server that is dead the next time keeps its tools; one that is configured no more loses them.
    config["mcpServers"]["notes"]["command"] = "no-such-program-here"
    del config["mcpServers"]["no program"]
    (tmp_path / "mcp.json").write_text(json.dumps(config))
    (tmp_path / "t.json").write_text(json.dumps([{"name": "own"}]))
    dead = update(tmp_path / "out", tmp_path / "mcp.json", tmp_path / "t.json", timeout=LONG)
    assert [t.id for t in dead.catalog.tools] == ["web/look_up", "web/write_down", "notes/look_up", "notes/write_down", "own"]
    assert "cannot be started" in {s.source: s.error for s in dead.report.sources}["server notes"]
    (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": {"off": {"command": "x", "disabled": True}}}))
    assert update(tmp_path / "out", tmp_path / "mcp.json", tmp_path / "t.json").report.tools.removed[:2] == (
        "web/look_up",
        "web/write_down",
    )


def test_a_tool_that_is_malformed_costs_the_others_nothing_and_is_named():
    found = read(local("notes", "--behave", "malformed"))
    (source,) = found.report.sources
    assert source.error == ""
    assert [t.id for t in found.catalog.tools] == ["look_up", "odd", "bare", "write_down"]
    assert found.catalog.tools[1].text == "Has a text for a schema"
    said = [str(note) for note in source.notes]
    assert "notes/odd: kept, it is not as MCP wants it: inputSchema: Input should be a valid dictionary" in said
    assert "notes/bare: kept, it is not as MCP wants it: inputSchema: Field required" in said
    assert [note.item for note in source.notes if note.what == "left out"] == ["[2]", "[3]"]
    assert children() == []


def test_the_older_transport_of_server_sent_events(tmp_path):
    with http_server("old", "--sse") as url:
        config = {"mcpServers": {"old": {"type": "sse", "url": url, "headers": {"Authorization": "Bearer header-secret-1"}}}}
        (tmp_path / "mcp.json").write_text(json.dumps(config))
        found = read(tmp_path / "mcp.json", url, timeout=LONG)
    assert [source.error for source in found.report.sources] == ["", ""]
    assert [t.id for t in found.catalog.tools] == ["look_up", "write_down"]


def test_a_program_that_is_none_or_no_server():
    servers = [Server("a", ("no-such-program-here",)), Server("b", (sys.executable, "-c", "print('hello')"), timeout=LONG)]
    assert all(listing.error for listing in listings(servers))
    assert children() == []


@pytest.mark.slow
def test_bad_servers_cost_the_good_one_nothing_and_tell_no_secrets(caplog, capfd):
    secrets = {"TOKEN": "env-secret-1"}
    servers = [
        local("dies", "--behave", "die", "--api-key", "arg-secret-2", env=secrets),
        local("hangs", "--behave", "hang", timeout=3.0),
        local("empty", "--behave", "empty"),
        Server("shell", ("echo hello; touch /tmp/never",)),
        local(""),
    ]
    with caplog.at_level(logging.DEBUG):
        found = read(*servers)
    errors = {source.source: source.error for source in found.report.sources}
    assert "it wrote: bad credentials: *** ***" in errors["server dies"]
    assert errors["server hangs"] == "it did not answer within 3 s"
    assert errors["server empty"] == "it lists no tools: is its environment complete?"
    assert "cannot be started" in errors["server shell"]
    assert errors["server itself"] == ""
    assert [t.id for t in found.catalog.tools] == ["look_up", "write_down"]
    assert children() == []
    out, err = capfd.readouterr()
    assert "secret" not in out + err + caplog.text + json.dumps(found.report.to_dict())


@pytest.mark.slow
def test_who_has_a_running_loop_of_his_own_can_ask_too():
    async def inside():
        return read(local("notes"))

    assert len(asyncio.run(inside()).catalog.tools) == 2


def test_nothing_to_ask_is_no_reason_to_need_the_sdk():
    assert listings([]) == []
