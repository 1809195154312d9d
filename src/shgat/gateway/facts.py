"""What a gateway remembers of tools and servers beside the store: which description a tool had, how servers are, sizes where asked for."""

import fcntl
import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Container, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import orjson

from .._files import open_regular, write_atomically
from ..errors import InputError
from ..learning.ledger import folder_for

_log = logging.getLogger("shgat")
NAME = "gateway.json"
DESCRIPTIONS = 16  # of a tool that are remembered
_SAID = ("title", "description", "inputSchema", "annotations")
_Found = TypeVar("_Found")
Said = dict[str, Any]


class Facts:
    """Safe from any thread, and shared by the gateways of one store: each brings what it learned into the same file.

    Parameters
    ----------
    path : of the file; None: nothing is kept
    """

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.time) -> None:
        self.path, self._clock = path, clock
        self._lock = threading.Lock()
        self._said = _read(path)
        self._sums: dict[tuple[str, str], Counter[str]] = {}  # that are not in the file yet

    @classmethod
    def beside(cls, store: str, clock: Callable[[], float] = time.time) -> "Facts":
        """Those of a store."""
        folder = folder_for(store, "")
        return cls(None if folder is None else folder / NAME, clock)

    def to_dict(self) -> Said:
        """As JSON values: `tools` and `servers`, by id and by name."""
        return {"tools": self._said["tools"], "servers": self._said["servers"]}

    def secret(self) -> bytes:
        """By which words are blinded; the same for all gateways of the store."""
        return bytes.fromhex(self._change(lambda said: said.setdefault("secret", secrets.token_hex(16))))

    def keys(self, digests: Mapping[str, str]) -> dict[str, str]:
        """Tool -> the id by which the ranking knows it with this description: its own with the first one, another one with every other.

        So what was learned of a tool stays with the description that it was learned with, and is there again where that comes back.
        """

        def change(said: Said) -> dict[str, str]:
            found = {}
            for tool, digest in digests.items():
                known = said["tools"].setdefault(tool, {"keys": {}, "digest": digest, "changed": None})
                keys: dict[str, str] = known.setdefault("keys", {})
                if digest not in keys:
                    keys[digest] = tool if not keys else f"{tool}@{digest[:8]}"
                    for old in list(keys)[1 : 1 - DESCRIPTIONS]:
                        del keys[old]
                if known.setdefault("digest", digest) != digest:
                    known["digest"], known["changed"] = digest, self._clock()
                found[tool] = keys[digest]
            return found

        return self._change(change)

    def move(self, renamed: Mapping[str, str]) -> None:
        """Tools have other ids, with the same descriptions: old -> new."""

        def change(said: Said) -> None:
            for old, new in renamed.items():
                known = said["tools"].pop(old, None)
                if known is not None and new not in said["tools"]:
                    keys = {
                        digest: new + key.removeprefix(old) if key.startswith(old) else key for digest, key in known["keys"].items()
                    }
                    said["tools"][new] = {**known, "keys": keys}

        if renamed:
            self._change(change)

    def changed(self, tool: str) -> float | None:
        """When its description changed last; None where it never did, or somebody has looked at it since."""
        return self._said["tools"].get(tool, {}).get("changed")  # type: ignore[no-any-return]

    def accept(self, tools: Container[str] | None = None) -> list[str]:
        """Takes the flag off tools whose descriptions changed, None: off all. Gives those that had one."""

        def change(said: Said) -> list[str]:
            flagged = [t for t, known in said["tools"].items() if known.get("changed") and (tools is None or t in tools)]
            for tool in flagged:
                said["tools"][tool]["changed"] = None
            return flagged

        return self._change(change)

    def keep_servers(self, states: Mapping[str, Mapping[str, Any]]) -> None:
        """How servers are now; others than these are no more."""
        self._change(lambda said: said.update(servers={name: dict(state) for name, state in states.items()}))

    def count(self, tool: str, what: str, **more: int) -> None:
        """Adds to sums of a tool; in the file with the next change."""
        with self._lock:
            known = self._sums.setdefault((tool, what), Counter())
            known.update(more)

    def _change(self, change: Callable[[Said], _Found]) -> _Found:
        """Changes what the file holds by now."""
        with self._lock:
            if self.path is None:
                self._with_sums(self._said)
                return change(self._said)
            try:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with self.path.with_suffix(".lock").open("w") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    said = _read(self.path) if self.path.exists() else self._said
                    before = orjson.dumps(said)
                    self._with_sums(said)
                    found = change(said)
                    self._said = said
                    if orjson.dumps(said) != before or not self.path.exists():
                        write_atomically(self.path, orjson.dumps(said, option=orjson.OPT_INDENT_2))
                        self.path.chmod(0o600)
                    return found
            except (OSError, InputError) as error:
                _log.warning("what the gateway knows of tools is not kept: %s", error)
                return change(self._said)

    def _with_sums(self, said: Said) -> None:
        for (tool, what), more in self._sums.items():
            sums = said["tools"].setdefault(tool, {}).setdefault(what, {})
            for name, n in more.items():
                sums[name] = sums.get(name, 0) + n
        self._sums = {}


def digest_of(definition: Mapping[str, Any]) -> str:
    """Of everything that a tool says of itself but its name: 32 hexadecimal digits."""
    said = {key: definition.get(key) for key in _SAID}
    return blake2b(
        orjson.dumps(said, default=repr, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS), digest_size=16
    ).hexdigest()


def _read(path: Path | None) -> Said:
    """What a file holds; a damaged one holds nothing."""
    empty: Said = {"tools": {}, "servers": {}}
    if path is None:
        return empty
    try:
        with open_regular(path) as file:
            said = orjson.loads(file.read())
    except FileNotFoundError:
        return empty
    except (OSError, ValueError) as error:
        _log.warning("%s is begun anew: %s", path, error)
        return empty
    sound = isinstance(said, dict) and all(isinstance(said.get(key), dict) for key in empty)
    return said if sound else empty
