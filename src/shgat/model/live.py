"""A live model as those see it who ask: what it holds, and its answers."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from .. import _check, _fork
from .._types import Float32
from ..config import SHGATConfig
from ..errors import InputError
from ..graph import Catalog, Tool
from . import carry_over, explanation, index, scoring, suggestion
from . import intents as asked
from .candidates import KINDS, Kind
from .channels import Learned
from .evidence import Evidence
from .params import Params
from .ranking import RankedSet, Ranking
from .state import ModelState
from .why_not import WhyNot, why_not


class Made(NamedTuple):
    """The id of what made a vector of a text, "" where it came as one, and why it is less than it should be."""

    encoder: str = ""
    degraded: tuple[str, ...] = ()


NOT_MADE = Made()


class LiveModel:
    """Answers by one state at a time, which may be replaced meanwhile.

    Each request is answered from one immutable index, so that it needs no lock and never sees half of a change.

    Attributes
    ----------
    version : int, increased by every change
    """

    version: int

    def __init__(self, state: ModelState) -> None:
        _ = state.catalog.dimension  # raises where there are no embeddings
        self._state, self.version = state, 1
        self._lock = threading.RLock()
        self._added: dict[str, Tool] = {}  # that the state does not have yet: many then cost as much as one
        self._steps: list[int] = []  # how many came at once
        self._index: index.Index | None = None
        self._maps_changed = True  # since the last index: W_q, W_intent or W_context
        _fork.renew(self)

    def after_fork(self) -> None:
        """In a forked child: a thread of the parent may have held the lock."""
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        with self._lock:
            state, version = self.state, self.version
        catalog, report = state.catalog, state.report
        learned = "untrained" if report is None else f"trained on {report.get('n_traces', 'some')} traces"
        held = f"{len(catalog.tools)} tools, {len(catalog.capabilities)} capabilities, d={state.catalog.dimension}"
        return f"SHGAT({held}, {learned}, version {version})"

    # ---------------------------------------------------------------- what it holds
    @property
    def state(self) -> ModelState:
        """Everything that the model is, as it is now; immutable, and replaced as a whole by every change."""
        if self._added:
            with self._lock:
                self._take_added()
        return self._state

    def _take_added(self) -> None:
        """Brings the tools that were added into the state and the index."""
        if self._added:
            assert self._index is not None
            state = carry_over.with_tools(self._state, list(self._added.values()))
            self._index, self._state = index.with_isolated_tools(self._index, state, self.version, self._steps), state
            self._added, self._steps = {}, []  # last: who finds it empty finds the state that has them

    @property
    def catalog(self) -> Catalog:
        """The tools and capabilities, as they are now."""
        return self.state.catalog

    @property
    def config(self) -> SHGATConfig:
        """What kind of model it is."""
        return self.state.config

    @property
    def params(self) -> Params:
        """The parameters; after a write to `params.buffer`, call `invalidate()`."""
        return self.state.params

    @property
    def learned(self) -> Learned | None:
        """What training added to the parameters, None before."""
        return self.state.learned

    @property
    def report(self) -> dict[str, Any] | None:
        """The report of the training that made the model, as JSON values, None before."""
        return self.state.report

    @property
    def tool_ids(self) -> list[str]:
        """Columns of `score(kind="tools")`."""
        return [t.id for t in self.catalog.tools]

    @property
    def capability_ids(self) -> list[str]:
        """Columns of `score(kind="capabilities")`."""
        return [c.id for c in self.catalog.capabilities]

    @property
    def dimension(self) -> int:
        """d of intents and embeddings."""
        return self.catalog.dimension

    def index(self) -> index.Index:
        """What answers requests at the current version; built on first use after a change."""
        current = self._index
        if current is not None and current.version == self.version:
            return current
        with self._lock:
            state, current = self.state, self._index  # the state first: it brings what was added into the index
            if current is None or current.version != self.version:
                current = self._index = index.build(state, self.version, None if self._maps_changed else current)
                self._maps_changed = False
            return current

    def _encoded(self, intents: list[str], dimension: int) -> tuple[Float32, Made]:
        """(B, d) of texts, where somebody above knows an encoder; InputError where nobody does."""
        return asked.one(intents[0], dimension)[None], NOT_MADE

    def _one(self, intent: object, dimension: int) -> tuple[Float32, Made]:
        """A checked intent (d,)."""
        if not isinstance(intent, str):
            return asked.one(intent, dimension), NOT_MADE
        x, made = self._encoded([str(intent)], dimension)
        return asked.one(x, dimension), made

    @staticmethod
    def _text(intent: object, text: str | None) -> str | None:
        """The checked text of an intent: what is given as that, or the intent that is one."""
        return asked.text(intent if text is None and isinstance(intent, str) else text)

    def _many(self, intents: object, dimension: int) -> tuple[Float32, Made, list[str] | None]:
        """Checked intents (B, d), and where they are texts, those."""
        if not isinstance(intents, (list, tuple)) or not intents or not all(isinstance(item, str) for item in intents):
            return asked.many(intents, dimension), NOT_MADE, None
        texts = [str(item) for item in intents]
        return (*self._encoded(texts, dimension), texts)

    def invalidate(self) -> None:
        """Parameters were changed from outside: the next request rebuilds what is cached."""
        with self._lock:
            self._take_added()
            self._maps_changed = True
            self.version += 1

    # ---------------------------------------------------------------- asking it
    def score(
        self,
        intents: object,
        kind: Kind = "tools",
        *,
        texts: Sequence[str] | None = None,
        context_tools: Iterable[str] | None = (),
    ) -> Float32:
        """Scores of the whole catalogue, by which `rank` sorts.

        Parameters
        ----------
        intents : (B, d) or (d,) finite numbers; sparse matrices and tables of numbers too; or B texts, as `rank` takes one
        kind : "tools" or "capabilities"
        texts : B intent texts for the channels that read words; without them those channels say nothing
        context_tools : ids of tools that the session has used before

        Returns
        -------
        (B, n) float32, columns in the order of `tool_ids` or `capability_ids`
        """
        _check.choice(kind, KINDS, "kind")
        current = self.index()
        x, made, said = self._many(intents, current.dimension)
        texts = asked.texts(said if texts is None else texts, len(x))
        return scoring.score(current, x, kind, texts, asked.used(context_tools), spoken=bool(made.encoder))

    def probabilities(
        self, intents: object, *, texts: Sequence[str] | None = None, context_tools: Iterable[str] | None = ()
    ) -> Float32:
        """Calibrated probability that each tool is right, (B, n_tools) float32; parameters as those of `score`.

        Raises
        ------
        InputError
            before training, when there is no calibration (`learned` is None).
        """
        current = self.index()
        x, _, said = self._many(intents, current.dimension)
        return scoring.probabilities(current, x, asked.texts(said if texts is None else texts, len(x)), asked.used(context_tools))

    def rank(
        self,
        intent: object,
        top_k: int = 10,
        kind: Kind = "tools",
        *,
        text: str | None = None,
        context_tools: Iterable[str] | None = (),
        candidates: Iterable[str] | None = None,
        min_score: float | None = None,
        explain: bool = False,
    ) -> Ranking:
        """The best items for one intent, best first; equal scores in catalogue order.

        Parameters
        ----------
        intent : (d,) or (1, d) finite numbers, not all zero; or the text itself, where an encoder like the catalogue's is at hand (`encoder`):
            its words count beside its meaning until a training has weighed both
        text : the intent's text, for the channels that read words
        context_tools : ids of tools that the session has used before
        candidates : ids to choose among; None for all
        min_score : leave out tools whose calibrated probability of being right is lower; the ranking may then be empty
        explain : also say why

        Raises
        ------
        InputError
            for text instead of an embedding, a wrong dimension, NaN, zero, or an unknown id.
        """
        _check.choice(kind, KINDS, "kind")
        _check.positive_integer(top_k, "top_k")
        current = self.index()
        text = self._text(intent, text)
        (x, made), context = self._one(intent, current.dimension), asked.used(context_tools)
        spoken = bool(made.encoder)
        ranking = scoring.rank(current, x, top_k, kind, text, context, candidates, min_score, spoken=spoken)
        ranking = replace(ranking, **made._asdict()) if spoken else ranking
        return explanation.explain(current, ranking, x, text, context, None, spoken) if _check.flag(explain, "explain") else ranking

    def rank_many(
        self,
        intents: object,
        top_k: int = 10,
        kind: Kind = "tools",
        *,
        texts: Sequence[str] | None = None,
        context_tools: Iterable[str] | None = (),
        candidates: Iterable[str] | None = None,
        min_score: float | None = None,
    ) -> list[Ranking]:
        """The best items for each of several intents, (B, d) or B texts, by one product with the whole catalogue.

        Parameters
        ----------
        texts : B intent texts, or None; of intents that are texts, those
        context_tools, candidates, min_score : of all of them, as those of `rank`
        """
        _check.choice(kind, KINDS, "kind")
        _check.positive_integer(top_k, "top_k")
        current = self.index()
        x, made, said = self._many(intents, current.dimension)
        if not (lengths := x.any(axis=1)).all():
            raise InputError(f"intents: row {int(lengths.argmin())} is zero: it has no direction to rank by")
        texts = asked.texts(said if texts is None else texts, len(x))
        found = scoring.rank_many(
            current, x, top_k, kind, texts, asked.used(context_tools), candidates, min_score, spoken=bool(made.encoder)
        )
        return [replace(ranking, **made._asdict()) for ranking in found] if made.encoder else found

    def rank_sets(
        self, intent: object, top_k: int = 5, *, text: str | None = None, context_tools: Iterable[str] | None = ()
    ) -> list[RankedSet]:
        """The best capabilities for one intent, each with all the tools it needs; parameters as those of `rank`."""
        _check.positive_integer(top_k, "top_k")
        current = self.index()
        text = self._text(intent, text)
        x = self._one(intent, current.dimension)[0]
        return scoring.rank_sets(current, x, top_k, text, asked.used(context_tools))

    def suggest(
        self,
        context_tools: Iterable[str] | None,
        intent: object = None,
        top_k: int = 5,
        *,
        text: str | None = None,
        candidates: Iterable[str] | None = None,
        explain: bool = False,
    ) -> Ranking:
        """What to use next in a session; never what was used last. Where values have a weight they speak (`SHGAT.learn_values`).

        Parameters
        ----------
        context_tools : ids of what was used, the latest last
        intent : as `rank` takes it; None: what was used stands for it, the latest three tools
        text, candidates, explain : as those of `rank`

        Raises
        ------
        InputError
            without an intent where nothing was used, and as `rank`.
        """
        _check.positive_integer(top_k, "top_k")
        used = asked.used(context_tools)
        wanted = suggestion.intent_of(self.catalog, used) if intent is None else intent
        ranking = self.rank(wanted, top_k + bool(used), text=text, context_tools=used, candidates=candidates, explain=explain)
        return suggestion.without(ranking, used[-1] if used else None, top_k)

    def why_not(
        self,
        intent: object,
        tool: str,
        *,
        text: str | None = None,
        context_tools: Iterable[str] | None = (),
        evidence: Evidence | None = None,
    ) -> WhyNot:
        """Why a tool is not the first for an intent (d,); `text` and `context_tools` as in `rank`. InputError for an unknown tool.

        `evidence`: what counts beside what the model has learned.
        """
        current = self.index()
        text = self._text(intent, text)
        x, made = self._one(intent, current.dimension)
        return why_not(current, x, tool, text, asked.used(context_tools), bool(made.encoder), evidence)
