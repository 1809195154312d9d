"""What an update has to keep: a reservoir of earlier good traces, traces held out of it, and tools that no trace mentions.

Earlier traces come from the model's own memory, so that nothing is kept twice: at most 200 that worked, no tool wanted by more than a tenth
of them, each ranked without its own vote. Tools without traces are asked for by their own descriptions: what was found by them before has
to be found after.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from .._types import Float32, Float64, Int64
from ..graph import Incidence
from ..metrics.gate import CONFIDENCE, EARLIER, ONE_STANDARD_ERROR, Comparison, Measure, Verdict, compare, kept
from ..metrics.ranking import criterion, per_query
from ..model import ModelState, scoring
from ..model.index import Index, build
from ..model.memory import Memory
from ..traces import Traces
from .fusion import likelihood

MOST = 200  # earlier traces, and descriptions
MEASURES: tuple[Measure, Measure] = ("criterion", "likelihood")
LEAST_FOUND = 0.995  # of the descriptions that cosine finds
FEWEST = 8  # of a part, below which it decides nothing
DESCRIPTIONS = "descriptions"
TOOL_SHARE = 10  # a tool is wanted by one earlier trace in so many at most


@dataclass(frozen=True, eq=False)
class Judged:
    """What a model does on the intents of one part: (N,) the criterion, and the log-likelihood of the wanted tools."""

    criterion: Float64
    likelihood: Float64


@dataclass(frozen=True, eq=False)
class Part:
    """Intents and what they want.

    Attributes
    ----------
    name : as comparisons call it
    x : (N, d) float32
    texts : N
    wanted : (N rows) -> tool columns
    ids : of the traces, whose own votes do not count; "" for none
    of : how many there are, of which these are some
    """

    name: str
    x: Float32
    texts: Sequence[str]
    wanted: Incidence
    ids: Sequence[str]
    of: int = 0

    def judge(self, index: Index) -> Judged:
        """The fused ranking of a model, over the whole catalogue."""
        row = {key: i for i, key in enumerate(index.channels.channels.memory.ids)}
        without = [row.get(key, -1) for key in self.ids]
        z = scoring.score(index, self.x, "tools", self.texts, (), None, without)
        if self.name == DESCRIPTIONS:
            return Judged(per_query(z, self.wanted, (5,))["recall@5"], np.full(len(z), np.nan))
        return Judged(criterion(per_query(z, self.wanted, (5,))), likelihood(z, self.wanted))


def earlier(memory: Memory, rng: np.random.Generator, but: Collection[str] = ()) -> Part:
    """The reservoir, without the traces of the ids `but`."""
    good = np.flatnonzero(memory.worked & np.abs(memory.vectors).any(axis=1) & np.array([i not in but for i in memory.ids], bool))
    room: dict[int, int] = {}
    chosen: list[int] = []
    for i in rng.permutation(good).tolist():
        tools = memory.tools.row(i).tolist()
        if len(chosen) < MOST and all(room.get(t, 0) < max(1, MOST // TOOL_SHARE) for t in tools):
            chosen.append(i)
            for t in tools:
                room[t] = room.get(t, 0) + 1
    rows: Int64 = np.array(sorted(chosen), np.int64)
    part = memory.take(rows)
    return Part(EARLIER, part.vectors, part.texts, part.tools, part.ids)


def held_out(traces: Traces) -> Part:
    """Traces that were not trained on."""
    rows = np.flatnonzero(traces.relevant.degrees > 0)
    chosen = traces.take(rows)
    return Part("held out", chosen.vectors(np.arange(len(rows))), list(chosen.texts), chosen.tools, chosen.ids.tolist())


def descriptions(state: ModelState, busy: Incidence | None, rng: np.random.Generator) -> Part:
    """Each tool that no trace mentions (those of `busy`, and of the memory, do), or 200 of them, asked for by its own embedding and text.

    `busy` None: of all tools, with traces and without.
    """
    catalog = state.catalog
    idle = np.ones(len(catalog.tools), bool)
    if busy is not None:
        idle[busy.indices] = False
    if busy is not None and state.learned is not None:
        channels, _ = state.learned.over(catalog)
        idle[channels.memory.tools.indices] = False
    rows = np.flatnonzero(idle)
    of = len(rows)
    if len(rows) > MOST:
        rows = np.sort(rng.choice(rows, MOST, replace=False))
    assert catalog.tool_embeddings is not None
    wanted = Incidence.from_rows([t] for t in rows.tolist())
    texts = [catalog.tools[t].text or catalog.tools[t].id for t in rows.tolist()]
    return Part(DESCRIPTIONS, catalog.tool_embeddings[rows], texts, wanted, [""] * len(rows), of)


@dataclass(frozen=True, eq=False)
class Reference:
    """The parts, and how the model before did on them."""

    parts: tuple[Part, ...]
    before: tuple[Judged, ...]
    cosine: float

    @classmethod
    def of(cls, state: ModelState, parts: Sequence[Part]) -> "Reference":
        """Parts with too few intents are left out."""
        enough = tuple(p for p in parts if p.wanted.n_rows >= FEWEST)
        cosine = next((found_by_cosine(state, p) for p in enough if p.name == DESCRIPTIONS), 0.0)
        index = build(state, 1)
        return cls(enough, tuple(p.judge(index) for p in enough), cosine)

    def verdict(self, after: ModelState, rng: np.random.Generator, *, one_of_many: bool = True) -> tuple[Verdict, list[Comparison]]:
        """May `after` take the place of the model before? Every part has to be kept; see `metrics.gate.kept`.

        A model that was trained anew is compared by the criterion alone, and at the confidence of a promotion: the model before has seen
        the earlier traces, and is surer of them than any other can be.
        """
        comparisons: list[Comparison] = []
        index = build(after, 1)
        for part, before in zip(self.parts, self.before, strict=True):
            now = part.judge(index)
            for measure in MEASURES if one_of_many else MEASURES[:1]:
                values = getattr(now, measure), getattr(before, measure)
                test = compare(
                    "before", part.name, *values, rng, ONE_STANDARD_ERROR if one_of_many else CONFIDENCE, measure=measure
                )
                comparisons += [] if test is None else [test]
            lost = part.name == DESCRIPTIONS and now.criterion.mean() < min(before.criterion.mean(), LEAST_FOUND * self.cosine)
            if lost:
                return Verdict(False, _lost(float(now.criterion.mean()), self.cosine, part.wanted.n_rows)), comparisons
        return kept(comparisons, one_of_many), comparisons


def found_by_cosine(state: ModelState, part: Part) -> float:
    """Recall@5 of the intents of a part by frozen cosine."""
    rows = state.catalog.tool_embeddings
    assert rows is not None
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    z = np.asarray(part.x @ unit.T, np.float32)
    return float(per_query(z, part.wanted, (5,))["recall@5"].mean())


def loses_descriptions(state: ModelState, part: Part) -> str:
    """Why a model may not serve: it no longer finds tools without traces by their own descriptions, as cosine does; "" where it does."""
    if part.wanted.n_rows < FEWEST:
        return ""
    found, cosine = float(part.judge(build(state, 1)).criterion.mean()), found_by_cosine(state, part)
    return _lost(found, cosine, part.wanted.n_rows) if found < LEAST_FOUND * cosine else ""


def _lost(found: float, cosine: float, n: int) -> str:
    return f"{n} tools without traces are found by their own descriptions for {found:.3f} (by cosine {cosine:.3f})"
