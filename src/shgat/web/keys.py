"""API keys: made once and shown once, kept as hashes in a file that only its owner reads, compared in constant time."""

import fcntl
import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from .. import _check
from .._files import open_regular, reason, replacing
from ..errors import InputError

SCOPES = ("rank", "feedback", "catalog", "admin", "metrics")
LARGEST = 1 << 20  # bytes of a file of keys
LOOK = 1.0  # seconds between looks whether the file has changed
_KEY = re.compile(r"shgat_([0-9a-f]{8})_[\w-]{43}", re.ASCII)


@dataclass(frozen=True)
class Key:
    """What is known of a key; the key itself is not.

    Attributes
    ----------
    id : eight hexadecimal digits, the part of the key that is no secret
    name : whose it is, in words
    scopes : what it may do, of `SCOPES`
    sha256 : of the key, in hexadecimal. A key has 256 random bits, so that no slow hash is needed
    created_at : seconds since the epoch
    rate : requests a second, None for what the server allows
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    sha256: str
    created_at: float
    rate: float | None = None

    @classmethod
    def make(cls, name: str, scopes: Iterable[str], rate: float | None = None, now: float | None = None) -> "tuple[Key, str]":
        """A new key, and the secret that nobody can read from it.

        Raises
        ------
        InputError
            for a name that is empty, no scope, a scope that does not exist, or a rate that is no positive number.
        """
        given = scopes_of(scopes)
        secret = f"shgat_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"
        if rate is not None:
            rate = _check.number(rate, 1e-3, 1e6, "rate")
        made = time.time() if now is None else now
        return cls(secret[6:14], _check.storable_text(name, "the name of a key"), given, hashed(secret), made, rate), secret

    @classmethod
    def from_record(cls, record: Any, where: str) -> "Key":
        """From an entry of a file."""
        try:
            key = cls(**{**record, "scopes": scopes_of(record["scopes"])})
        except (TypeError, KeyError, InputError):
            raise InputError(f"{where} is no key: make another one by `shgat serve keys add`") from None
        texts = key.id, key.name, key.sha256
        numbers = key.created_at, 1.0 if key.rate is None else key.rate
        if not all(isinstance(t, str) for t in texts) or not all(type(n) in (int, float) for n in numbers):
            raise InputError(f"{where} is no key: make another one by `shgat serve keys add`")
        return key


def scopes_of(scopes: Iterable[str]) -> tuple[str, ...]:
    """Scopes, each once, in the order of `SCOPES`."""
    given = {_check.choice(scope, SCOPES, "a scope") for scope in _check.texts(scopes, "scopes")}
    if not given:
        raise InputError(f"a key without a scope may do nothing: give some of {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if scope in given)


def hashed(secret: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class KeyFile:
    """A file of keys, readable by its owner alone, written as a whole."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def keys(self) -> list[Key]:
        """All of them.

        Raises
        ------
        OSError
            where there is no such file, or none that may be read.
        InputError
            for a file that holds something else.
        """
        with open_regular(self.path) as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise InputError(f"{self.path} has more than {LARGEST} bytes: that is no file of keys")
        try:
            found = orjson.loads(content)
            records = found["keys"]
            if found["version"] != 1 or not isinstance(records, list):
                raise ValueError(f"version {found['version']!r:.20}")
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(f"{self.path} is no file of keys ({reason(error)}); `shgat serve keys add` makes one") from None
        return [Key.from_record(record, f"{self.path}: keys[{i}]") for i, record in enumerate(records)]

    def add(self, name: str, scopes: Iterable[str], rate: float | None = None) -> tuple[Key, str]:
        """Makes a key, creating the file where there is none; the secret is returned and kept nowhere."""
        key, secret = Key.make(name, scopes, rate)
        with self._alone():
            self._write([*(self.keys() if self.path.exists() else []), key])
        return key, secret

    def revoke(self, key_id: str) -> Key:
        """Takes a key away; servers notice within a second. InputError for an id that is not there."""
        with self._alone():
            keys = self.keys()
            gone = next((key for key in keys if key.id == key_id), None)
            if gone is None:
                raise InputError(f"{self.path} has no key {key_id!r:.40}; its keys: {', '.join(k.id for k in keys) or 'none'}")
            self._write([key for key in keys if key is not gone])
        return gone

    def _write(self, keys: Collection[Key]) -> None:
        with replacing(self.path) as new:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o600)
                file.write(orjson.dumps({"version": 1, "keys": [asdict(key) for key in keys]}, option=orjson.OPT_INDENT_2) + b"\n")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer at a time: two that add a key at once leave both."""
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


class Keys:
    """The keys of a server: of a file, which may change while it serves, or of this run alone.

    Parameters
    ----------
    given : keys that hold besides those of the file
    """

    def __init__(self, file: KeyFile | None = None, given: Iterable[Key] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self._file, self._given, self._clock = file, tuple(given), clock
        self._known: dict[str, Key] = {}
        self._stamp: object = None
        self._next_look = 0.0
        self.trouble = ""
        if file is not None:
            self._read(file)
        else:
            self._take(())

    def find(self, secret: str) -> Key | None:
        """The key of that secret, or None."""
        if self._file is not None and self._clock() >= self._next_look:
            self._look(self._file)
        shape = _KEY.fullmatch(secret)
        key = None if shape is None else self._known.get(shape[1])
        known = "0" * 64 if key is None else key.sha256
        same = hmac.compare_digest(hashed(secret), known)  # as long for a key that does not exist
        return key if same else None

    def __len__(self) -> int:
        return len(self._known)

    def _take(self, keys: Iterable[Key]) -> None:
        self._known = {key.id: key for key in (*self._given, *keys)}

    def _read(self, file: KeyFile) -> None:
        self._next_look = self._clock() + LOOK
        found = file.path.stat()
        self._take(file.keys())
        self._stamp, self.trouble = (found.st_mtime_ns, found.st_ino, found.st_size), ""

    def _look(self, file: KeyFile) -> None:
        """Reads the file again where it has changed. One that cannot be read gives nobody access: a revoked key must not live on."""
        self._next_look = self._clock() + LOOK
        try:
            found = file.path.stat()
            if (found.st_mtime_ns, found.st_ino, found.st_size) != self._stamp:
                self._read(file)
        except (OSError, InputError) as error:
            self._take(())
            self._stamp, self.trouble = None, f"the keys cannot be read: {error}"
