"""From texts to vectors."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .circuit import Circuit
    from .encoder import Encoder, content_of, embedded, passage_of, queries, with_embeddings
    from .endpoint import EndpointEncoder
    from .hashed_words import HashedWords
    from .intents import Encoded, IntentEncoder
    from .named import encoder_of, open_encoder
    from .onnx import OnnxEncoder
    from .own import OwnEncoder
    from .static import StaticVectors

__all__ = [
    "Circuit",
    "Encoded",
    "Encoder",
    "EndpointEncoder",
    "HashedWords",
    "IntentEncoder",
    "OnnxEncoder",
    "OwnEncoder",
    "StaticVectors",
    "content_of",
    "embedded",
    "encoder_of",
    "open_encoder",
    "passage_of",
    "queries",
    "with_embeddings",
]

__getattr__, __dir__ = _lazy.names(
    __name__,
    {
        "circuit": "Circuit",
        "encoder": "Encoder content_of embedded passage_of queries with_embeddings",
        "endpoint": "EndpointEncoder",
        "hashed_words": "HashedWords",
        "intents": "Encoded IntentEncoder",
        "named": "encoder_of open_encoder",
        "onnx": "OnnxEncoder",
        "own": "OwnEncoder",
        "static": "StaticVectors",
    },
)
