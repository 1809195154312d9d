"""What a gateway is told: the file of servers that desktop clients have, and a few options."""

import os
import re
from dataclasses import dataclass, field
from hashlib import blake2b
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

import orjson

from .. import _check
from .._files import open_regular, reason
from ..errors import InputError, MissingExtraError
from ..importers import Server
from ..importers.findings import Findings
from ..importers.servers import entries_of, read

MODES = ("search", "filter")
STARTS_WITHIN, ANSWERS_WITHIN = 30.0, 60.0  # seconds
LARGEST = 16 << 20  # bytes of a configuration
OFFERED, LISTED = 5, 40  # tools of a search, and of a list that is cut
OFF = "it is switched off"


@dataclass(frozen=True)
class Settings:
    """Checked at construction.

    Attributes
    ----------
    config : the `mcpServers` file
    store : URL; "": a file of its own for this configuration, see `default_store`
    mode : "search": a constant list of three tools and those that are pinned; "filter": besides, the servers' tools, ranked and cut
    pins : tools in the open, by id (`server/name`), or by name where one server has it
    limit : tools that a search offers, or in the mode "filter" that are listed; 0: 5, or 40
    user : whose ranking it is
    keep_texts : are queries stored? Otherwise their SHA-256, their embedding and the keyed hashes of their words are
    keep_sizes : are the sizes of arguments and results stored? They themselves never are
    encoder : see `Ranker.open`
    starts_within, answers_within : seconds that a server has to list its tools, and a tool to answer
    """

    config: Path
    store: str = ""
    mode: Literal["search", "filter"] = "search"
    pins: tuple[str, ...] = ()
    limit: int = 0
    user: str = "local"
    keep_texts: bool = False
    keep_sizes: bool = False
    encoder: str | None = None
    starts_within: float = STARTS_WITHIN
    answers_within: float = ANSWERS_WITHIN

    def __post_init__(self) -> None:
        _check.choice(self.mode, MODES, "mode")
        _check.storable_text(self.user, "user")
        _check.number(self.starts_within, 0.1, 3600.0, "starts_within")
        _check.number(self.answers_within, 0.1, 86400.0, "answers_within")
        if not self.limit:
            object.__setattr__(self, "limit", OFFERED if self.mode == "search" else LISTED)
        _check.positive_integer(self.limit, "limit")
        if not self.store:
            object.__setattr__(self, "store", default_store(self.config))


@dataclass(frozen=True)
class Configured:
    """The servers of a file.

    Attributes
    ----------
    servers : that are to be started
    refused : name -> why it cannot be, an environment variable that is missing for instance; or that it is switched off
    """

    servers: tuple[Server, ...]
    refused: dict[str, str] = field(default_factory=dict)


def need_sdk() -> None:
    """MissingExtraError where the SDK of MCP is not installed."""
    try:
        import mcp  # noqa: F401
    except ImportError:
        raise MissingExtraError("mcp", "mcp") from None


def configured(path: Path, timeout: float = STARTS_WITHIN) -> Configured:
    """The servers of a configuration of Claude, Cursor, VS Code and others.

    Raises
    ------
    InputError
        for a file that cannot be read, is no JSON, or has no server in it.
    """
    try:
        with open_regular(path) as file:
            text = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from None
    if len(text) > LARGEST:
        raise InputError(f"{path} is larger than {LARGEST >> 20} MiB")
    try:
        value: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path} is no JSON: {error}") from None
    if not entries_of(value):
        raise InputError(f'{path} names no server: it needs {{"mcpServers": {{NAME: {{"command": ...}} or {{"url": ...}}}}}}')
    found = Findings(str(path), "mcp")
    servers = tuple(read(value, found, timeout))
    return Configured(servers, {note.item.removeprefix("server "): note.why for note in found.notes})


def default_store(path: Path) -> str:
    """The store of a configuration that has no other one: a file in $XDG_STATE_HOME/shgat, or ~/.local/state/shgat, which is created.

    Raises
    ------
    InputError
        where that folder cannot be created.
    """
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "shgat"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot create {home}: {reason(error)}; say where by --store") from None
    whole = path.expanduser().resolve()
    stem = re.sub(r"[^A-Za-z0-9]+", "-", whole.stem).strip("-")[:40] or "gateway"
    return f"sqlite:///{home.absolute()}/{stem}-{blake2b(str(whole).encode('utf-8', 'replace'), digest_size=4).hexdigest()}.db"


def address(text: str) -> tuple[str, int]:
    """HOST:PORT on this machine; port 0 takes a free one.

    Raises
    ------
    InputError
        for a host that other machines can reach: whoever can, could call every tool.
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or int(port) > 65535:
        raise InputError(f"{text!r:.100} is no HOST:PORT, as 127.0.0.1:8931 is")
    try:
        near = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        near = False
    if not near:
        raise InputError(
            f"{host!r:.100} can be reached from other machines: listen on 127.0.0.1, with a proxy that checks who asks in front"
        )
    return host, int(port)
