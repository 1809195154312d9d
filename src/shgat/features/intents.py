"""Vectors of intents while people wait: remembered, within a time limit, and by another encoder of the space where the first one fails."""

from collections.abc import Sequence
from typing import NamedTuple

from .._types import Float32
from ..errors import EncoderError
from ..graph import Catalog
from ..graph.space import space_of
from . import static
from .cache import VectorCache
from .circuit import LIMIT, Circuit
from .encoder import Encoder, queries
from .hashed_words import HashedWords
from .named import encoder_of

QUICK = (static.StaticVectors, HashedWords)  # to encode by them costs less than to ask another process


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
    cache : of vectors, shared with whoever encodes by it too; None: one of its own
    """

    def __init__(self, encoder: Encoder, made: str = "", limit: float = LIMIT, cache: VectorCache | None = None) -> None:
        self.encoder = encoder
        self.quick = quick = isinstance(encoder, QUICK)
        self._first: Encoder | Circuit = encoder if quick else Circuit(encoder, limit)
        built_in = static.built_in() if space_of(encoder.id) == static.SPACE else None
        self._second = None if quick else built_in
        self._apart = ""
        if made and made != encoder.id:
            self._apart = f"the text was encoded by {encoder.id}, the catalogue by {made} of the same space"
        self.cache = VectorCache() if cache is None else cache

    @classmethod
    def of(
        cls, catalog: Catalog, given: object = None, limit: float = LIMIT, cache: VectorCache | None = None
    ) -> "IntentEncoder | None":
        """For the intents of a catalogue; None where nothing at hand can make vectors like its own. See `encoder_of`."""
        found = encoder_of(catalog, given)
        return None if found is None else cls(found, catalog.encoder, limit, cache)

    @property
    def trouble(self) -> str:
        """Why the encoder rests, "" where it does not."""
        return self._first.trouble if isinstance(self._first, Circuit) else ""

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Of each text; never raises. What is not remembered goes to the encoder at once, in one call."""
        said = queries(self.encoder, texts)
        try:
            rows = self.cache.vectors(self.encoder, said, self._first.encode, self.quick)
            return [Encoded(row, self.encoder.id, self._apart) for row in rows]
        except Exception as error:  # whatever an encoder raises: somebody waits for an answer
            there = self.cache.known(self.encoder.id, said)
            instead = self._instead({whole: text for whole, text in zip(said, texts, strict=True) if whole not in there}, error)
        return [instead[whole] if whole in instead else Encoded(there[whole], self.encoder.id, self._apart) for whole in said]

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

    def _instead(self, new: dict[str, str], error: Exception) -> dict[str, Encoded]:
        """For texts, by what was to be encoded of them."""
        why = f"the text cannot be encoded: {error}"
        if self._second is None:
            return dict.fromkeys(new, Encoded(None, "", why))
        rows = self._second.encode(list(new.values()))
        why = f"{self.encoder.id} failed ({error}); the text was encoded by {self._second.id} of the same space"
        return {key: Encoded(row, self._second.id, why) for key, row in zip(new, rows, strict=True)}
