"""The chain that always has an answer: model, cosine, shared words, catalogue order."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..graph import Catalog
from ..learning.learner import Served
from .fallback import Shelf

_log = logging.getLogger("shgat")


@dataclass(frozen=True, eq=False)
class Request:
    """What is asked for; see `Ranker.rank`."""

    intent: object
    k: int
    kind: str
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
    intent: npt.NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class Chain:
    """The ways to rank one catalogue without a model."""

    tools: Shelf
    capabilities: Shelf
    dimension: int

    @classmethod
    def of(cls, catalog: Catalog) -> "Chain":
        return cls(Shelf.of(catalog, "tools"), Shelf.of(catalog, "capabilities"), catalog.dimension)

    def shelf(self, kind: str) -> Shelf:
        return self.tools if kind == "tools" else self.capabilities

    def answer(self, served: Served, request: Request) -> Found:
        """The first way that works answers; what the catalogue does not know comes last, in the order of the request."""
        shelf, k, why = self.shelf(request.kind), request.k, list[str]()
        x = self._vector(request.intent, why)
        column = shelf.column
        allowed = strangers = None
        if request.candidates is not None:
            given = tuple(dict.fromkeys(request.candidates))
            strangers = tuple(i for i in given if i not in column)
            allowed = tuple(i for i in given if i in column)
            if strangers:
                why.append(f"{len(strangers)} candidates are not in the catalogue, among them {strangers[0]!r:.100}")
        ids, scores, by = self._ranked(served, request, shelf, x, allowed, why)
        if strangers:
            extra = strangers[: max(0, k - len(ids))]
            ids, scores = (*ids, *extra), (*scores, *(0.0 for _ in extra))
        return Found(ids, scores, served.version if by == "model" else by, by, tuple(why), x)

    def _vector(self, intent: object, why: list[str]) -> npt.NDArray[np.float32] | None:
        try:
            if intent is None:
                raise InputError("the intent has no embedding")
            x = np.ascontiguousarray(intent, np.float32)
            if x.shape != (self.dimension,) or not np.isfinite(x).all():
                raise InputError(f"the intent is no finite vector of {self.dimension} numbers")
            return x
        except Exception as error:
            why.append(str(error))
            return None

    def _ranked(
        self, served: Served, request: Request, shelf: Shelf, x: Any, allowed: tuple[str, ...] | None, why: list[str]
    ) -> tuple[tuple[str, ...], tuple[float, ...], str]:
        columns = None if allowed is None else [shelf.column[i] for i in allowed]

        def by_model() -> tuple[tuple[str, ...], tuple[float, ...]]:
            context = [t for t in request.context if t in self.tools.column]
            found = served.model.rank(x, request.k, request.kind, text=request.text, context_tools=context, candidates=allowed)
            if not np.isfinite(found.scores).all():
                raise InputError("the model's scores are not finite")
            return found.ids, tuple(found.scores.tolist())

        ways: list[tuple[str, Callable[[], tuple[tuple[str, ...], tuple[float, ...]]]]] = [
            ("model", by_model),
            ("cosine", lambda: shelf.best(shelf.cosine(x), request.k, columns)),
            ("lexical", lambda: shelf.best(shelf.lexical(request.text), request.k, columns)),
        ]
        for name, way in ways if x is not None else ways[2:]:
            try:
                return (*way(), name)
            except Exception as error:  # whatever it is: the agent needs its tools
                _log.warning("ranking by %s failed: %s", name, error)
                why.append(f"{name}: {error}")
        return (*shelf.best(np.zeros(len(shelf.ids), np.float32), request.k, columns), "catalogue")
