"""An encoder of one's own: any object with `encode`, or a function from texts to vectors, checked at every call."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import _check
from .._types import Float32
from ..errors import EncoderError, InputError
from .foreign import ForeignEncoder

Function = Callable[[Sequence[str]], Any]


class OwnEncoder(ForeignEncoder):
    """The encoder.

    Parameters
    ----------
    made_by : an object with `encode(texts)`, and perhaps `id`, `dimension`, `query_prefix`, `passage_prefix`; or a function. Either gives
        (len(texts), d) numbers
    id : names it and its version; "": the object's own, or the name of the function
    dimension : d; None: the object's own, or that of what it gives first

    Raises
    ------
    InputError
        for something that cannot encode.
    """

    def __init__(self, made_by: object, id: str = "", dimension: int | None = None) -> None:
        encode = getattr(made_by, "encode", made_by)
        if not callable(encode):
            raise InputError(f"an encoder has encode(texts), or is a function of texts; {type(made_by).__name__} is neither")
        name = id or getattr(made_by, "id", "") or getattr(made_by, "__qualname__", type(made_by).__qualname__)
        self.id = _check.storable_text(name, "the id of an encoder")
        found = getattr(made_by, "dimension", None) if dimension is None else dimension
        self._dimension = None if found is None else _check.positive_integer(found, "the dimension of an encoder")
        self._encode: Function = encode
        self.query_prefix = str(getattr(made_by, "query_prefix", ""))
        self.passage_prefix = str(getattr(made_by, "passage_prefix", ""))

    def encode(self, texts: Sequence[str]) -> Float32:
        """(len(texts), d) float32 of length 1, or zero.

        Raises
        ------
        EncoderError
            where it fails, and for what is no finite (len(texts), d).
        """
        try:
            given = np.asarray(self._encode(list(texts)))
            with np.errstate(over="ignore"):
                x = np.ascontiguousarray(given, np.float32)
        except Exception as error:  # whatever somebody's encoder raises
            raise EncoderError(f"{self.id}: {type(error).__name__}: {error}") from error
        return self._checked(x, len(texts), self.id)
