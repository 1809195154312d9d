"""What a version was made for: a window of its time, small enough to be kept beside it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._check import matrix
from .._files import replacing
from .._types import Float32, Float64, Int32
from ..errors import InputError, ModelFileError
from ..model import tensor_file
from .window import Window

LEAST = 40  # executions of a reference
_DIRECTIONS = 32
_ROWS = 1000  # executions that are kept
_BINS = 10  # of scores
_TOOLS = 49  # that have a bin of their own; the others share the last one
_COUNTED = 500  # tools whose success is kept
_KIND = "drift reference"
PROBES = (
    "send a message to a colleague", "list the files of a folder", "what is the weather tomorrow", "open a pull request",
    "translate this text into French", "book a table for two", "run the tests", "sum a column of a spreadsheet",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Reference:
    """The reference of one version.

    Half of the executions say where directions and edges lie, the other half is kept and compared: what was fitted to an execution describes it
    better than any later one, which would look like drift.

    Attributes
    ----------
    mean : (d,) float32 of the intents of the first half
    directions : (k, d) float32 principal directions, unit vectors by falling variance; k at most 32
    coordinates : (n, k + 1) float32 of the second half: projections, and the length of what they leave
    edges : (9,) float64 deciles of the scores; empty without scores
    scores : (n,) float64; empty without scores
    chosen : (n, b) uint8 how often each execution chose each tool of `mix`, the last column any other
    mix : b - 1 ids, the tools that were chosen most often
    outcomes : tool id -> (worked, executions) of all executions
    encoder : what made the intents, "" where nobody said
    probes : (8, d) float32 embeddings of `PROBES`, or (0, d)
    about : JSON values, say the number of the version and the time
    """

    mean: Float32
    directions: Float32
    coordinates: Float32
    edges: Float64
    scores: Float64
    chosen: np.ndarray[tuple[int, int], np.dtype[np.uint8]]
    mix: tuple[str, ...]
    outcomes: dict[str, tuple[int, int]]
    encoder: str
    probes: Float32
    about: dict[str, Any]

    @classmethod
    def of(
        cls, window: Window, rng: np.random.Generator, *, probes: object = None, about: dict[str, Any] | None = None
    ) -> "Reference":
        """Of a window of the time when a version was made.

        Parameters
        ----------
        probes : (8, d) embeddings of `PROBES` by the encoder of the intents; None where it is not at hand

        Raises
        ------
        InputError
            for fewer than 40 executions.
        """
        n, d = window.intents.shape
        if n < LEAST:
            raise InputError(f"a reference is made of at least {LEAST} executions with an embedding, not {n}: wait for more")
        order = rng.permutation(n)
        fitted, kept = window.take(order[: n // 2]), window.take(order[n // 2 :][:_ROWS])
        mean = fitted.intents.mean(axis=0, dtype=np.float64)
        _, lengths, directions = np.linalg.svd(fitted.intents - mean, full_matrices=False)
        directions = directions[:_DIRECTIONS][lengths[:_DIRECTIONS] > 1e-6 * max(float(lengths[0]), 1e-12)]
        edges = np.zeros(0)
        if fitted.scores is not None:
            edges = np.quantile(fitted.scores, np.arange(1, _BINS) / _BINS)
        counts = Counter(tool for tools in fitted.tools for tool in set(tools))
        mix = tuple(tool for tool, _ in counts.most_common(_TOOLS))
        mean32, directions32 = mean.astype(np.float32), np.ascontiguousarray(directions, np.float32)
        return cls(
            mean32, directions32, coordinates(kept.intents, mean32, directions32), edges,
            np.zeros(0) if kept.scores is None else kept.scores, choices(kept.tools, mix), mix, successes(window), window.encoder,
            np.zeros((0, d), np.float32) if probes is None else matrix(probes, d, "the probes"), dict(about or {}),
        )  # fmt: skip

    def to_bytes(self) -> bytes:
        """As safetensors with a manifest in JSON, and checksums over both."""
        tensors = {name: getattr(self, name) for name in _TENSORS}
        manifest = {"kind": _KIND, "mix": self.mix, "outcomes": self.outcomes, "encoder": self.encoder, "about": self.about}
        return tensor_file.pack(tensors, manifest)

    @classmethod
    def from_bytes(cls, data: bytes | bytearray, name: str = "the reference") -> "Reference":
        """Of `to_bytes`; ModelFileError where it is torn, altered, or something else."""
        tensors, manifest = tensor_file.unpack(data, name)
        if manifest.get("kind") != _KIND or any(key not in tensors for key in _TENSORS):
            raise ModelFileError(f"{name} is no drift reference, but {manifest.get('kind', 'a model or a checkpoint')!r:.100}")
        outcomes = {tool: (int(s), int(n)) for tool, (s, n) in manifest["outcomes"].items()}
        arrays = {key: tensors[key] for key in _TENSORS}
        return cls(**arrays, mix=tuple(manifest["mix"]), outcomes=outcomes, encoder=manifest["encoder"], about=manifest["about"])

    def save(self, path: str | Path) -> None:
        """Writes the file, whole or not at all."""
        with replacing(Path(path)) as temporary:
            temporary.write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: str | Path) -> "Reference":
        """Of a file; ModelFileError as in `from_bytes`."""
        return cls.from_bytes(tensor_file.read(Path(path)), str(path))


_TENSORS = ("mean", "directions", "coordinates", "edges", "scores", "chosen", "probes")


def coordinates(intents: Float32, mean: Float32, directions: Float32) -> Float32:
    """(n, k + 1): projections on k directions, and the length of what they leave."""
    centred = intents - mean
    along = centred @ directions.T
    rest = np.maximum((centred**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
    return np.concatenate((along, np.sqrt(rest)[:, None]), axis=1).astype(np.float32)


def choices(tools: Sequence[Sequence[str]], mix: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """(n, len(mix) + 1) uint8: how often each execution chose each tool, at most 255 times; the last column is any other."""
    column = {tool: i for i, tool in enumerate(mix)}
    counts = np.zeros((len(tools), len(mix) + 1), np.int32)
    for row, several in enumerate(tools):
        for tool in several:
            counts[row, column.get(tool, len(mix))] += 1
    return np.minimum(counts, 255).astype(np.uint8)


def binned(scores: Float64, edges: Float64) -> Int32:
    """(n,) number of the bin of each score."""
    return np.searchsorted(edges, scores, "right").astype(np.int32)


def successes(window: Window) -> dict[str, tuple[int, int]]:
    """Tool id -> (worked, executions), of the tools that were used most."""
    used = Counter(tool for tools in window.tools for tool in set(tools))
    good = Counter(tool for tools, ok in zip(window.tools, window.worked.tolist(), strict=True) if ok for tool in set(tools))
    return {tool: (good[tool], n) for tool, n in used.most_common(_COUNTED)}


def cosines(a: Float32, b: Float32) -> Float64:
    """(n,) of (n, d) rows, each with its own; 0 for a zero row."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    found: Float64 = np.divide((a * b).sum(axis=1), lengths, out=np.zeros(len(a)), where=lengths > 0)
    return found
