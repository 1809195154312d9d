"""Encoders of others: what they give is checked at every call, and where nobody says how long it is, they are asked once."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from .._types import Float32
from ..errors import EncoderError


class ForeignEncoder(ABC):
    """What such encoders share. `_dimension` is None until somebody said it, or a vector did."""

    _dimension: int | None

    @property
    def dimension(self) -> int:
        """d; asked for once where nobody said."""
        if self._dimension is None:
            self.encode(["a"])
        assert self._dimension is not None
        return self._dimension

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> Float32:
        """(len(texts), d) float32 of length 1."""

    def _checked(self, x: Float32, n: int, maker: str) -> Float32:
        """The vectors (n, d) scaled to length 1; zero stays zero. EncoderError names the maker of what is no finite (n, d)."""
        if self._dimension is None and x.ndim == 2 and x.shape[1]:
            self._dimension = int(x.shape[1])
        if x.shape != (n, self._dimension) or not np.isfinite(x).all():
            raise EncoderError(f"{maker} gave {x.shape} or numbers that are not finite, expected ({n}, {self._dimension or 'd'})")
        return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), np.float32(1e-12)), np.float32)
