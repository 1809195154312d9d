"""MCP servers as they are configured: the `mcpServers` of Claude, Cursor and others, the `servers` of VS Code, a command, a URL."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .._check import brief
from ..errors import InputError
from .findings import Findings
from .secrets import shown_url
from .texts import clean

TIMEOUT = 30.0  # seconds for one server
_VARIABLE = re.compile(r"\$\{(?:env:)?([A-Za-z_]\w*)(?::-([^}]*))?\}")
_INPUT = re.compile(r"\$\{(?!env:)\w+:(?!-)[^}]*\}")  # what only an editor can ask for
_KEY_FLAG = re.compile(r"-{1,2}[\w-]*(?:key|token|secret|password|auth|header)[\w-]*", re.IGNORECASE)
_SSE = "sse"
_NAME = 200  # characters of a name


@dataclass(frozen=True, repr=False)
class Server:
    """One MCP server; what is secret about it is never shown.

    Attributes
    ----------
    name : what its tools belong to, "" for the name that it gives itself
    command : the program and its arguments, run without a shell; () for one behind a URL
    url : of a server that speaks HTTP
    env, cwd : environment and folder of the program
    headers : of every request
    sse : does it speak the older transport of server-sent events, and not streamable HTTP? None: that is found out
    timeout : seconds that it has to list its tools
    """

    name: str = ""
    command: tuple[str, ...] = ()
    url: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    sse: bool | None = None
    timeout: float = TIMEOUT

    @property
    def shown(self) -> str:
        """What reports call it: its name, else its program or its URL without what is secret."""
        return self.name or (shown_url(self.url) if self.url else Path(self.command[0]).name if self.command else "a server")

    @property
    def secrets(self) -> list[str]:
        """Values that may not be told: of the environment, of headers, of arguments that are keys, and within the URL."""
        found = [*self.env.values(), *self.headers.values()]
        found += [part for value in self.headers.values() for part in value.split()[1:]]
        for flag, value in zip(self.command, (*self.command[1:], ""), strict=False):
            name, _, joined = flag.partition("=")
            if _KEY_FLAG.fullmatch(name):
                found += [joined or value, *(joined or value).split()[1:]]
        if self.url:
            parts = urlsplit(self.url)
            found += [parts.username or "", parts.password or "", *(value for _, value in parse_qsl(parts.query))]
            found += [part for part in parts.path.split("/") if part not in shown_url(self.url).split("/")]
            found.append(self.url)
        return [value for value in found if value]

    def __repr__(self) -> str:
        return f"Server({self.shown!r})"


def of_url(url: str, name: str = "", timeout: float = TIMEOUT) -> Server:
    """The server behind a URL."""
    try:
        parts = urlsplit(url)
        ok = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        ok = False
    if not ok:
        raise InputError("the URL of an MCP server begins with http:// or https:// and has a host")
    return Server(name, url=url, timeout=timeout)


def read(value: Any, into: Findings, timeout: float = TIMEOUT) -> Iterator[Server]:
    """Every server of a configuration that is switched on; what cannot be used is named in `into`."""
    entries = entries_of(value)
    for name, entry in (entries or {}).items():
        called = clean(str(name))[:_NAME]
        try:
            server = _server(called, entry, timeout)
        except InputError as error:
            into.note(f"server {called}", "left out", str(error))
            continue
        if server is None:
            into.note(f"server {called}", "left out", "it is switched off")
        else:
            yield server


def entries_of(value: Any) -> Mapping[str, Any] | None:
    """Name -> server of a configuration, None where the value is none."""
    if not isinstance(value, Mapping):
        return None
    if isinstance(value.get("mcpServers"), Mapping):
        return value["mcpServers"]  # type: ignore[no-any-return]
    inside = value.get("mcp")  # in the settings of an editor
    if isinstance(inside, Mapping) and ("servers" in inside or "mcpServers" in inside):
        return entries_of({key: inside[key] for key in ("servers", "mcpServers") if key in inside})
    entries = value.get("servers")
    if isinstance(entries, Mapping) and any(isinstance(e, Mapping) and ("command" in e or "url" in e) for e in entries.values()):
        return entries
    return None


def _server(name: str, entry: Any, timeout: float) -> Server | None:
    if not name or not isinstance(entry, Mapping):
        raise InputError(f"a server is a record with a command or a url, not {type(entry).__name__}" if name else "it has no name")
    if entry.get("disabled") is True or entry.get("enabled") is False:
        return None
    env, headers = _texts(entry.get("env"), "env"), _texts(entry.get("headers"), "headers")
    kind = entry.get("type", entry.get("transport"))
    given = entry.get("url", entry.get("serverUrl", entry.get("httpUrl")))
    if isinstance(given, str) and given:
        of_url(url := _expanded(given), name)
        return Server(name, url=url, headers=headers, sse=None if kind is None else kind == _SSE, timeout=timeout)
    command, args = entry.get("command"), entry.get("args", [])
    if not isinstance(command, str) or not command.strip():
        raise InputError("it has neither a command nor a url")
    if not isinstance(args, list) or not all(isinstance(a, str | int | float) for a in args):
        raise InputError("its args are a list of strings")
    cwd = entry.get("cwd")
    if cwd is not None and not isinstance(cwd, str):
        raise InputError(f"its cwd is a folder, not {type(cwd).__name__}")
    argv = tuple(_expanded(str(part)) for part in (command, *args))
    return Server(name, argv, "", env, None if cwd is None else _expanded(cwd), timeout=timeout)


def _texts(value: Any, what: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(v, str | int | float | bool) for v in value.values()):
        raise InputError(f"its {what} are names with texts")
    return {str(k): _expanded(str(v).lower() if isinstance(v, bool) else str(v)) for k, v in value.items() if str(k)}


def _expanded(text: str) -> str:
    """With the values of environment variables for ${NAME}, ${NAME:-default} and ${env:NAME}."""
    if _INPUT.search(text):
        raise InputError(f"it asks for {brief(_INPUT.search(text)[0])}, which only an editor can fill in")  # type: ignore[index]

    def value(found: re.Match[str]) -> str:
        known = os.environ.get(found[1], found[2])
        if known is None:
            raise InputError(f"it needs the environment variable {found[1]}, which is not set")
        return known

    found = _VARIABLE.sub(value, text)
    if "\0" in found:
        raise InputError("U+0000 stands in its command, environment, headers or URL")
    return found
