"""The features of capabilities and of intents in a store."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import orjson
from sqlalchemy import ColumnElement, Double, Row, Select, delete, func, select

from .._check import choice, positive_integer, vector
from .._types import Float32
from ..errors import DamagedError, InputError
from ..features.capability import CapabilityFeatures, IntentFeatures
from .database import Database
from .schema import capabilities, capability_features, decisions, intent_features, meta, traces

_PAGE = 1000
_STATE = "features"  # the row of meta that says what the features were made of
_EMBEDDINGS = ("text_embedding", "n2v_embedding", "hybrid_embedding")
N2V_DIMENSION = 64  # of the column on PostgreSQL


@dataclass(frozen=True)
class FeatureState:
    """What the features that are kept were made of, and when.

    Attributes
    ----------
    version : rises by one with every build
    computed_at : seconds since the epoch
    catalog : checksum of the catalogue
    recipe : checksum of the settings
    text_weight : of the hybrid
    n_held : held-out traces that chose it
    """

    version: int
    computed_at: float
    catalog: str
    recipe: str
    text_weight: float
    n_held: int


class FeatureRows:
    """The part of a store that holds features."""

    database: Database
    dimension: int
    clock: Callable[[], float] = time.time

    def put_features(self, rows: Sequence[CapabilityFeatures], state: FeatureState) -> None:
        """Replaces the features of all capabilities, in one transaction: readers find the former ones or these.

        Raises
        ------
        InputError
            for an embedding of another dimension than the store's, or than 64 of `n2v_embedding`.
        """
        for row in rows:
            for name in _EMBEDDINGS:
                self._check(getattr(row, name), f"features of {row.capability_id!r}: {name}", name == "n2v_embedding")
        with self.database.write() as connection:
            there = set(connection.scalars(select(capabilities.c.id)))
            connection.execute(delete(capability_features))
            kept = [dict(vars(row)) for row in rows if row.capability_id in there]  # one may have gone since they were computed
            if kept:
                connection.execute(capability_features.insert(), kept)
            connection.execute(delete(meta).where(meta.c.key == _STATE))
            connection.execute(meta.insert().values(key=_STATE, value=orjson.dumps(asdict(state)).decode()))

    def feature_state(self) -> FeatureState | None:
        """What the features were made of, None where there are none."""
        with self.database.read() as connection:
            found = connection.scalar(select(meta.c.value).where(meta.c.key == _STATE))
        if found is None:
            return None
        try:
            values = orjson.loads(found)
            return FeatureState(**{f.name: f.type(values[f.name]) for f in fields(FeatureState) if isinstance(f.type, type)})
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return None  # whatever it was: they are built anew

    def feature_gaps(self) -> tuple[float, float | None]:
        """Share of the capabilities without features or without their `text_embedding`, and when the oldest were computed, seconds since the
        epoch; None where there are none."""
        with self.database.read() as connection:
            n = connection.scalar(select(func.count()).select_from(capabilities)) or 0
            there = select(func.count(capability_features.c.text_embedding), func.min(capability_features.c.computed_at))
            found, oldest = connection.execute(there).one()
        return (1.0 - found / n if n else 0.0), oldest

    def features(self, ids: Sequence[str] | None = None) -> dict[str, CapabilityFeatures]:
        """Capability id -> its features, of those that have any; None: of all."""
        key = capability_features.c.capability_id
        query = select(capability_features).order_by(key)
        pages = [query] if ids is None else [query.where(key.in_(ids[i : i + _PAGE])) for i in range(0, len(ids), _PAGE)]
        return {row.capability_id: CapabilityFeatures(**row._mapping) for page in pages for row in self._feature_rows(page)}

    def nearest_capabilities(self, x: Float32, k: int = 10, by: str = "hybrid_embedding") -> list[tuple[str, float]]:
        """(capability id, cosine) of the k nearest by one embedding; through the HNSW index, which may miss one, where there is one.

        Parameters
        ----------
        x : (d,) float32, or (64,) where `by` is "n2v_embedding"
        by : "hybrid_embedding" or "n2v_embedding"
        """
        choice(by, ("hybrid_embedding", "n2v_embedding"), "by")
        positive_integer(k, "k")
        x = vector(x, N2V_DIMENSION if by == "n2v_embedding" else self.dimension, "the vector that is looked for")
        key, column = capability_features.c.capability_id, capability_features.c[by]
        if self.database.is_postgresql:
            distance: ColumnElement[float] = column.op("<=>", return_type=Double())(x)
            query = select(key, distance.label("distance")).where(column.is_not(None)).order_by(distance).limit(k)
            return [(row.capability_id, 1.0 - float(row.distance)) for row in self._feature_rows(query)]
        rows = self._feature_rows(select(key, column).where(column.is_not(None)).order_by(key))
        if not rows:
            return []
        ids, matrix = [row.capability_id for row in rows], np.array([row._mapping[by] for row in rows], np.float32)
        lengths = np.maximum(np.linalg.norm(matrix, axis=1) * np.linalg.norm(x), 1e-30)
        cosines = matrix @ x / lengths
        return [(ids[i], float(cosines[i])) for i in np.argsort(-cosines, kind="stable")[:k].tolist()]

    def put_intents(self, rows: Sequence[IntentFeatures]) -> int:
        """Adds features of intents, or replaces those of the same hash; returns how many."""
        values = {}
        for row in rows:
            if not row.intent_hash:
                raise InputError("the features of an intent have its hash")
            self._check(row.embedding, f"features of the intent {row.intent_hash!r}: embedding")
            values[row.intent_hash] = dict(vars(row)) | {"created_at": row.created_at or self.clock()}
        if values:
            with self.database.write() as connection:
                insert = self.database.insert(intent_features)
                changed = {name: insert.excluded[name] for name in ("embedding", "context_tools", "created_at")}
                connection.execute(
                    insert.on_conflict_do_update(index_elements=["intent_hash"], set_=changed), list(values.values())
                )
        return len(values)

    def intents(self, hashes: Sequence[str]) -> dict[str, IntentFeatures]:
        """Hash -> features, of the intents that are known."""
        key, found = intent_features.c.intent_hash, dict[str, IntentFeatures]()
        for start in range(0, len(hashes), _PAGE):
            for row in self._feature_rows(select(intent_features).where(key.in_(hashes[start : start + _PAGE]))):
                values = dict(row._mapping) | {"context_tools": tuple(row.context_tools)}
                found[row.intent_hash] = IntentFeatures(**values)
        return found

    def take_in_intents(self, since: float) -> int:
        """Intents that were asked since a moment and are not known yet, with the embedding of the newest decision; returns how many."""
        with self.database.write() as connection:
            mine = (
                (decisions.c.created_at >= since)
                & decisions.c.embedding.is_not(None)
                & (func.length(decisions.c.intent_hash) == 64)
            )
            newest = select(func.max(decisions.c.seq)).where(mine).group_by(decisions.c.intent_hash)
            columns = (decisions.c.intent_hash, decisions.c.embedding, decisions.c.context_tools, decisions.c.created_at)
            known = select(intent_features.c.intent_hash)
            new = select(*columns).where(decisions.c.seq.in_(newest), decisions.c.intent_hash.not_in(known))
            rows = [dict(row._mapping) for row in connection.execute(new)]
            if rows:
                connection.execute(intent_features.insert(), rows)
        return len(rows)

    def remove_intents(self, before: float) -> int:
        """Removes the features of intents from before a moment; returns how many there were."""
        with self.database.write() as connection:
            return connection.execute(delete(intent_features).where(intent_features.c.created_at < before)).rowcount

    def executions(self, since: float, until: float) -> Iterator[Row[Any]]:
        """(tools, capability, outcome, duration_ms, timestamp) of traces in (since, until], by pages and without their embeddings."""
        columns = (traces.c.seq, traces.c.tools, traces.c.capability, traces.c.outcome, traces.c.duration_ms, traces.c.timestamp)
        where, seq = (traces.c.timestamp > since) & (traces.c.timestamp <= until), 0
        while True:
            with self.database.read() as connection:
                query: Select[Any] = select(*columns).where(where, traces.c.seq > seq).order_by(traces.c.seq)
                page = connection.execute(query.limit(_PAGE)).all()
            yield from page
            if len(page) < _PAGE:
                return
            seq = page[-1].seq

    def _check(self, embedding: Float32 | None, what: str, n2v: bool = False) -> None:
        if embedding is not None:
            vector(embedding, N2V_DIMENSION if n2v else self.dimension, what)

    def _feature_rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        try:
            with self.database.read() as connection:
                return connection.execute(query).all()
        except DamagedError as error:
            raise DamagedError(f"{str(error).split('; ')[0]}; build the features anew: shgat features build --force") from error
