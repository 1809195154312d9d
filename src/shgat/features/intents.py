"""Vectors of intents while people wait: remembered, within a time limit, and by another encoder of the space where the first one fails."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from .. import _fork
from .._types import Float32
from ..errors import EncoderError
from ..graph import Catalog
from ..graph.space import space_of
from . import static
from .circuit import LIMIT, Circuit
from .encoder import Encoder, queries
from .hashed_words import HashedWords
from .named import encoder_of

REMEMBERED = 4096  # intents


class Encoded(NamedTuple):
    """An intent's vector (d,), None where nothing could make one; the id of what made it; and why that is less than it should be, or ""."""

    vector: Float32 | None
    encoder: str
    trouble: str = ""


class IntentEncoder:
    """Makes vectors of intents. Safe from any number of threads.

    Parameters
    ----------
    encoder : asked first. One that may be slow has a `Circuit` around it
    made : id of what made the embeddings of the catalogue; "" where nobody said
    limit : seconds a text
    remembered : intents whose vectors are kept, by the hash of their text
    """

    def __init__(self, encoder: Encoder, made: str = "", limit: float = LIMIT, remembered: int = REMEMBERED) -> None:
        self.encoder = encoder
        quick = isinstance(encoder, (static.StaticVectors, HashedWords))
        self._first: Encoder | Circuit = encoder if quick else Circuit(encoder, limit)
        built_in = static.built_in() if space_of(encoder.id) == static.SPACE else None
        self._second = None if quick else built_in
        self._apart = ""
        if made and made != encoder.id:
            self._apart = f"the text was encoded by {encoder.id}, the catalogue by {made} of the same space"
        self._kept: OrderedDict[bytes, Float32] = OrderedDict()
        self._most = remembered
        self.after_fork()
        _fork.renew(self)

    @classmethod
    def of(cls, catalog: Catalog, given: object = None, limit: float = LIMIT) -> "IntentEncoder | None":
        """For the intents of a catalogue; None where nothing at hand can make vectors like its own. See `encoder_of`."""
        found = encoder_of(catalog, given)
        return None if found is None else cls(found, catalog.encoder, limit)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    @property
    def trouble(self) -> str:
        """Why the encoder rests, "" where it does not."""
        return self._first.trouble if isinstance(self._first, Circuit) else ""

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Of each text; never raises. What is not remembered goes to the encoder at once, in one call."""
        keys = [blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest() for text in texts]
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
            for key in found:
                self._kept.move_to_end(key)
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        failed: dict[bytes, Encoded] = {}
        if new:
            try:
                made = dict(zip(new, self._first.encode(queries(self.encoder, list(new.values()))), strict=True))
                found |= made
                self._keep(made)
            except Exception as error:  # whatever an encoder raises: somebody waits for an answer
                failed = self._instead(new, error)
        return [failed[key] if key in failed else Encoded(found[key], self.encoder.id, self._apart) for key in keys]

    def one(self, text: str) -> Encoded:
        """Of one text.

        Raises
        ------
        EncoderError
            where the encoder fails and no other one of its space can follow.
        """
        (found,) = self.encode([text])
        if found.vector is None:
            raise EncoderError(found.trouble)
        return found

    def _instead(self, new: dict[bytes, str], error: Exception) -> dict[bytes, Encoded]:
        why = f"the text cannot be encoded: {error}"
        if self._second is None:
            return dict.fromkeys(new, Encoded(None, "", why))
        rows = self._second.encode(list(new.values()))
        why = f"{self.encoder.id} failed ({error}); the text was encoded by {self._second.id} of the same space"
        return {key: Encoded(row, self._second.id, why) for key, row in zip(new, rows, strict=True)}

    def _keep(self, made: dict[bytes, Float32]) -> None:
        with self._lock:
            self._kept.update(made)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
