"""The chain that always has an answer: the model, then cosine, then shared words, then the order of the catalogue."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .. import _check
from .._types import Float32
from ..errors import InputError
from ..graph import Capability, Catalog, Tool
from ..model import scoring
from ..model.candidates import Kind
from ..model.evidence import Evidence
from ..model.lexical import Descriptions
from ..model.words import asked
from ..registry import ServedVersion

_log = logging.getLogger("shgat")
Items = tuple[tuple[str, ...], tuple[float, ...]]  # ids, best first, and their scores


@dataclass(frozen=True, eq=False)
class Request:
    """What is asked for; see `Ranker.rank`."""

    intent: object
    k: int
    kind: Kind
    text: str | None
    context: tuple[str, ...]
    candidates: tuple[str, ...] | None


@dataclass(frozen=True, eq=False)
class Found:
    """The items, who ranked them, and why it was not the model.

    Attributes
    ----------
    intent : (d,) float32, None where the request's cannot be used
    """

    ids: tuple[str, ...]
    scores: tuple[float, ...]
    version: str
    by: str
    why: tuple[str, ...]
    intent: Float32 | None


@dataclass(frozen=True, eq=False)
class PlainRanking:
    """Ranks the tools, or the capabilities, of a catalogue without a model.

    Attributes
    ----------
    ids : in catalogue order
    rows : (n, d) embeddings or None
    said : what they are called and said to do
    """

    ids: tuple[str, ...]
    rows: Float32 | None
    said: Descriptions

    @classmethod
    def of(cls, catalog: Catalog, kind: Kind) -> "PlainRanking":
        nodes: Sequence[Tool | Capability] = catalog.tools if kind == "tools" else catalog.capabilities
        rows = catalog.tool_embeddings if kind == "tools" else catalog.capability_embeddings
        return cls(tuple(n.id for n in nodes), rows, Descriptions.of(catalog, kind))

    @cached_property
    def column(self) -> dict[str, int]:
        return {key: i for i, key in enumerate(self.ids)}

    def cosine(self, x: Float32) -> Float32:
        """(n,) cosine of a checked intent x (d,) and each item."""
        if self.rows is None:
            raise InputError("the catalogue has no embeddings")
        return np.asarray(self._unit @ (x / max(float(np.linalg.norm(x.astype(np.float64))), 1e-12)), np.float32)

    def lexical(self, text: str | None, allowed: Sequence[int] | None) -> Float32:
        """(n,) BM25 of the intent's text; InputError where none of the allowed columns shares a word with it."""
        scores = self.said.index.scores(asked(text or ""))
        if not (scores if allowed is None else scores[list(allowed)]).any():
            raise InputError("no item shares a word with the intent's text" if text else "the intent has no text")
        return scores

    def best(self, scores: Float32, k: int, allowed: Sequence[int] | None) -> Items:
        """The k best of the allowed columns, ties in catalogue order."""
        columns = np.arange(len(scores)) if allowed is None else np.array(sorted(set(allowed)), np.int64)
        chosen = columns[np.argsort(-scores[columns], kind="stable")[:k]]
        return tuple(self.ids[i] for i in chosen.tolist()), tuple(scores[chosen].tolist())

    @cached_property
    def _unit(self) -> Float32:
        assert self.rows is not None
        return np.asarray(self.rows / np.maximum(np.linalg.norm(self.rows, axis=1, keepdims=True), 1e-12), np.float32)


@dataclass(frozen=True, eq=False)
class Chain:
    """The ways to rank one catalogue, with a model and without."""

    tools: PlainRanking
    capabilities: PlainRanking
    dimension: int

    @classmethod
    def of(cls, catalog: Catalog) -> "Chain":
        return cls(PlainRanking.of(catalog, "tools"), PlainRanking.of(catalog, "capabilities"), catalog.dimension)

    def plain(self, kind: Kind) -> PlainRanking:
        return self.tools if kind == "tools" else self.capabilities

    def answer(self, served: ServedVersion, request: Request, evidence: Evidence | None = None) -> Found:
        """The first way that works answers; what the catalogue does not know comes last, in the order of the request."""
        plain, k, why = self.plain(request.kind), request.k, list[str]()
        x = self._vector(request.intent, why)
        allowed = strangers = None
        if request.candidates is not None:
            given = tuple(dict.fromkeys(request.candidates))
            strangers = tuple(i for i in given if i not in plain.column)
            allowed = tuple(i for i in given if i in plain.column)
            if strangers:
                why.append(f"{len(strangers)} candidates are not in the catalogue, among them {strangers[0]!r:.100}")
        ids, scores, by = self._ranked(served, request, plain, x, allowed, why, evidence)
        if strangers:
            extra = strangers[: max(0, k - len(ids))]
            ids, scores = (*ids, *extra), (*scores, *(0.0 for _ in extra))
        return Found(ids, scores, served.name if by == "model" else by, by, tuple(why), x)

    def _vector(self, intent: object, why: list[str]) -> Float32 | None:
        """The intent, checked once for all ways; None, and why, where it cannot be used."""
        try:
            if intent is None:
                raise InputError("the intent has no embedding")
            return _check.vector(intent, self.dimension, "the intent")
        except Exception as error:  # whatever an object that is no array raises
            why.append(str(error))
            return None

    def _ranked(
        self,
        served: ServedVersion,
        request: Request,
        plain: PlainRanking,
        x: Any,
        allowed: tuple[str, ...] | None,
        why: list[str],
        evidence: Evidence | None,
    ) -> tuple[tuple[str, ...], tuple[float, ...], str]:
        columns = None if allowed is None else [plain.column[i] for i in allowed]

        def by_model() -> Items:
            context = [t for t in request.context if t in self.tools.column]
            found = scoring.rank(served.model.index(), x, request.k, request.kind, request.text, context, allowed, None, evidence)
            if not np.isfinite(found.scores).all():
                raise InputError("the model's scores are not finite")
            return found.ids, tuple(found.scores.tolist())

        ways: list[tuple[str, Callable[[], Items]]] = [
            ("model", by_model),
            ("cosine", lambda: plain.best(plain.cosine(x), request.k, columns)),
            ("lexical", lambda: plain.best(plain.lexical(request.text, columns), request.k, columns)),
        ]
        for name, way in ways if x is not None else ways[2:]:
            try:
                return (*way(), name)
            except Exception as error:  # whatever it is: the agent needs its tools
                _log.warning("ranking by %s failed: %s", name, error)
                why.append(f"{name}: {error}")
        return (*plain.best(np.zeros(len(plain.ids), np.float32), request.k, columns), "catalogue")
