"""All servers behind the gateway: started at once, each on its own, and brought to what the configuration says when that changes."""

import logging
from collections.abc import Callable
from typing import Any

import anyio
from anyio.abc import TaskGroup

from ..errors import InputError
from .settings import Configured, Settings, configured
from .upstream import Upstream

_log = logging.getLogger("shgat")
LOOK = 1.0  # seconds between looks at the file


class Fleet:
    """Run by `run` until that is cancelled.

    Parameters
    ----------
    changed : is told the name of a server whose tools or state changed

    Attributes
    ----------
    upstreams : servers by name
    refused : name -> why it was not started
    """

    def __init__(self, settings: Settings, servers: Configured, changed: Callable[[str], None]) -> None:
        self._settings, self._changed = settings, changed
        self.refused = servers.refused
        self.upstreams = {s.name: self._made(s) for s in servers.servers}
        self._scopes: dict[str, anyio.CancelScope] = {}
        self._group: TaskGroup | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of all servers of the configuration."""
        return (*self.upstreams, *self.refused)

    @property
    def ready(self) -> tuple[str, ...]:
        """Servers whose tools can be had now."""
        return tuple(sorted(name for name, u in self.upstreams.items() if u.state == "ready"))

    @property
    def starting(self) -> list[str]:
        """Servers that were started for the first time and have not listed their tools yet."""
        return [name for name, u in self.upstreams.items() if u.state == "starting" and not u.error]

    def states(self) -> dict[str, dict[str, Any]]:
        """How every server of the configuration is, as JSON values."""
        off = {name: {"state": "refused", "error": why, "tools": 0} for name, why in self.refused.items()}
        return {**{name: u.to_dict() for name, u in self.upstreams.items()}, **off}

    async def run(self) -> None:
        """Starts all servers and keeps them running; ends them, each with its children, when it is cancelled."""
        async with anyio.create_task_group() as group:
            self._group = group
            for name in self.upstreams:
                self._start(name)
            group.start_soon(self._watch)

    def take(self, servers: Configured) -> None:
        """Another configuration: what is new or different is started, what is gone or different is ended, all others run on."""
        wanted = {s.name: s for s in servers.servers}
        gone = [name for name, u in self.upstreams.items() if wanted.get(name) != u.server]
        for name in gone:
            self._scopes.pop(name).cancel()
            del self.upstreams[name]
        self.refused = servers.refused
        for name, server in wanted.items():
            if name not in self.upstreams:
                self.upstreams[name] = self._made(server)
                self._start(name)
        for name in gone:
            self._changed(name)

    def _made(self, server: Any) -> Upstream:
        def changed(upstream: Upstream) -> None:
            if self.upstreams.get(upstream.name) is upstream:  # one that was replaced says nothing any more
                self._changed(upstream.name)

        return Upstream(server, changed, self._settings.answers_within)

    def _start(self, name: str) -> None:
        assert self._group is not None
        upstream, scope = self.upstreams[name], anyio.CancelScope()
        self._scopes[name] = scope

        async def run() -> None:
            with scope:
                await upstream.run()

        self._group.start_soon(run)

    async def _watch(self) -> None:
        """Looks at the file every second; one that cannot be read changes nothing."""
        path = self._settings.config
        before = _stamp(path)
        while True:
            await anyio.sleep(LOOK)
            now = _stamp(path)
            if now == before:
                continue
            before = now
            try:
                servers = configured(path, self._settings.starts_within)
            except InputError as error:
                _log.warning("%s; the servers run on as they are", error)
                continue
            for name, why in servers.refused.items():
                if why != self.refused.get(name):
                    _log.warning("server %s: %s", name, why)
            self.take(servers)


def _stamp(path: Any) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
