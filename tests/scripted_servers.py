"""Scripted servers, configurations of them, and gateways in front of them as clients see them."""

import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from shgat.gateway import scripted
from shgat.gateway.endpoint import Endpoint
from shgat.gateway.gateway import Gateway
from shgat.gateway.settings import Settings

SCRIPTED = str(Path(scripted.__file__))


def tool(name, description="", **properties):
    """A definition."""
    return {
        "name": name,
        "description": description or f"Does {name}.",
        "inputSchema": {
            "type": "object",
            "properties": {key: {"type": "string", "description": said} for key, said in properties.items()},
        },
    }


BECOME = tool("become", "Changes what this server lists.")
MAIL = [
    tool("send_message", "Sends an email to somebody.", to="address", body="text"),
    tool("search_mail", "Searches the mailbox for emails."),
]
FILES = [tool("read_file", "Reads a file from disk.", path="of the file"), tool("write_file", "Writes text into a file on disk.")]
CHAT = [tool("post_message", "Posts a message into a chat channel."), tool("list_channels", "Lists the channels of the chat.")]


def entry(folder, name, tools, **more):
    """One server of a configuration."""
    script = Path(folder) / f"{name}.script.json"
    env = more.pop("env", {})
    script.write_text(json.dumps({"name": name, "tools": tools, **more}))
    return {"command": sys.executable, "args": ["-I", "-S", SCRIPTED, str(script)], "env": env}


def config(folder, **servers):
    """A file of servers: name -> tools, or a whole entry."""
    path = Path(folder) / "mcp.json"
    path.write_text(json.dumps({"mcpServers": {n: s if isinstance(s, dict) else entry(folder, n, s) for n, s in servers.items()}}))
    return path


@asynccontextmanager
async def running(path, *, settled=True, **options):
    """A gateway in this process, and what clients see of it, once its servers are in."""
    gateway = Gateway.open(Settings(path, **{"store": f"sqlite:///{path.parent}/gateway.db", **options}))
    endpoint = Endpoint(gateway)
    try:
        async with anyio.create_task_group() as group:
            gateway.list_changed = lambda: group.start_soon(endpoint.tell_changed)
            await group.start(gateway.run)
            with anyio.move_on_after(3.0 if settled else 0.0):  # one that hangs is not waited for
                await gateway._settled.wait()
            yield gateway, endpoint.server
            await gateway.drain()
            group.cancel_scope.cancel()
    finally:
        gateway.close()


@asynccontextmanager
async def within(path, mode="auto", **options):
    """A gateway in this process, and the SDK's client of it."""
    async with running(path, **options) as (gateway, server), Client(server, mode=mode, cache=None) as client:
        yield gateway, client


async def until(condition, seconds=20.0):
    """Waits until something is so."""
    with anyio.fail_after(seconds):
        while not condition():
            await anyio.sleep(0.02)


@asynccontextmanager
async def client_of(path, *options, mode="auto", said=None, **more):
    """The SDK's client of a gateway process over stdio."""
    command = ["-m", "shgat", "gateway", "serve", "--config", str(path), "--store", f"sqlite:///{path.parent}/gateway.db", *options]
    params = StdioServerParameters(command=sys.executable, args=command, env={**os.environ, "XDG_STATE_HOME": str(path.parent)})
    with open(said or os.devnull, "w") as errlog:  # noqa: PTH123
        async with Client(stdio_client(params, errlog=errlog), mode=mode, cache=None, **more) as client:
            yield client


async def search(client, query, **more):
    """What a search offers."""
    found = await client.call_tool("search_tools", {"query": query, **more})
    assert not found.is_error, found
    return found.structured_content


async def names(client, query):
    return [t["name"] for t in (await search(client, query))["tools"]]


async def call(client, name, arguments=None, **more):
    return await client.call_tool("call_tool", {"name": name, "arguments": arguments or {}, **more})


def pids(folder):
    """Of scripted servers of a folder."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if SCRIPTED.encode() in command and str(folder).encode() in command:
                found.append(int(process.name))
    return found
