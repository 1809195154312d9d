"""How often a tool works: smoothed, overall and for intents like this one; a factor that puts down what fails.

    g_t    = max( (5 g + n+_t) / (5 + n+_t + n-_t), g / 4 )            overall, g: of all tools together
    f_t(x) = (g_t + n+_t(x)) / (1 + n+_t(x) + n-_t(x))               for intents like x
    n_t(x) = sum over the traces of t of  age * exp(5 (s - 1)),  s = (cos - m) / (1 - m),  m: mean cosine of x and the tools

A score, which is the logarithm of a probability, gets  min(0, max(log 0.02, log f_t(x) / g)).  A tool that never failed gets nothing. A
trace counts half after thirty days, so that a tool that was mended is tried again. Where an intent has no embedding, s is its share of
the words of the trace's intent.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .._kernels import channels
from .._types import Float32, Float64, Int64
from .memory import Memory
from .readout import product, unit_rows
from .words import asked

FLOOR = 0.02  # of the factor: what failed for as long as anybody remembers is still 1 / 50 as likely as it was
LEAST = 0.25  # of the overall rate, relative to that of all tools: what failed for one kind of intent may work for another
OVERALL, NEAR = 5.0, 1.0  # executions that the rate of all tools, and a tool's own, count as
SHARPNESS = 5.0
HALF_LIFE = 30.0 * 86400.0  # seconds
MOST = 2000  # traces of tools that failed, the latest, whose intents are compared


class ToolSuccess(NamedTuple):
    """One tool: executions (halved every thirty days), and the smoothed share of them that worked."""

    executions: float
    rate: float


@dataclass(frozen=True, eq=False)
class SuccessRates:
    """Of the tools in a memory.

    Attributes
    ----------
    n_tools : of the catalogue
    worked, failed : (n_tools,) executions, by age
    near : traces of the tools that failed, in parts: a memory, its rows (n,), and what each counts (n,)
    """

    n_tools: int
    worked: Float64
    failed: Float64
    near: tuple[tuple[Memory, Int64, Float64], ...]

    @classmethod
    def of(cls, memory: Memory, n_tools: int) -> "SuccessRates":
        """Ages are counted from the latest trace."""
        age = _ages(memory.timestamps)
        n: Float64 = np.zeros(n_tools)
        rows, columns, good = memory.tools.row_of_entry, memory.tools.indices, memory.outcomes
        worked = n + np.bincount(columns, (age * good)[rows], n_tools)
        failed = n + np.bincount(columns, (age * (1.0 - good))[rows], n_tools)
        marked = np.zeros(n_tools, bool)
        marked[memory.tools.take(memory.failed).indices] = True
        kept = np.flatnonzero(memory.tools.touching(marked))[-MOST:]
        return cls(n_tools, worked, failed, ((memory, kept, age[kept]),) if len(kept) else ())

    def and_those_of(self, other: "SuccessRates") -> "SuccessRates":
        """Both together, of two memories that share no trace."""
        return SuccessRates(self.n_tools, self.worked + other.worked, self.failed + other.failed, (*self.near, *other.near))

    @cached_property
    def any_failed(self) -> bool:
        return bool((self.failed > 0.0).any())

    @cached_property
    def of_all(self) -> float:
        """The share of all executions that worked, with one that did."""
        worked = float(self.worked.sum())
        return (worked + 1.0) / (worked + float(self.failed.sum()) + 1.0)

    @cached_property
    def overall(self) -> Float64:
        """(n_tools,) g_t."""
        smoothed = (OVERALL * self.of_all + self.worked) / (OVERALL + self.worked + self.failed)
        return np.asarray(np.maximum(smoothed, LEAST * self.of_all))

    @cached_property
    def suspects(self) -> Int64:
        """Columns of the tools that failed."""
        return np.flatnonzero(self.failed > 0.0)

    def rates(self, x: Float32, centre: Float32, texts: Sequence[str] | None = None) -> Float64:
        """f_t(x) (B, n_suspects) for intents x (B, d); centre (d,): mean of the tools' unit embeddings; texts: read where an intent is zero."""
        n, overall = len(self.suspects), self._overall
        worked, total = np.zeros((len(x), n)), np.zeros((len(x), n))
        for part, (rows, places, counts, good) in zip(self._parts, self._entries, strict=True):
            channels.tally(part.alike(x, centre, texts), rows, places, counts, good, worked, total)
        return np.asarray((NEAR * overall + worked) / (NEAR + total), np.float64)

    def penalty(self, x: Float32, centre: Float32, texts: Sequence[str] | None = None) -> Float32:
        """(B, n_tools) float32 in [log 0.02, 0], to be added to scores."""
        penalty = np.zeros((len(x), self.n_tools), np.float32)
        relative = np.log(self.rates(x, centre, texts) / self.of_all)
        penalty[:, self.suspects] = np.minimum(np.maximum(relative, math.log(FLOOR)), 0.0)
        return penalty

    def of_tool(self, column: int) -> ToolSuccess:
        """Overall."""
        return ToolSuccess(float(self.worked[column] + self.failed[column]), float(self.overall[column]))

    @cached_property
    def _overall(self) -> Float64:
        return self.overall[self.suspects]

    @cached_property
    def _parts(self) -> "list[_Near]":
        return [_Near(memory, rows) for memory, rows, _ in self.near]

    @cached_property
    def _entries(self) -> list[tuple[Int64, Int64, Float64, Float64]]:
        """Of each pair of a near trace and a suspect that it ran: the trace, the suspect's place, what it counts, how well it went."""
        place = np.full(self.n_tools, -1)
        place[self.suspects] = np.arange(len(self.suspects))
        found = []
        for memory, near, age in self.near:
            tools = memory.tools.take(near)
            rows, places = tools.row_of_entry.astype(np.int64), place[tools.indices]
            kept = places >= 0
            rows, places = rows[kept], places[kept]
            found.append((rows, places, age[rows], memory.outcomes[near[rows]].astype(np.float64)))
        return found


@dataclass(frozen=True, eq=False)
class _Near:
    """Traces, and how much an intent is like each."""

    memory: Memory
    rows: Int64

    def alike(self, x: Float32, centre: Float32, texts: Sequence[str] | None) -> Float32:
        """(B, n) exp(5 (s - 1)) = exp(5 (cos - 1) / (1 - m))."""
        lengths = np.sqrt(np.einsum("bd,bd->b", x, x))
        usual = np.minimum(np.maximum((x @ centre) / np.maximum(lengths, 1e-12), 0.0), 0.9)[:, None]
        s = product(unit_rows(x), self._vectors) if self.memory.celled else np.take(self.memory.cosines(x), self.rows, axis=1)
        s -= 1.0
        s *= SHARPNESS / (1.0 - usual)
        if texts is not None:
            for i in np.flatnonzero(lengths <= 1e-12).tolist():
                mine = set(asked(texts[i]))
                s[i] = [SHARPNESS * (len(mine & theirs) / max(len(mine), 1) - 1.0) for theirs in self._words]
        return np.asarray(np.exp(s, out=s), np.float32)

    @cached_property
    def _vectors(self) -> Float32:
        return self.memory.vectors[self.rows]

    @cached_property
    def _words(self) -> list[set[str]]:
        return [set(asked(self.memory.texts[i])) for i in self.rows.tolist()]


def _ages(timestamp: Float64) -> Float64:
    """(N,) what a trace counts: 1 for the latest and for those without a time, half of that every thirty days."""
    known = ~np.isnan(timestamp)
    ages = np.ones(len(timestamp))
    if known.any():
        ages[known] = 0.5 ** ((timestamp[known].max() - timestamp[known]) / HALF_LIFE)
    return ages
