"""What came in over a stretch of time, in columns; what somebody repeated counts once."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from .._check import matrix
from .._types import Float32, Float64
from ..errors import InputError
from ..traces import Trace

DAY = 86_400.0  # seconds


@dataclass(frozen=True, eq=False)
class Window:
    """Executions, in order of time. Checked at construction.

    Attributes
    ----------
    intents : (n, d) float32
    scores : (n,) of what was best or chosen, on any scale that stays the same; None where nobody knows
    tools : n tuples, ids of the tools that were chosen
    worked : (n,) bool, did it succeed?
    encoder : what made the intents, "" where nobody said
    repeated : executions that were left out because somebody repeated an intent
    """

    intents: Float32
    scores: Float64 | None
    tools: tuple[tuple[str, ...], ...]
    worked: np.ndarray[tuple[int], np.dtype[np.bool_]]
    encoder: str = ""
    repeated: int = 0

    def __post_init__(self) -> None:
        shape = np.shape(self.intents)
        if len(shape) != 2:
            raise InputError(f"the intents of a window are (n, d), not {shape}")
        intents, worked = matrix(self.intents, shape[1], "the window's intents"), np.asarray(self.worked)
        n = len(intents)
        if len(self.tools) != n or worked.shape != (n,) or worked.dtype != np.bool_:
            raise InputError(
                f"a window of {n} intents has {n} tuples of tools and {n} booleans, not {len(self.tools)} and {worked.shape}"
            )
        scores = self.scores
        if scores is not None:
            scores = np.asarray(scores, np.float64)
            if scores.shape != (n,):
                raise InputError(f"a window of {n} intents has {n} scores, not {scores.shape}")
            if not np.isfinite(scores).all():
                raise InputError(f"the score of intent {int(np.argmin(np.isfinite(scores)))} of the window is NaN or infinite")
        vars(self).update(intents=intents, worked=worked, scores=scores)  # it is frozen for everybody else

    def __len__(self) -> int:
        return len(self.intents)

    @classmethod
    def of_traces(
        cls, traces: Iterable[Trace], *, scored: Callable[[Float32], Float64] | None = None, encoder: str = "", burst: float = DAY
    ) -> "Window":
        """Of traces with an embedding; those without are left alone.

        Executions of one intent by one principal within a stretch of `burst` seconds are one: the first of them. Such repetitions are not
        independent, and counted each for itself a single user who tries again would look like drift. Where an intent has no text its embedding
        stands for it; traces without a time are of one stretch.

        Parameters
        ----------
        scored : (n, d) intents -> (n,) scores
        encoder : what made the embeddings
        burst : seconds, aligned to multiples of it since 1970
        """
        seen: set[tuple[str, bytes, float]] = set()
        kept: list[tuple[Float32, Trace]] = []
        n = 0
        for trace in traces:
            if trace.embedding is None:
                continue
            n += 1
            said = trace.intent.strip().lower().encode() or hashlib.sha256(trace.embedding.tobytes()).digest()
            key = (trace.principal, said, -1.0 if trace.timestamp is None else trace.timestamp // burst)
            if key not in seen:
                seen.add(key)
                kept.append((trace.embedding, trace))
        if not kept:
            return cls(np.zeros((0, 1), np.float32), None, (), np.zeros(0, np.bool_), encoder, 0)
        lengths = sorted({len(e) for e, _ in kept})
        if len(lengths) > 1:
            raise InputError(f"the embeddings of a window are of one encoder and have one dimension, not {lengths}")
        intents = np.stack([e for e, _ in kept])
        tools, worked = tuple(t.tools for _, t in kept), np.array([t.succeeded for _, t in kept], np.bool_)
        return cls(intents, None if scored is None else scored(intents), tools, worked, encoder, n - len(kept))

    def take(self, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> "Window":
        """The given executions, in the given order."""
        scores = None if self.scores is None else self.scores[rows]
        return Window(self.intents[rows], scores, tuple(self.tools[i] for i in rows.tolist()), self.worked[rows], self.encoder)
