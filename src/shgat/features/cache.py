"""Vectors that an encoder gave, by the hash of the text and the encoder's id: in this process, and where there is one in a Redis for all."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from hashlib import blake2b
from typing import Any, Protocol

import numpy as np

from .. import _check, _fork
from .._types import Float32
from .encoder import Encoder

BYTES = 64 << 20
LASTS = 3600.0  # seconds
_BESIDE = 200  # bytes of an entry beside its numbers, about


class SecondLevel(Protocol):
    """What holds vectors for several processes. Neither call raises, whatever happens there."""

    trouble: str

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Float32]:
        """Those of the keys that it has."""
        ...

    def put(self, found: dict[bytes, Float32]) -> None:
        """Takes vectors (d,)."""
        ...


class VectorCache:
    """Safe from any number of threads; a text that several ask for at once is encoded once.

    Parameters
    ----------
    most : bytes of all vectors together, about; what was asked for longest ago goes first
    lasts : seconds that a vector stays
    second : asked for what is not here, before the encoder is

    Attributes
    ----------
    hits, shared, misses : texts that were here, in the second level, and nowhere
    bytes : that are held, about
    """

    def __init__(
        self,
        most: int = BYTES,
        lasts: float = LASTS,
        second: SecondLevel | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._lasts = _check.positive_integer(most, "most"), _check.number(lasts, 0.0, 1e9, "lasts")
        self.second, self._clock = second, clock
        self._held: OrderedDict[bytes, tuple[float, Float32]] = OrderedDict()
        self.hits = self.shared = self.misses = self.bytes = 0
        self.after_fork()
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock, and what it is encoding never comes here."""
        self._lock = threading.Lock()
        self._coming: dict[bytes, Future[Float32]] = {}

    def vectors(
        self, encoder: Encoder, texts: Sequence[str], encode: Callable[[Sequence[str]], Float32], quick: bool = False
    ) -> list[Float32]:
        """(d,) of each text; what is nowhere is encoded in one call, and what that raises is raised.

        Parameters
        ----------
        encoder : whose vectors they are
        encode : what makes them: the encoder, or what guards it
        quick : encoding costs less than asking the second level
        """
        keys = [_key(encoder.id, text) for text in texts]
        of = dict(zip(keys, texts, strict=True))
        with self._lock:
            found = self._here(of)
            others = {key: self._coming[key] for key in of if key not in found and key in self._coming}
            mine = [key for key in of if key not in found and key not in others]
            self._coming.update((key, Future()) for key in mine)
            self.hits += len(found) + len(others)
        if mine:
            found |= self._fetched(mine, of, encode, None if quick else self.second, encoder.dimension)
        for key, coming in others.items():
            found[key] = coming.result()
        return [found[key] for key in keys]

    def known(self, encoder: str, texts: Sequence[str]) -> dict[str, Float32]:
        """Those of the texts that are here."""
        of = {_key(encoder, text): text for text in texts}
        with self._lock:
            return {of[key]: row for key, row in self._here(of).items()}

    def stats(self) -> dict[str, Any]:
        """As JSON values."""
        with self._lock:
            asked = self.hits + self.shared + self.misses
            return {
                "hits": self.hits,
                "shared_hits": self.shared,
                "misses": self.misses,
                "hit_rate": (self.hits + self.shared) / asked if asked else None,
                "vectors": len(self._held),
                "bytes": self.bytes,
                "trouble": "" if self.second is None else self.second.trouble,
            }

    def _here(self, keys: dict[bytes, str]) -> dict[bytes, Float32]:
        now, found = self._clock(), dict[bytes, Float32]()
        for key in keys:
            entry = self._held.get(key)
            if entry is not None and now - entry[0] <= self._lasts:
                self._held.move_to_end(key)
                found[key] = entry[1]
        return found

    def _fetched(
        self,
        mine: list[bytes],
        of: dict[bytes, str],
        encode: Callable[[Sequence[str]], Float32],
        second: SecondLevel | None,
        dimension: int,
    ) -> dict[bytes, Float32]:
        """What this thread has to find; others may wait for it."""
        try:
            found = {} if second is None else {key: row for key, row in second.get(mine).items() if row.shape == (dimension,)}
            new = [key for key in mine if key not in found]
            made = dict(zip(new, encode([of[key] for key in new]), strict=True)) if new else {}
        except BaseException as error:
            with self._lock:
                waiting = [self._coming.pop(key) for key in mine]
                self.misses += len(mine)
            for coming in waiting:
                coming.set_exception(error)
            raise
        if second is not None and made:
            second.put(made)
        with self._lock:
            self.shared += len(found)
            self.misses += len(new)
            self._keep(found | made)
            waiting_for = {key: self._coming.pop(key) for key in mine}
        for key, coming in waiting_for.items():
            coming.set_result((found | made)[key])
        return found | made

    def _keep(self, rows: dict[bytes, Float32]) -> None:
        now = self._clock()
        for key, row in rows.items():
            before = self._held.pop(key, None)
            self.bytes += row.nbytes + _BESIDE - (0 if before is None else before[1].nbytes + _BESIDE)
            self._held[key] = now, np.array(row, np.float32)  # of its own: a row of a batch holds all of it
        while self.bytes > self._most and self._held:
            self.bytes -= self._held.popitem(last=False)[1][1].nbytes + _BESIDE


class Remembering:
    """An encoder that asks a cache first."""

    def __init__(self, encoder: Encoder, cache: VectorCache, quick: bool = False) -> None:
        self._encoder, self._cache, self._quick = encoder, cache, quick
        self.id, self.dimension = encoder.id, encoder.dimension
        self.query_prefix, self.passage_prefix = encoder.query_prefix, encoder.passage_prefix

    def encode(self, texts: Sequence[str]) -> Float32:
        """(len(texts), d), as the encoder gives it."""
        rows = self._cache.vectors(self._encoder, texts, self._encoder.encode, self._quick)
        return np.array(rows, np.float32).reshape(len(rows), self.dimension)


def _key(encoder: str, text: str) -> bytes:
    digest = blake2b(encoder.encode(errors="surrogatepass") + b"\0", digest_size=16)
    digest.update(text.encode(errors="surrogatepass"))
    return digest.digest()
