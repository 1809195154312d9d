"""SHGAT: a live model, the door to ranking and to training."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

import numpy as np

from . import _check, features
from ._types import Float32
from .config import SHGATConfig
from .errors import EncoderError, InputError, ShgatError
from .graph import Capability, Catalog, Cooccurrence, Tool
from .graph.inheritance import with_mean_embeddings
from .graph.tables import records_of
from .model import ModelState, carry_over, json_model, model_file
from .model.channels import CHANNELS
from .model.indexed import IndexedModel
from .model.live import Made

if TYPE_CHECKING:
    from .executor import Executor
    from .td import TDConfig, ValueEpoch
    from .td.learning import ValueReport
    from .traces import Reward, Sessions, Trace, Traces
    from .training import TrainingConfig, TrainReport
    from .training.fit import OnEpoch


_Node = TypeVar("_Node", Tool, Capability)


class SHGAT(IndexedModel):
    """SuperHyperGraph Attention over one catalogue.

    Ranking is safe from many threads, also while another thread changes the model: each request is answered from one immutable
    index, whose version is in the answer. Before training, `rank` orders as cosine similarity does.

    Attributes
    ----------
    version : int, increased by every change
    """

    # ---------------------------------------------------------------- making one
    _intent_encoder: "features.IntentEncoder | None" = None
    _given = False  # was an encoder looked for, or put in?

    @classmethod
    def from_catalog(cls, catalog: Catalog, config: SHGATConfig | None = None, seed: int = 0, *, encoder: object = None) -> "SHGAT":
        """An untrained model, which ranks as cosine does, and texts by their words besides.

        Parameters
        ----------
        seed : draws the small noise of its attention
        encoder : what makes vectors of texts, as `shgat.features.open_encoder` takes it: of the tools too where the catalogue has no
            embeddings. None: what made those it has; where it has none, the static vectors of the wheel
        """
        if not isinstance(catalog, Catalog):
            raise InputError(
                f"catalog is a Catalog, not {type(catalog).__name__}; `Catalog.load` reads a folder, `from_records` takes records"
            )
        if config is not None and not isinstance(config, SHGATConfig):
            raise InputError(f"config is an SHGATConfig, not {type(config).__name__}; `SHGATConfig.from_dict` takes a mapping")
        if not catalog.has_embeddings and (catalog.tools or catalog.capabilities):
            catalog = features.embedded(catalog, features.open_encoder("" if encoder is None else encoder))
        model = cls(ModelState.untrained(catalog, config or SHGATConfig(), _check.seed(seed)))
        if encoder is not None:
            model.encoder = encoder
        return model

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
        copied = SHGAT(replace(self.state, params=self.state.params.copy()))
        copied._intent_encoder, copied._given = self._intent_encoder, self._given
        copied._follow(self)
        return copied

    def over(self, catalog: Catalog) -> "SHGAT":
        """A model of its own over another catalogue of the same encoder: what was learned follows the ids that are there.

        Raises
        ------
        CatalogError
            for a catalogue of another dimension or another encoder.
        """
        moved = SHGAT(carry_over.over(self.state, catalog))
        moved._intent_encoder, moved._given = self._intent_encoder, self._given
        moved._follow(self)
        return moved

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise ShgatError("a model is not pickled; send model.to_bytes(), and read it with SHGAT.from_bytes(...)")

    # ---------------------------------------------------------------- teaching it
    def fit(
        self,
        traces: "Traces | Iterable[Trace | Mapping[str, Any]]",
        *,
        epochs: int | None = None,
        batch_size: int | None = None,
        lr: float | None = None,
        seed: int = 0,
        config: "TrainingConfig | None" = None,
        validation: Literal["auto", "none"] = "auto",
        channels: Sequence[str] = CHANNELS,
        message_passing: bool | None = None,
        node_offsets: bool | None = None,
        words: bool | None = None,
        on_epoch: "OnEpoch | None" = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        keep_checkpoint: bool = False,
        force: bool = False,
        executor: "Executor | None" = None,
    ) -> "TrainReport":
        """Learns from traces, from scratch. The model changes only if held-out traces say that it ranks better than frozen cosine.

        Folds of traces are held out, whole tools among them; from the held-out predictions come words, offsets and message passing or not, the
        channel weights and the decision. Then one model is trained on all traces. Nothing of an earlier training goes into it.

        Parameters
        ----------
        traces : `Traces`, as `load_traces` reads them; or records with the fields of `Trace`, in a list or in a table of pandas, polars
            or Arrow
        epochs, batch_size, lr : come before those of `config`
        seed : at least 0, of everything random; the same seed gives the same bits
        config : settings; what is None in it is chosen by the number of traces, see `TrainingConfig.for_fit`
        validation : "none" trains on all traces at once, chooses no channel weights and takes what comes, with message passing
        channels : those that may have a weight
        message_passing : whether the graph speaks; None: where that is better on held-out traces by about a standard error. A model whose
            configuration has none stays without
        node_offsets : whether nodes learn offsets; None: the same, tried from a trace a tool on, or where the configuration of an
            untrained model says so
        words : whether words are seen beside the embeddings; None: the same, tried from 200 traces on where most have a text and the
            embeddings are not made of words themselves
        on_epoch : called after each epoch of each run
        checkpoint, resume : a file to keep the state in after each epoch, and whether to go on from it
        keep_checkpoint : leave the file there at the end, for who removes it once the model is stored
        force : take the result even where it is not better
        executor : where folds and variants are trained at once, see `shgat.executor`; None: one after the other, here. The bits are the same

        Returns
        -------
        TrainReport : was it accepted, why, and what was measured

        Raises
        ------
        TraceError
            for no traces, and for one that cannot be used: it is named.
        InputError
            for an option that cannot be meant, or traces of another catalogue.
        """
        from .traces import Traces
        from .training import fit

        _refuse_misplaced(config, on_epoch)
        for name, value in {"message_passing": message_passing, "node_offsets": node_offsets, "words": words}.items():
            if value is not None:
                _check.flag(value, name)
        for name, value in {"resume": resume, "keep_checkpoint": keep_checkpoint, "force": force}.items():
            _check.flag(value, name)
        if checkpoint is not None and not isinstance(checkpoint, (str, Path)):
            raise InputError(f"checkpoint is the name of a file, not {type(checkpoint).__name__}")
        state = self.state
        fitted = fit(
            state, Traces.of(traces, state.catalog), epochs=epochs, batch_size=batch_size, lr=lr, seed=_check.seed(seed), config=config,
            validation=validation, channels=channels, message_passing=message_passing, node_offsets=node_offsets, words=words,
            on_epoch=on_epoch, checkpoint=checkpoint, resume=resume, keep_checkpoint=keep_checkpoint, force=force,
            executor=executor,
        )  # fmt: skip
        self._adopt(fitted.state)
        return fitted.report

    def partial_fit(
        self,
        traces: "Traces | Iterable[Trace | Mapping[str, Any]]",
        *,
        epochs: int | None = None,
        batch_size: int | None = None,
        lr: float | None = None,
        seed: int = 0,
        config: "TrainingConfig | None" = None,
        on_epoch: "OnEpoch | None" = None,
    ) -> "TrainReport":
        """Goes on learning from a few new traces; the parameters stay as they were if held-out traces are ranked worse.

        Parameters
        ----------
        traces, epochs, batch_size, lr, seed, on_epoch : as those of `fit`
        config : settings; what is None in it is as `TrainingConfig.for_update` has it
        """
        from .traces import Traces
        from .training import partial_fit

        _refuse_misplaced(config, on_epoch)
        state = self.state
        fitted = partial_fit(
            state, Traces.of(traces, state.catalog), epochs=epochs, batch_size=batch_size, lr=lr, seed=_check.seed(seed), config=config,
            on_epoch=on_epoch,
        )  # fmt: skip
        self._adopt(fitted.state)
        return fitted.report

    def learn_values(
        self,
        sessions: "Sessions",
        *,
        reward: "Reward | None" = None,
        config: "TDConfig | None" = None,
        seed: int = 0,
        on_epoch: "Callable[[ValueEpoch], None] | None" = None,
    ) -> "ValueReport":
        """Learns what choices are worth for the rest of a session. They weigh in rankings after a first step only if held-out sessions say
        that they help, beside a ranker that has learned from the earlier sessions alone.

        Parameters
        ----------
        sessions : over this model's catalogue, see `shgat.traces.load_sessions`
        reward : what a step is worth; None: the default one
        config : settings of TD(lambda); None: the default ones, with the discount of the reward
        seed : of everything random
        on_epoch : called after each epoch of each of the two trainings

        Returns
        -------
        ValueReport : the weight, why, and what was measured

        Raises
        ------
        InputError
            for fewer than two sessions, for none to learn from, and for a discount that is not the reward's.
        """
        from .td import TDConfig
        from .td.learning import learn
        from .traces import Reward

        state, reward = self.state, reward or Reward()
        if state.catalog.tool_embeddings is None:
            raise InputError("values are learned over embeddings: the catalogue has none of tools")
        config = config or TDConfig(gamma=reward.gamma)
        rng = np.random.default_rng([_check.seed(seed), 23])
        found, report = learn(
            sessions, state.catalog.tool_embeddings, lambda train, test: _without_values(state, train, test, seed), reward, config, rng,
            on_epoch=on_epoch,
        )  # fmt: skip
        with self._lock:
            self._change(replace(self.state, values=found))
        return report

    def back_to_cosine(self, traces: "Traces", report: "TrainReport") -> "TrainReport":
        """Ranks as cosine does, and remembers the traces, where a refused `fit` on them says that there is nothing to learn; else stays.

        Parameters
        ----------
        report : of that `fit`; see `training.update.back_to_cosine`
        """
        from .training.update import back_to_cosine

        fitted = back_to_cosine(self.state, traces, report)
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

    # ---------------------------------------------------------------- its encoder
    @property
    def encoder(self) -> "features.Encoder | None":
        """What makes vectors of texts; None where none like the catalogue's is at hand. Another one of the same space may be put in its place:
        any object with `encode`, a function, or a name, see `shgat.features.open_encoder`."""
        found = self._intents()
        return None if found is None else found.encoder

    @encoder.setter
    def encoder(self, given: object) -> None:
        self._intent_encoder = features.IntentEncoder.of(self._state.catalog, given)
        self._given = given is not None

    def _intents(self) -> "features.IntentEncoder | None":
        if self._intent_encoder is None and not self._given:
            self._intent_encoder, self._given = features.IntentEncoder.of(self._state.catalog), True
        return self._intent_encoder

    def _encoded(self, intents: list[str], dimension: int) -> tuple[Float32, Made]:
        found = self._intents()
        if found is None:
            return super()._encoded(intents, dimension)
        rows = found.encode(intents)
        failed = next((row for row in rows if row.vector is None), None)
        if failed is not None:
            raise EncoderError(failed.trouble)
        x = np.stack([row.vector for row in rows if row.vector is not None])
        if x.shape[1] != dimension:
            raise EncoderError(f"{rows[0].encoder} made vectors of {x.shape[1]} dimensions, the catalogue's have {dimension}")
        encoders, troubles = (dict.fromkeys(found) for found in zip(*((row.encoder, row.trouble) for row in rows), strict=True))
        return x, Made(", ".join(encoders), tuple(trouble for trouble in troubles if trouble))

    def _embedded(self, nodes: list[_Node]) -> list[_Node]:
        """With embeddings of their texts for those that have none, where what made those of the catalogue is at hand."""
        encoder = self.encoder if any(n.embedding is None for n in nodes) else None
        if encoder is None or encoder.id != self._state.catalog.encoder:
            return nodes
        return [n if n.embedding is not None else features.with_embeddings([n], encoder)[0] for n in nodes]

    def _change(self, state: ModelState) -> None:
        self._state = state
        self.version += 1

    # ---------------------------------------------------------------- keeping it
    def save(self, path: str | Path) -> None:
        """Writes one safetensors file with a manifest and checksums; the file at `path` is replaced at once or not at all.

        Neighbours, where the model has some, lie beside it in `PATH.neighbours`.
        """
        model_file.save(self.state, Path(path))
        self._save_neighbours(Path(path))

    def to_bytes(self) -> bytes:
        """What `save` writes."""
        return model_file.to_bytes(self.state)

    @classmethod
    def load(cls, path: str | Path) -> "SHGAT":
        """Reads what `save` wrote; a torn or altered file raises ModelFileError.

        Neighbours beside it are mapped into memory with the first request; where they are torn or altered, `neighbours_trouble` says so, and
        they are made anew beside the requests.
        """
        model = cls(model_file.load(Path(path)))
        model._open_neighbours(Path(path))
        return model

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


def _refuse_misplaced(config: object, on_epoch: object) -> None:
    from .training import TrainingConfig

    if config is not None and not isinstance(config, TrainingConfig):
        raise InputError(f"config is a TrainingConfig, not {type(config).__name__}; `TrainingConfig.from_dict` takes a mapping")
    if on_epoch is not None and not callable(on_epoch):
        raise InputError(f"on_epoch is called after each epoch; {type(on_epoch).__name__} cannot be called")


def _without_values(state: ModelState, train: "Sessions", test: "Sessions", seed: int) -> Float32:
    """(n_steps, n_tools) scores at the steps of sessions, of a ranker that learned from others, in the way of `state`."""
    rival = SHGAT(replace(ModelState.untrained(state.catalog, state.config), cooccurrence=state.cooccurrence))
    if state.learned is not None:
        rival.fit(train.traces(), seed=seed)
    ids, texts = rival.tool_ids, test.texts
    found = np.empty((test.n_steps, len(ids)), np.float32)
    for t, row in enumerate(test.intent.tolist()):
        used = [ids[c] for c in test.context(t).tolist()]
        found[t] = rival.score(test.intents[row], texts=[texts[row]] if texts[row] else None, context_tools=used)[0]
    return found
