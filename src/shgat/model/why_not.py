"""Why a tool does not stand first: what stands above it, what put it down, and what would have carried it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .._types import Float32
from ..errors import InputError
from . import explanation, scoring
from .evidence import Evidence
from .index import Index
from .ranking import Explanation, Ranking

_SHOWN = 3  # tools named that stand above


@dataclass(frozen=True, slots=True)
class Carrier:
    """A capability that holds a tool, itself or through its members: its probability given the intent, and its rank from 1."""

    id: str
    probability: float
    rank: int


@dataclass(frozen=True, slots=True)
class WhyNot:
    """The place of one tool for one intent.

    Attributes
    ----------
    tool, rank, n_tools : rank from 1 among all n_tools
    score, probability : as `rank` gives them; None for a model without calibration
    cosine, cosine_rank : of the intent and the tool's own embedding, and the rank by it alone
    seen : has it a training trace? None for a model that learned nothing
    traces : remembered traces that ran it and worked
    above : (id, score) of the first tools above it, best first
    gaps : channel -> weighted score of the first tool less this tool's, largest first; "bonus" is that of tools never seen, "success" what
        is taken off for executions that failed, "own" what the principal has run itself
    carrier : the most probable capability that holds it, None where none does
    carrier_of_first : that of the first tool
    """

    tool: str
    rank: int
    n_tools: int
    score: float
    probability: float | None
    cosine: float
    cosine_rank: int
    seen: bool | None
    traces: int
    above: tuple[tuple[str, float], ...]
    gaps: dict[str, float]
    carrier: Carrier | None
    carrier_of_first: Carrier | None

    @property
    def blamed(self) -> str | None:
        """The channel that put it down most against the first tool, None where none did."""
        name = next(iter(self.gaps), None)
        return name if name is not None and self.gaps[name] > 0.0 else None

    def sentences(self) -> list[str]:
        """For people."""
        if self.rank == 1:
            return [f"{self.tool} stands first of {self.n_tools} tools."]
        names = [key for key, _ in self.above]
        more = self.rank - 1 - len(names)
        said = [f"Rank {self.rank} of {self.n_tools}, below {_listed(names, more)}; by cosine alone rank {self.cosine_rank}."]
        if self.blamed is not None:
            behind = sum(self.gaps.values())
            own = self.gaps[self.blamed]
            said.append(f"Put down most by the {_NAMES[self.blamed]}: {own:.2f} behind the first there, {behind:.2f} in all.")
        if self.seen is not None:
            said.append(f"Seen in {_traces(self.traces)}." if self.seen else "Never seen in training.")
        if self.carrier is None:
            said.append("No capability holds it.")
        elif self.carrier_of_first is not None and self.carrier_of_first.id == self.carrier.id:
            said.append(f"{_carried(self.carrier)} carries it, and the first tool too.")
        else:
            first = self.carrier_of_first
            said.append(
                f"{_carried(self.carrier)} would have carried it" + (f"; {_carried(first)} carried the first." if first else ".")
            )
        return said

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        above = [{"id": key, "score": score} for key, score in self.above]
        return {**asdict(self), "above": above, "blamed": self.blamed, "sentences": self.sentences()}


def why_not(
    index: Index,
    x: Float32,
    tool_id: str,
    text: str | None,
    context_tools: Sequence[str],
    spoken: bool = False,
    evidence: Evidence | None = None,
) -> WhyNot:
    """Why a tool is not the first for a checked intent x (d,); InputError for an unknown tool."""
    if not isinstance(tool_id, str) or tool_id not in index.tools.column:
        raise InputError(f"unknown tool {tool_id!r}")
    column = index.tools.column[tool_id]
    z = scoring.score(index, x[None], "tools", None if text is None else [text], context_tools, evidence, spoken=spoken)[0]
    order = np.argsort(-z, kind="stable")
    rank = int(np.flatnonzero(order == column)[0]) + 1
    above = tuple((index.tools.ids[i], float(z[i])) for i in order[: min(_SHOWN, rank - 1)].tolist())
    pair = Ranking("tools", (tool_id, index.tools.ids[order[0]]), z[[column, order[0]]], index.version)
    mine, first = explanation.explain(index, pair, x, text, context_tools, evidence, spoken).explanations or ()
    cosine = _cosines(index, x)
    ranked = _capabilities(index, x, text, context_tools)
    probability, seen, traces = None, None, 0
    if index.learned is not None:
        if index.learned.fusion.fitted:
            probability = float(scoring.calibrated(index, x[None], z[None], evidence)[0, column])
        seen = not bool(index.learned.unseen[column])
        memory = index.learned.channels.memory
        traces = int(np.count_nonzero((memory.tools.indices == column) & memory.worked[memory.tools.row_of_entry]))
    return WhyNot(
        tool=tool_id,
        rank=rank,
        n_tools=len(z),
        score=float(z[column]),
        probability=probability,
        cosine=float(cosine[column]),
        cosine_rank=int(1 + np.count_nonzero(cosine > cosine[column]) + np.count_nonzero(cosine[:column] == cosine[column])),
        seen=seen,
        traces=traces,
        above=above,
        gaps={} if rank == 1 else _gaps(mine, first),
        carrier=_carrier(index, column, ranked),
        carrier_of_first=_carrier(index, int(order[0]), ranked),
    )


_NAMES = {
    "semantic": "trained similarity (semantic)",
    "route": "capabilities that hold it (route)",
    "cosine": "cosine",
    "lexical": "words of its description (lexical)",
    "usage": "words people used for it (usage)",
    "memory": "traces of similar intents (memory)",
    "word_memory": "traces that share words (word_memory)",
    "success": "executions that failed (success)",
    "own": "executions of its own principal (own)",
    "values": "the rest of the session (values)",
    "bonus": "bonus for tools never seen",
}


def _gaps(mine: Explanation, first: Explanation) -> dict[str, float]:
    """Weighted channel scores of the first tool less mine, largest first."""
    parts = [
        {**{name: why.weights[name] * s for name, s in why.channels.items()}, "bonus": why.weights.get("bonus", 0.0)}
        for why in (mine, first)
    ]
    gaps = {name: parts[1][name] - parts[0][name] for name in parts[0]}
    return {name: gap for name, gap in sorted(gaps.items(), key=lambda item: -item[1]) if gap != 0.0}


def _cosines(index: Index, x: Float32) -> Float32:
    own = index.catalog.tool_embeddings
    assert own is not None
    return np.asarray(own @ x / np.maximum(np.linalg.norm(own, axis=1) * np.linalg.norm(x), 1e-12), np.float32)


def _capabilities(index: Index, x: Float32, text: str | None, context_tools: Sequence[str]) -> list[Carrier]:
    """All capabilities in catalogue order with probability and rank."""
    z = scoring.score(index, x[None], "capabilities", None if text is None else [text], context_tools)[0].astype(np.float64)
    if not len(z):
        return []
    p = np.exp(z - z.max())
    p /= p.sum()
    place = np.empty(len(z), np.int64)
    place[np.argsort(-z, kind="stable")] = np.arange(1, len(z) + 1)
    return [
        Carrier(key, *pair) for key, pair in zip(index.capabilities.ids, zip(p.tolist(), place.tolist(), strict=True), strict=True)
    ]


def _carrier(index: Index, column: int, ranked: list[Carrier]) -> Carrier | None:
    """The best ranked capability that holds the tool, through members of members too."""
    hierarchy = index.catalog.hierarchy
    parents = hierarchy.capabilities_of.transpose(hierarchy.n_capabilities)
    waiting, holding = hierarchy.containing.row(column).tolist(), set[int]()
    while waiting:
        c = waiting.pop()
        if c not in holding:
            holding.add(c)
            waiting += parents.row(c).tolist()
    return min((ranked[c] for c in holding), key=lambda carrier: carrier.rank, default=None)


def _carried(carrier: Carrier) -> str:
    return f"{carrier.id} ({100.0 * carrier.probability:.1f} %, capability {carrier.rank})"


def _listed(names: Sequence[str], more: int) -> str:
    return ", ".join(names) + (f" and {more} more" if more else "")


def _traces(n: int) -> str:
    return f"{n} remembered trace{'' if n == 1 else 's'}"
