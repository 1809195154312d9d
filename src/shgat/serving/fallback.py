"""The chain that always has an answer: the model, then cosine, then shared words, then the order of the catalogue."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from .._types import Float32, Int32
from ..errors import InputError
from ..features import IntentEncoder
from ..graph import Catalog
from ..model import Explanation, Ranking, explanation, intents, scoring, unit_scores
from ..model.candidates import Kind
from ..model.evidence import Evidence
from ..model.index import Index
from ..registry import ServedVersion
from .filters import Eligible, Membership
from .items import CATALOGUE, Found, Items, above
from .plain import PlainRanking
from .request import Request
from .session import Sessions

_log = logging.getLogger("shgat")


class Vector(NamedTuple):
    """The intent of a request.

    Attributes
    ----------
    x : (d,) float32, checked once for all ways; None where there is none
    made : id of what made it of the request's text, "" where it came as a vector
    seconds : that it took
    """

    x: Float32 | None
    made: str
    seconds: float


@dataclass(frozen=True, eq=False)
class Chain:
    """The ways to rank one catalogue, with a model and without.

    Attributes
    ----------
    membership : what of it a request may have
    encoder : from texts to vectors like the catalogue's embeddings, None where nothing at hand can do that
    """

    catalog: Catalog
    tools: PlainRanking
    capabilities: PlainRanking
    membership: Membership
    encoder: IntentEncoder | None = None

    @classmethod
    def of(cls, catalog: Catalog, encoder: IntentEncoder | None = None) -> "Chain":
        plain = PlainRanking.of(catalog, "tools"), PlainRanking.of(catalog, "capabilities")
        return cls(catalog, *plain, Membership(catalog), encoder)

    def prepare(self) -> None:
        """Builds what ranking by words needs, and opens the encoder, so that no request waits for it."""
        _ = self.tools.said.index, self.capabilities.said.index
        if self.encoder is not None:
            self.encoder.encode(["warm"])

    def plain(self, kind: Kind) -> PlainRanking:
        return self.tools if kind == "tools" else self.capabilities

    def eligible(self, request: Request) -> Eligible:
        """What the request may have."""
        return self.membership.eligible(request.kind, request.filters, request.rules.block)

    def answer(self, served: ServedVersion, request: Request, evidence: Evidence | None = None) -> Found:
        """The first way that works answers; what the catalogue does not know comes last, in the order of the request.

        Parameters
        ----------
        evidence : what came in since the version that serves was made
        """
        why = list(request.why)
        return self._found(served, request, self._vector(request, why), why, evidence, None, self.eligible(request))

    def answers(self, served: ServedVersion, requests: Sequence[Request], evidence: Evidence | None = None) -> list[Found]:
        """Of requests that differ in nothing but intent and text: one product for all that the model can rank; others each alone."""
        if not requests:
            return []
        eligible, whys = self.eligible(requests[0]), [list(r.why) for r in requests]
        started = time.perf_counter()
        if self.encoder is not None and len(requests) > 1:  # all at once, so that each finds its own remembered
            self.encoder.encode([r.text for r in requests if r.text and r.intent is None])
        at_once = (time.perf_counter() - started) / len(requests)
        vectors = [self._vector(r, why, at_once) for r, why in zip(requests, whys, strict=True)]
        ready: dict[int, Items] = {}
        kinds = [(r.text is not None, bool(v.made)) for r, v in zip(requests, vectors, strict=True)]
        for kind in sorted(set(kinds)):  # words speak where there are some
            rows = [i for i, v in enumerate(vectors) if v.x is not None and kinds[i] == kind]
            if rows:
                x = np.stack([v for i in rows if (v := vectors[i].x) is not None])
                texts = [r.words or "" for r in map(requests.__getitem__, rows)] if kind[0] else None
                with contextlib.suppress(Exception):  # each is asked alone then, and says why
                    ready.update(
                        zip(
                            rows,
                            self._by_model_at_once(served, requests[rows[0]], x, texts, eligible.columns, evidence, kind[1]),
                            strict=True,
                        )
                    )
        return [
            self._found(served, r, v, why, evidence, ready.get(i), eligible)
            for i, (r, v, why) in enumerate(zip(requests, vectors, whys, strict=True))
        ]

    def in_order_of(
        self, sessions: Sessions, served: ServedVersion, request: Request, found: Found, evidence: Evidence | None = None
    ) -> Found:
        """The answer with what its session was shown before in place, as far as this request may still have it, and scored for it too."""
        if request.sessions_key is None:
            return found
        eligible = found.eligible
        ids = sessions.grown(request.sessions_key, request.kind, found.items.ids[: request.k], eligible.column, eligible)
        names, column = self.plain(request.kind).ids, eligible.column
        ids = tuple(dict.fromkeys(names[column[i]] if i in column else i for i in ids))  # by what they are called now
        found = self.scored(served, request, found, ids, evidence)
        place = {item: at for at, item in enumerate(found.items.ids)}
        return replace(found, items=found.items.at([place[i] for i in ids]))

    def scored(
        self, served: ServedVersion, request: Request, found: Found, ids: Sequence[str], evidence: Evidence | None = None
    ) -> Found:
        """The answer with some more items behind it, scored by the same way; 0 for what that way does not know."""
        there = set(found.items.ids)
        missing = [i for i in dict.fromkeys(ids) if i not in there]
        if not missing:
            return found
        column, of = self.plain(request.kind).column, dict[str, tuple[float, Explanation | None]]()
        known = np.array(sorted(column[i] for i in missing if i in column), np.int32)
        if len(known):
            asked = replace(request, k=len(missing))
            more, by = self._ranked(served, asked, found.intent, found.encoder, known, [], evidence)
            of.update(more.each() if by == found.by else ())
        return replace(found, items=found.items.followed_by(missing, [of.get(i, (0.0, None)) for i in missing]))

    def _found(
        self,
        served: ServedVersion,
        request: Request,
        vector: Vector,
        why: list[str],
        evidence: Evidence | None,
        ranked: Items | None,
        eligible: Eligible,
    ) -> Found:
        """The answer for a checked intent; `ranked`: what the model said already."""
        x, made, seconds = vector
        n = len(self.plain(request.kind).ids)
        if not n:
            why.append(f"the catalogue holds no {request.kind}")
        why += eligible.why
        columns, strangers = eligible.columns, eligible.strangers
        if n and columns is not None and not len(columns) and not strangers:
            why.append(f"the filters of the request leave none of {n} {request.kind}")
        items, by = (ranked, "model") if ranked is not None else self._ranked(served, request, x, made, columns, why, evidence)
        if request.min_score is not None:
            items, strangers = above(items, strangers, request.min_score, by, why)
        if strangers:
            items = items.followed_by(strangers[: max(0, request.k - len(items.ids))])
        return Found(items, served.name if by in ("model", "words") else by, by, tuple(why), x, made, eligible, encoding=seconds)

    def _vector(self, request: Request, why: list[str], seconds: float = 0.0) -> Vector:
        """The intent, checked, or what can be made of its text; and why where there is neither. `seconds` were spent before."""
        started, encoder = time.perf_counter(), self.encoder if request.text else None
        x, made = self._given(request, encoder, why)
        if x is None and encoder is not None:
            x, made = self._made(request.text or "", encoder, why)
        return Vector(x, made, seconds + time.perf_counter() - started)

    def _given(self, request: Request, encoder: IntentEncoder | None, why: list[str]) -> tuple[Float32 | None, str]:
        try:
            if request.intent is not None:
                return intents.one(request.intent, self.catalog.dimension, "the intent"), ""
            if encoder is None:
                raise InputError(
                    "the intent has no embedding" + (", and no encoder is at hand for its text" if request.text else "")
                )
        except Exception as error:  # whatever an object that is no array raises
            why.append(str(error))
        return None, ""

    def _made(self, text: str, encoder: IntentEncoder, why: list[str]) -> tuple[Float32 | None, str]:
        (found,) = encoder.encode([text])
        if found.trouble:
            why.append(found.trouble)
        if found.vector is None:
            return None, ""
        try:
            if not found.vector.any():
                raise InputError("it has no word")
            return intents.one(found.vector, self.catalog.dimension, "what was made of the text"), found.encoder
        except Exception as error:  # whatever an encoder gave
            why.append(f"the text cannot be encoded: {error}")
            return None, ""

    def _by_model_at_once(
        self,
        served: ServedVersion,
        request: Request,
        x: Float32,
        texts: Sequence[str] | None,
        columns: Int32 | None,
        evidence: Evidence | None,
        spoken: bool,
    ) -> Iterator[Items]:
        """The model's items for intents x (B, d) of requests that are otherwise like this one."""
        index = served.model.index()
        for i, ranking in enumerate(
            scoring.rank_many(index, x, request.k, request.kind, texts, request.context, columns, None, evidence, spoken)
        ):
            yield _items(index, ranking, request, x[i], [], evidence, spoken)

    def _ranked(
        self,
        served: ServedVersion,
        request: Request,
        x: Any,
        made: str,
        columns: Int32 | None,
        why: list[str],
        evidence: Evidence | None,
    ) -> tuple[Items, str]:
        plain, k = self.plain(request.kind), request.k

        def by_model() -> Items:
            index = served.model.index()
            ranking = scoring.rank(index, x, k, request.kind, request.words, request.context, columns, None, evidence, bool(made))
            return _items(index, ranking, request, x, why, evidence, bool(made))

        def by_cosine() -> Items:
            ids, cosine = plain.best(plain.cosine(x), k, columns)
            return Items(ids, tuple(unit_scores.of_cosine(cosine).tolist()))

        def by_words() -> Items:
            ids, z = plain.best(scoring.by_words(served.model.index(), request.words or "", evidence), k, columns)
            return Items(ids, tuple(unit_scores.of_logits(z).tolist()))

        def by_description() -> Items:
            ids, shared = plain.best(plain.lexical(request.text, columns), k, columns)
            return Items(ids, tuple(unit_scores.of_words(shared).tolist()))

        ways: list[tuple[str, Callable[[], Items]]] = []
        if x is not None:
            ways = [("model", by_model), ("cosine", by_cosine)]
        elif request.kind == "tools" and request.text and not self._unheard(served, evidence):
            ways = [("words", by_words)]
        for name, way in (*ways, ("lexical", by_description)):
            try:
                return way(), name
            except Exception as error:  # whatever it is: the agent needs its tools
                _log.log(
                    logging.DEBUG if isinstance(error, InputError) else logging.WARNING, "ranking by %s failed: %s", name, error
                )
                why.append(f"{name}: {error}")
        ids, nothing = plain.best(np.zeros(len(plain.ids), np.float32), k, columns)
        return Items(ids, tuple(unit_scores.of_words(nothing).tolist())), CATALOGUE

    @staticmethod
    def _unheard(served: ServedVersion, evidence: Evidence | None) -> bool:
        """Has nothing been learned that words could be looked up in?"""
        return served.model.learned is None and (evidence is None or evidence.fresh is None)


def _items(
    index: Index, ranking: Ranking, request: Request, x: Float32, why: list[str], evidence: Evidence | None, spoken: bool
) -> Items:
    """What the model ranked for a checked intent x, on the scale of all answers."""
    if not np.isfinite(ranking.scores).all():
        raise InputError("the model's scores are not finite")
    scores, calibrated = unit_scores.of_ranking(index, ranking)
    explanations = None
    if request.explain:
        try:
            explanations = explanation.explain(index, ranking, x, request.words, request.context, evidence, spoken).explanations
        except Exception as error:  # the order stands without it
            why.append(f"not explained: {error}")
    return Items(ranking.ids, tuple(scores.tolist()), calibrated, explanations)
