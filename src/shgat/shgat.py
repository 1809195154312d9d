"""SHGAT: a live model, the door to ranking and to training."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from . import _check, features
from ._types import Float32
from .config import SHGATConfig
from .errors import ShgatError
from .graph import Capability, Catalog, Cooccurrence, Tool
from .graph.inheritance import with_mean_embeddings
from .graph.tables import records_of
from .model import ModelState, Params, RankedSet, Ranking, WhyNot, carry_over, index, json_model, model_file, scoring
from .model.candidates import KINDS, Kind
from .model.channels import Learned
from .model.why_not import why_not

if TYPE_CHECKING:
    from .traces import Traces
    from .training import TrainReport


_Node = TypeVar("_Node", Tool, Capability)


class SHGAT:
    """SuperHyperGraph Attention over one catalogue.

    Ranking is safe from many threads, also while another thread changes the model: each request is answered from one immutable
    index, whose version is in the answer. Before training, `rank` orders as cosine similarity does.

    Attributes
    ----------
    version : int, increased by every change
    """

    def __init__(self, state: ModelState) -> None:
        _ = state.catalog.dimension  # raises where there are no embeddings
        self._state, self.version = state, 1
        self._lock = threading.RLock()
        self._added: dict[str, Tool] = {}  # that the state does not have yet: many then cost as much as one
        self._steps: list[int] = []  # how many came at once
        self._index: index.Index | None = None
        self._maps_changed = True  # since the last index: W_q, W_intent or W_context

    # ---------------------------------------------------------------- making one
    @classmethod
    def from_catalog(cls, catalog: Catalog, config: SHGATConfig | None = None, seed: int = 0) -> "SHGAT":
        """An untrained model, which ranks as cosine does; `seed` draws the small noise of its attention."""
        return cls(ModelState.untrained(catalog, config or SHGATConfig(), seed))

    @classmethod
    def from_capabilities(
        cls,
        capabilities: Iterable[Capability | Mapping[str, Any]],
        tools: Iterable[Tool | Mapping[str, Any]] | None = None,
        config: SHGATConfig | None = None,
        seed: int = 0,
    ) -> "SHGAT":
        """An untrained model from records with `id`, `embedding`, `tools`, `capabilities`, `success_rate`, `uses`.

        Tools that are only named by capabilities, or given without an embedding, take the normalised mean of the embeddings of the
        capabilities that contain them.
        """
        edges = [Capability.from_record(c) for c in capabilities]
        return cls.from_catalog(Catalog.from_records(with_mean_embeddings(tools, edges), edges), config, seed)

    def __copy__(self) -> "SHGAT":
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict[int, Any]) -> "SHGAT":
        """A model of its own; the catalogue, which nobody changes, is shared."""
        return SHGAT(replace(self.state, params=self.state.params.copy()))

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise ShgatError("a model is not pickled; send model.to_bytes(), and read it with SHGAT.from_bytes(...)")

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
        return self.params.layout.d

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

    def invalidate(self) -> None:
        """Parameters were changed from outside: the next request rebuilds what is cached."""
        with self._lock:
            self._take_added()
            self._maps_changed = True
            self.version += 1

    # ---------------------------------------------------------------- asking it
    def score(
        self, intents: object, kind: Kind = "tools", *, texts: Sequence[str] | None = None, context_tools: Sequence[str] = ()
    ) -> Float32:
        """Scores of the whole catalogue, by which `rank` sorts.

        Parameters
        ----------
        intents : (B, d) or (d,) finite numbers
        kind : "tools" or "capabilities"
        texts : B intent texts for the channels that read words; without them those channels say nothing
        context_tools : ids of tools that the session has used before

        Returns
        -------
        (B, n) float32, columns in the order of `tool_ids` or `capability_ids`
        """
        _check.choice(kind, KINDS, "kind")
        current = self.index()
        return scoring.score(current, _check.matrix(intents, current.dimension, "intents"), kind, texts, context_tools)

    def probabilities(self, intents: object, *, texts: Sequence[str] | None = None, context_tools: Sequence[str] = ()) -> Float32:
        """Calibrated probability that each tool is right, (B, n_tools) float32; parameters as those of `score`.

        Raises
        ------
        InputError
            before training, when there is no calibration (`learned` is None).
        """
        current = self.index()
        return scoring.probabilities(current, _check.matrix(intents, current.dimension, "intents"), texts, context_tools)

    def rank(
        self,
        intent: object,
        top_k: int = 10,
        kind: Kind = "tools",
        *,
        text: str | None = None,
        context_tools: Sequence[str] = (),
        candidates: Iterable[str] | None = None,
        min_score: float | None = None,
        explain: bool = False,
    ) -> Ranking:
        """The best items for one intent (d,), best first; equal scores in catalogue order.

        Parameters
        ----------
        text : the intent's text, for the channels that read words
        context_tools : ids of tools that the session has used before
        candidates : ids to choose among; None for all
        min_score : leave out tools whose calibrated probability of being right is lower; the ranking may then be empty
        explain : also say why

        Raises
        ------
        InputError
            for a wrong dimension, NaN, or an unknown id.
        """
        _check.choice(kind, KINDS, "kind")
        _check.positive_integer(top_k, "top_k")
        current = self.index()
        x = _check.vector(intent, current.dimension, "intent")
        ranking = scoring.rank(current, x, top_k, kind, text, context_tools, candidates, min_score)
        return scoring.explain(current, ranking, x, text, context_tools) if explain else ranking

    def rank_sets(self, intent: object, top_k: int = 5, *, context_tools: Sequence[str] = ()) -> list[RankedSet]:
        """The best capabilities for one intent, each with all the tools it needs."""
        _check.positive_integer(top_k, "top_k")
        current = self.index()
        return scoring.rank_sets(current, _check.vector(intent, current.dimension, "intent"), top_k, context_tools)

    def why_not(self, intent: object, tool: str, *, text: str | None = None, context_tools: Sequence[str] = ()) -> WhyNot:
        """Why a tool is not the first for an intent (d,); `text` and `context_tools` as in `rank`. InputError for an unknown tool."""
        current = self.index()
        return why_not(current, _check.vector(intent, current.dimension, "intent"), tool, text, context_tools)

    # ---------------------------------------------------------------- teaching it
    def fit(self, traces: "Traces", **options: Any) -> "TrainReport":
        """Learns from traces; options as in `shgat.training.fit`. The model changes only if held-out traces say it got better."""
        from .training import fit

        fitted = fit(self.state, traces, **options)
        self._adopt(fitted.state)
        return fitted.report

    def partial_fit(self, traces: "Traces", **options: Any) -> "TrainReport":
        """Goes on learning from a few new traces; see `shgat.training.partial_fit` for the options."""
        from .training import partial_fit

        fitted = partial_fit(self.state, traces, **options)
        self._adopt(fitted.state)
        return fitted.report

    def _adopt(self, trained: ModelState | None) -> None:
        """Takes what was learned, all at once; tools and capabilities that were added or removed since stay so. None: nothing changes."""
        if trained is None:
            return
        with self._lock:
            state = self.state
            self._state = replace(carry_over.over(trained, state.catalog), cooccurrence=state.cooccurrence)
            self.invalidate()

    # ---------------------------------------------------------------- changing it
    def add_tool(self, tool: Tool | Mapping[str, Any]) -> None:
        """Adds a tool in no capability yet; its keys are computed with the next request and nothing else changes."""
        self.add_tools([tool])

    def add_tools(self, tools: Iterable[Tool | Mapping[str, Any]]) -> None:
        """Adds tools in no capability yet, all of them or, where one is wrong, none; CatalogError names what is wrong with each."""
        new = self._embedded([Tool.from_record(t) for t in records_of(tools, "tools")])
        with self._lock:
            carry_over.check_new(self._state, new, self._added)
            if not self._added:
                self.index()  # what they are added to
            self._added.update((t.id, t) for t in new)
            self._steps.append(len(new))
            self.version += bool(new)  # last: a reader that sees it finds the tools

    def add_capability(self, capability: Capability | Mapping[str, Any]) -> None:
        """Adds a capability over known tools and capabilities."""
        (capability,) = self._embedded([Capability.from_record(capability)])
        with self._lock:
            carry_over.check_free(self._state, [capability.id], self._added)
            tools, capabilities = self.catalog.records()
            grown = Catalog.from_records(tools, [*capabilities, capability], encoder=self.catalog.encoder)
            self._change(carry_over.over(self.state, grown))

    def remove(self, items: str | Iterable[str]) -> None:
        """Removes a tool or a capability, or several of them at once, from every capability that contains them too."""
        gone = [items] if isinstance(items, str) else _check.texts(items, "the ids to remove")
        with self._lock:
            if gone:
                self._change(carry_over.over(self.state, self.catalog.without(*gone)))

    def set_cooccurrence(self, pairs: Iterable[tuple[str, str, float]]) -> None:
        """Co-occurrence weights (from tool, to tool, weight) for V->V; an empty list takes V->V out."""
        with self._lock:
            self._change(replace(self.state, cooccurrence=Cooccurrence.from_pairs(pairs, self.catalog.tool_column)))

    def _embedded(self, nodes: list[_Node]) -> list[_Node]:
        """With embeddings of their texts for those that have none, where a built-in encoder made those of the catalogue."""
        encoder = features.encoder_of(self._state.catalog)
        if encoder is None:
            return nodes
        return [n if n.embedding is not None else features.with_embeddings([n], encoder)[0] for n in nodes]

    def _change(self, state: ModelState) -> None:
        self._state = state
        self.version += 1

    # ---------------------------------------------------------------- keeping it
    def save(self, path: str | Path) -> None:
        """Writes one safetensors file with a manifest and checksums; the file at `path` is replaced at once or not at all."""
        model_file.save(self.state, Path(path))

    def to_bytes(self) -> bytes:
        """What `save` writes."""
        return model_file.to_bytes(self.state)

    @classmethod
    def load(cls, path: str | Path) -> "SHGAT":
        """Reads what `save` wrote; a torn or altered file raises ModelFileError."""
        return cls(model_file.load(Path(path)))

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "the model", catalog: Catalog | None = None) -> "SHGAT":
        """The inverse of `to_bytes`; `name` is what errors call it.

        Parameters
        ----------
        catalog : the model is moved to it: what was learned follows the ids that are there. None: the catalogue it was saved with
        """
        state = model_file.from_bytes(data, name, catalog)
        return cls(state if catalog is None else carry_over.over(state, catalog))

    def export_params(self) -> dict[str, Any]:
        """All that the model has learned as JSON values: headParams, W_intent, levelParams, v2vParams, config, learned, ..."""
        return json_model.export(self.state)

    def import_params(self, values: Mapping[str, Any]) -> None:
        """Takes what `export_params` gave; shapes, names and numbers are checked first, and nothing changes if they are wrong.

        Over the same catalogue the model then gives the same scores, bit for bit; over another one what was learned follows the ids.
        """
        with self._lock:
            self._state = json_model.imported(values, self.state)
            self.invalidate()
