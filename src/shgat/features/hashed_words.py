"""An encoder that needs nothing: words and their trigrams, hashed into a vector; see `shgat.model.hashing`.

For catalogues that nobody embedded. It knows no meanings: what shares no letters is unrelated. Vectors of one version can be compared for
ever.
"""

from collections.abc import Sequence

from .._types import Float32
from ..model.hashing import HASHED_WORDS, hashed

VERSION = 1
DIMENSION = 800  # 1024 finds hardly more, 384 clearly less; no usual encoder has it, so that nobody's vectors are taken for these


class HashedWords:
    """The encoder."""

    query_prefix = passage_prefix = ""

    @property
    def id(self) -> str:
        """Its name, version and dimension."""
        return f"{HASHED_WORDS}-{VERSION}-{DIMENSION}"

    @property
    def dimension(self) -> int:
        """d."""
        return DIMENSION

    def encode(self, texts: Sequence[str]) -> Float32:
        """(len(texts), d) float32 of length 1; zero for a text without a word."""
        return hashed(texts, DIMENSION)
