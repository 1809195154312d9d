"""The model: a live hypergraph with parameters, and the index that answers requests from it."""

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .config import SHGATConfig
from .errors import CatalogError, InputError
from .graph import Capability, Catalog, Cooccurrence, Tool
from .graph.inheritance import with_mean_embeddings
from .model import index, json_params, model_file, scoring
from .model.channels import Learned
from .model.params import Floats, Params, initial_params, resolve_layout
from .model.ranking import RankedSet, Ranking

if TYPE_CHECKING:
    from .traces import Traces
    from .training import TrainReport

_log = logging.getLogger("shgat")


class SHGAT:
    """SuperHyperGraph Attention over one catalogue.

    Ranking is safe from many threads, also while another thread changes the model: each request is answered from one immutable
    index, whose version is in the answer. Before training, `rank` orders as cosine similarity does.

    Attributes
    ----------
    config : SHGATConfig
    catalog : the tools and capabilities, as they are now
    params : Params; after a write to `params.buffer`, call `invalidate()`
    version : int, increased by every change
    learned : what training added to the parameters, None before
    report : the report of the training that made the model, as JSON values, None before
    """

    def __init__(self, catalog: Catalog, config: SHGATConfig, params: Params, cooccurrence: Cooccurrence | None = None) -> None:
        _ = catalog.dimension  # raises where there are no embeddings
        self.config, self.catalog, self.params, self.cooccurrence = config, catalog, params, cooccurrence
        self.learned: Learned | None = None
        self.report: dict[str, Any] | None = None
        self.version = 1
        self._lock = threading.RLock()
        self._index: index.Index | None = None
        self._maps_changed = True  # since the last index: W_q, W_intent or W_context

    # ---------------------------------------------------------------- making one
    @classmethod
    def from_catalog(cls, catalog: Catalog, config: SHGATConfig | None = None, seed: int = 0) -> "SHGAT":
        """An untrained model, which ranks as cosine does; `seed` draws the small noise of its attention."""
        config = config or SHGATConfig()
        layout = resolve_layout(catalog, config)
        if layout.n_heads * layout.d_head < layout.d:
            _log.info("%d x %d readout dimensions < d = %d: a random projection, so an untrained model only approximates cosine",
                      layout.n_heads, layout.d_head, layout.d)  # fmt: skip
        return cls(catalog, config, initial_params(layout, config, np.random.default_rng(seed)))

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

    # ---------------------------------------------------------------- what it holds
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
            if self._index is None or self._index.version != self.version:
                known = None if self._maps_changed else self._index
                self._index = index.build(
                    self.catalog, self.cooccurrence, self.params, self.config, self.version, self.learned, known
                )
                self._maps_changed = False
            return self._index

    def invalidate(self) -> None:
        """Parameters or graph were changed from outside: the next request rebuilds what is cached."""
        with self._lock:
            self._maps_changed = True
            self.version += 1

    # ---------------------------------------------------------------- asking it
    def score(
        self, intents: object, kind: str = "tools", *, texts: Sequence[str] | None = None, context_tools: Sequence[str] = ()
    ) -> Floats:
        """Scores of the whole catalogue, by which `rank` sorts.

        Parameters
        ----------
        intents : (B, d) or (d,) finite numbers
        kind : "tools" or "capabilities"
        texts : B intent texts for the channels that read words; without them those channels say nothing

        Returns
        -------
        (B, n) float32, columns in the order of `tool_ids` or `capability_ids`
        """
        return scoring.score(self.index(), intents, kind, texts, context_tools)

    def rank(
        self,
        intent: object,
        top_k: int = 10,
        kind: str = "tools",
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
        context_tools : ids of tools already used in this session
        candidates : ids to choose among; None for all
        min_score : leave out tools whose calibrated probability of being right is lower; the ranking may then be empty
        explain : also say why

        Raises
        ------
        InputError
            for a wrong dimension, NaN, or an unknown id.
        """
        current = self.index()
        ranking = scoring.rank(current, intent, top_k, kind, text, context_tools, candidates, min_score)
        return scoring.explain(current, ranking, intent, text, context_tools) if explain else ranking

    def rank_sets(self, intent: object, top_k: int = 5, *, context_tools: Sequence[str] = ()) -> list[RankedSet]:
        """The best capabilities for one intent, each with all the tools it needs."""
        return scoring.rank_sets(self.index(), intent, top_k, context_tools)

    # ---------------------------------------------------------------- teaching it
    def fit(self, traces: "Traces", **options: Any) -> "TrainReport":
        """Learns from traces; options as in `shgat.training.fit`. The model changes only if held-out traces say it got better."""
        from .training.fit import fit

        return fit(self, traces, **options)

    def partial_fit(self, traces: "Traces", **options: Any) -> "TrainReport":
        """Goes on learning from a few new traces; see `shgat.training.partial_fit` for the options."""
        from .training.update import partial_fit

        return partial_fit(self, traces, **options)

    def adopt(
        self, catalog: Catalog, config: SHGATConfig, params: Params, learned: Learned | None, report: Mapping[str, Any] | None
    ) -> None:
        """Takes the result of a training on `catalog`, all at once; tools and capabilities that were added since come along."""
        with self._lock:
            now = self.catalog
            if now is not catalog:
                params = json_params.carried_over(params, catalog, now, config)
            self.config, self.params, self.learned = config, params, learned
            self.report = None if report is None else dict(report)
            self.invalidate()

    # ---------------------------------------------------------------- changing it
    def add_tool(self, tool: Tool | Mapping[str, Any]) -> None:
        """Adds a tool in no capability yet; one key is computed and nothing else changes."""
        tool = Tool.from_record(tool)
        with self._lock:
            self._refuse_known(tool.id)
            if tool.embedding is None:
                raise InputError(f"tool {tool.id!r} has no embedding")
            Catalog.from_records([tool], [])  # finite, not zero
            if tool.embedding.shape != (self.dimension,):
                raise InputError(
                    f"the embedding of tool {tool.id!r} has shape {tool.embedding.shape}, expected ({self.dimension},)"
                )
            before, catalog = self.index(), self.catalog.with_isolated_tool(tool)
            if self.config.node_offsets:
                self.params = json_params.carried_over(self.params, self.catalog, catalog, self.config)
            if self.cooccurrence is not None:
                self.cooccurrence = self.cooccurrence.resized(len(catalog.tools))
            self.catalog = catalog
            self._index = index.with_isolated_tool(before, catalog, self.cooccurrence, self.params, self.version + 1, self.learned)
            self.version += 1  # last: a reader that sees it finds the index that belongs to it

    def add_capability(self, capability: Capability | Mapping[str, Any]) -> None:
        """Adds a capability over known tools and capabilities."""
        capability = Capability.from_record(capability)
        with self._lock:
            self._refuse_known(capability.id)
            self._replace(Catalog.from_records(self._tools(), [*self._capabilities(), capability]))

    def remove(self, item: str) -> None:
        """Removes a tool or a capability, from every capability that contains it too."""
        with self._lock:
            is_tool, is_capability = item in self.catalog.tool_column, item in self.catalog.capability_column
            if is_tool and is_capability:
                raise InputError(f"{item!r} is the id of a tool and of a capability; give them ids of their own")
            if not is_tool and not is_capability:
                raise InputError(f"unknown tool or capability {item!r}")
            if len(self.catalog.tools) + len(self.catalog.capabilities) == 1:
                raise InputError(f"{item!r} is all that the catalogue holds")
            tools = [t for t in self._tools() if t.id != item]
            capabilities = [
                replace(
                    c,
                    tools=tuple(t for t in c.tools if t != item),
                    capabilities=tuple(m for m in c.capabilities if m != item),
                )
                for c in self._capabilities()
                if c.id != item
            ]
            self._replace(Catalog.from_records(tools, capabilities), removed=item)

    def set_cooccurrence(self, pairs: Iterable[tuple[str, str, float]]) -> None:
        """Co-occurrence weights (from tool, to tool, weight) for V->V; an empty list takes V->V out."""
        with self._lock:
            self.cooccurrence = Cooccurrence.from_pairs(pairs, self.catalog.tool_column)
            self.version += 1

    def _tools(self) -> list[Tool]:
        rows = self.catalog.tool_embeddings
        assert rows is not None
        return [replace(t, embedding=row) for t, row in zip(self.catalog.tools, rows, strict=True)]

    def _capabilities(self) -> list[Capability]:
        rows = self.catalog.capability_embeddings
        assert rows is not None
        return [replace(c, embedding=row) for c, row in zip(self.catalog.capabilities, rows, strict=True)]

    def _refuse_known(self, item: str) -> None:
        if item in self.catalog.tool_column or item in self.catalog.capability_column:
            raise CatalogError(f"the id {item!r} is taken")

    def _replace(self, catalog: Catalog, removed: str | None = None) -> None:
        """Moves to another catalogue, parameters and co-occurrence with it."""
        if self.cooccurrence is not None and removed in self.catalog.tool_column:
            self.cooccurrence = self.cooccurrence.without(self.catalog.tool_column[removed])
        self.params = json_params.carried_over(self.params, self.catalog, catalog, self.config)
        self.catalog = catalog
        self.version += 1

    # ---------------------------------------------------------------- keeping it
    def save(self, path: str | Path) -> None:
        """Writes one safetensors file with a manifest and checksums; the file at `path` is replaced at once or not at all."""
        model_file.save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> "SHGAT":
        """Reads what `save` wrote; a torn or altered file raises ModelFileError."""
        return model_file.load(cls, Path(path))

    def export_params(self) -> dict[str, Any]:
        """The parameters as JSON values: headParams, W_intent, levelParams, v2vParams, config, ..."""
        return json_params.export_params(self.params, self.config)

    def import_params(self, values: Mapping[str, Any]) -> None:
        """Takes what `export_params` gave; shapes, names and numbers are checked first, and nothing changes if they are wrong."""
        with self._lock:
            self.params = json_params.import_params(values, self.params, self.config)
            self.invalidate()
