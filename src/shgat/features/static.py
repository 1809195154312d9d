"""Static vectors: a text is a sum of vectors of its pieces, made so that it lies where all-MiniLM-L6-v2 would put it.

The vectors are in the wheel, so that ranking by meaning needs nothing else: `scripts/static_vectors.py` makes them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._files import sha256
from .._types import Bool, Float32
from ..errors import ModelFileError
from ..graph.space import BETWEEN
from ..model.tensor_file import pack, unpack
from .wordpiece import WordPiece

SPACE = "all-MiniLM-L6-v2"
FILE = "minilm_static.safetensors"
READ = 510  # pieces of a text that are read
LEVELS = 16


@dataclass(frozen=True, eq=False)
class StaticVectors:
    """The encoder.

    A text is the sum over its pieces p of (1 + ln f_p) v(p), f_p how often the piece occurs, scaled to length 1; `mean` is added, which all
    texts of the space share, and the whole scaled to length 1 again. v(p) = step(p) (code - 7.5) basis, the code of four bits.

    Attributes
    ----------
    id : its space, and the first digits of the SHA-256 of its file
    pieces : from text to numbers of pieces
    codes : (n, k / 2) uint8, two of them in a byte, the first in its lower half
    step : (n,) float32
    basis : (k, d) float32, rows orthonormal
    mean : (d,) float32
    probes : some texts with the vectors (d,) that the model itself makes of them: by these another file is known to be of the space
    """

    id: str
    pieces: WordPiece
    codes: npt.NDArray[np.uint8]
    step: Float32
    basis: Float32
    mean: Float32
    probes: Mapping[str, Float32]
    query_prefix = passage_prefix = ""

    @property
    def dimension(self) -> int:
        """d."""
        return len(self.mean)

    def encode(self, texts: Sequence[str]) -> Float32:
        """(len(texts), d) float32 of length 1; zero for a text without a piece that says anything."""
        out = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(out, texts, strict=True):
            numbers, counts = np.unique(np.array(self.pieces(text, READ), np.int64), return_counts=True)
            weights = self.step[numbers] * (1.0 + np.log(counts)).astype(np.float32)
            codes, total = self.codes[numbers], np.empty(len(self.basis), np.float32)
            total[0::2] = weights @ ((codes & 15) - np.float32(7.5))
            total[1::2] = weights @ ((codes >> 4) - np.float32(7.5))
            length = float(np.linalg.norm(total))
            if length > 0.0 and self._spoken[numbers].any():
                x = (total / length) @ self.basis + self.mean  # a text at a time, so that no other one changes a bit
                row[:] = x / np.linalg.norm(x)
        return out

    @cached_property
    def _spoken(self) -> Bool:
        """(n,) pieces with a letter or a digit: punctuation alone says nothing."""
        return np.array([any(c.isalnum() for c in piece) for piece in self.pieces.number], bool)

    @classmethod
    def from_bytes(cls, data: bytes, name: str) -> "StaticVectors":
        """What `to_bytes` gave; ModelFileError where it is torn, altered or something else."""
        tensors, manifest = unpack(data, name)
        try:
            vocabulary = tensors["vocabulary"].tobytes().decode().split("\n")
            codes, step = tensors["codes"], tensors["step"].astype(np.float32)
            basis, mean = tensors["basis"].astype(np.float32), tensors["mean"].astype(np.float32)
            if codes.shape != (len(vocabulary), len(basis) // 2) or step.shape != (len(codes),) or basis.shape[1:] != mean.shape:
                raise ValueError(f"codes {codes.shape}, step {step.shape}, basis {basis.shape} and mean {mean.shape} do not fit")
            probes = dict(zip(manifest["probes"], tensors["probes"].astype(np.float32), strict=True))
            name = f"{manifest['space']}{BETWEEN}static-{digest_of(tensors)}"
            return cls(name, WordPiece(vocabulary), codes, step, basis, mean, probes)
        except (KeyError, ValueError) as error:
            raise ModelFileError(f"{name} holds no static vectors: {error}") from None

    @staticmethod
    def to_bytes(
        vectors: Float32, mean: Float32, vocabulary: Sequence[str], probes: Mapping[str, Float32], k: int, space: str = SPACE
    ) -> bytes:
        """A file of vectors (n, d) of the pieces: their k principal directions, in four bits each, with the step that loses least."""
        _, _, directions = np.linalg.svd(vectors, full_matrices=False)
        basis = directions[:k].astype(np.float16)
        x = vectors @ basis.T.astype(np.float32)
        step = 0.335 * np.sqrt((x**2).mean(axis=1))  # of a Gaussian in 16 levels
        codes = np.clip(np.floor(x / np.maximum(step, 1e-12)[:, None]) + LEVELS // 2, 0, LEVELS - 1).astype(np.uint8)
        tensors: dict[str, npt.NDArray[Any]] = {
            "codes": codes[:, 0::2] | (codes[:, 1::2] << 4),
            "step": step.astype(np.float16),
            "basis": basis,
            "mean": mean.astype(np.float16),
            "vocabulary": np.frombuffer("\n".join(vocabulary).encode(), np.uint8),
            "probes": np.array(list(probes.values()), np.float16).reshape(len(probes), len(mean)),
        }
        return pack(tensors, {"space": space, "probes": list(probes)})


def digest_of(tensors: "dict[str, npt.NDArray[Any]]") -> str:
    """The first twelve digits of the SHA-256 of all tensors, by name."""
    return sha256(*(np.ascontiguousarray(tensors[name]).reshape(-1).view(np.uint8).data for name in sorted(tensors)))[:12]


@cache
def built_in() -> StaticVectors:
    """Those of the wheel."""
    return StaticVectors.from_bytes(Path(__file__).with_name(FILE).read_bytes(), FILE)
