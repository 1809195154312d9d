"""From texts to vectors."""

from .encoder import Encoder, embedded, encoder_of, with_embeddings
from .hashed_words import HashedWords

__all__ = ["Encoder", "HashedWords", "embedded", "encoder_of", "with_embeddings"]
