"""The catalogue in a store: tools, capabilities and their members."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Connection, Table, delete, select

from .._check import storable_text, vector
from .._types import Float32
from ..errors import CatalogError
from ..graph import Catalog
from ..graph.records import Capability, Origin, Tool
from .database import Database
from .schema import capabilities, members, meta, tools

_PAGE = 1000
_CHECKSUM = "catalogue"  # the row of meta that says which catalogue was kept last
_ALIASES = "aliases"  # the row of meta with what tools were called before, as JSON
_ENCODER = "encoder"  # the row of meta that says what made the embeddings
_COMPARED, _ENOUGH = 200, 5  # tools at most and at least that tell whether two encoders are one
_ALIKE = 0.5  # median cosine, below which they are two; one encoder gives 1 up to rounding


class CatalogRows:
    """The part of a store that holds the catalogue."""

    database: Database
    dimension: int
    clock: Callable[[], float] = time.time

    def keep_catalog(self, catalog: Catalog) -> bool:
        """Adds what a catalogue holds, as `upsert_catalog` does; False, and nothing is written, where it was the last thing that was.

        What only the store knows stays there: several gateways may share it.

        Raises
        ------
        CatalogError
            for embeddings of another encoder, see `check_catalog`.
        """
        key, checksum = meta.c.key == _CHECKSUM, catalog.checksum
        with self.database.read() as connection:
            if connection.scalar(select(meta.c.value).where(key)) == checksum:
                return False
        self.check_catalog(catalog)
        self._write_catalog(*catalog.records(), checksum, catalog.encoder)
        return True

    def catalog_checksum(self) -> str | None:
        """Of the catalogue that was kept last; None where it was changed since."""
        with self.database.read() as connection:
            return connection.scalar(select(meta.c.value).where(meta.c.key == _CHECKSUM))

    def encoder(self) -> str:
        """What made the embeddings that are kept, "" where nobody said."""
        with self.database.read() as connection:
            return connection.scalar(select(meta.c.value).where(meta.c.key == _ENCODER)) or ""

    def former_ids(self) -> dict[str, str]:
        """What tools were called before -> their ids, as `add_former_ids` was told."""
        with self.database.read() as connection:
            found = connection.scalar(select(meta.c.value).where(meta.c.key == _ALIASES))
        return {} if found is None else dict(orjson.loads(found))

    def add_former_ids(self, aliases: Mapping[str, str]) -> None:
        """Remembers what tools were called before, beside what is known already."""
        with self.database.write() as connection:
            found = connection.scalar(select(meta.c.value).where(meta.c.key == _ALIASES))
            known = {} if found is None else dict(orjson.loads(found))
            if aliases.items() <= known.items():
                return
            known = {old: aliases.get(new, new) for old, new in known.items()} | dict(aliases)
            connection.execute(delete(meta).where(meta.c.key == _ALIASES))
            connection.execute(meta.insert().values(key=_ALIASES, value=orjson.dumps(known).decode()))

    def check_catalog(self, catalog: Catalog) -> None:
        """Were a catalogue's embeddings made by what made those that are kept?

        Where nobody said, tools tell that have the same id and text here and there, up to 200 of them: their embeddings are alike then.

        Raises
        ------
        CatalogError
            where they were not: traces and models of this store mean nothing to the catalogue.
        """
        catalog.check_encoder(self.encoder(), f"the store {self.database.name}")
        rows, kept = catalog.tool_embeddings, self.encoder()
        if kept != catalog.encoder and kept and catalog.encoder:  # two of one space: alike, and not the same
            return
        if rows is None or rows.shape[1] != self.dimension:
            return
        step = -(-len(catalog.tools) // _COMPARED)
        wanted = {t.id: (t.text, rows[i]) for i, t in enumerate(catalog.tools) if i % step == 0 and t.text}
        found = select(tools.c.id, tools.c.text, tools.c.embedding).where(tools.c.embedding.is_not(None))
        with self.database.read() as connection:
            there = [row for page in _pages(list(wanted)) for row in connection.execute(found.where(tools.c.id.in_(page)))]
        cosines = [_cosine(wanted[row.id][1], row.embedding) for row in there if row.text == wanted[row.id][0]]
        if len(cosines) >= _ENOUGH and (alike := float(np.median(cosines))) < _ALIKE:
            raise CatalogError(
                f"{len(cosines)} tools have the same id and text in the catalogue and in the store {self.database.name}, but embeddings "
                f"that are not alike (median cosine {alike:.2f}): another encoder made them. Use another store, or the former encoder"
            )

    def upsert_catalog(self, new_tools: Iterable[Tool] = (), new_capabilities: Iterable[Capability] = ()) -> None:
        """Adds tools and capabilities, or replaces those of the same id with their members, in one transaction."""
        self._write_catalog(new_tools, new_capabilities, None, "")

    def _write_catalog(
        self, new_tools: Iterable[Tool], new_capabilities: Iterable[Capability], checksum: str | None, encoder: str
    ) -> None:
        now = self.clock()
        tool_rows = {t.id: _tool_row(t, now, self._embedding(t, "tool")) for t in new_tools}
        given = {c.id: c for c in new_capabilities}
        rows = [_capability_row(c, now, self._embedding(c, "capability")) for c in given.values()]
        with self.database.write() as connection:
            self._upsert(connection, tools, list(tool_rows.values()))
            self._upsert(connection, capabilities, rows)
            for page in _pages(list(given)):
                connection.execute(delete(members).where(members.c.capability_id.in_(page)))
            new_members = [row for c in given.values() for row in _member_rows(c)]
            if new_members:
                connection.execute(members.insert(), new_members)
            connection.execute(delete(meta).where(meta.c.key == _CHECKSUM))
            if checksum is not None:
                connection.execute(meta.insert().values(key=_CHECKSUM, value=checksum))
            if encoder:
                connection.execute(delete(meta).where(meta.c.key == _ENCODER))
                connection.execute(meta.insert().values(key=_ENCODER, value=encoder))

    def remove_from_catalog(self, ids: Sequence[str]) -> int:
        """Removes tools and capabilities, and their memberships; returns how many there were."""
        removed = 0
        with self.database.write() as connection:
            for page in _pages(ids):
                for table in (tools, capabilities):
                    removed += connection.execute(delete(table).where(table.c.id.in_(page))).rowcount
                connection.execute(delete(members).where(members.c.member_id.in_(page)))
            connection.execute(delete(meta).where(meta.c.key == _CHECKSUM))
        return removed

    def catalog(self) -> tuple[list[Tool], list[Capability]]:
        """Every tool and capability by id, as `Catalog.from_records` takes them."""
        with self.database.read() as connection:
            tool_rows = connection.execute(select(tools).order_by(tools.c.id)).all()
            capability_rows = connection.execute(select(capabilities).order_by(capabilities.c.id)).all()
            ordered = select(members).order_by(members.c.capability_id, members.c.kind, members.c.position)
            lists: dict[tuple[str, str], list[str]] = {}
            for row in connection.execute(ordered):
                lists.setdefault((row.capability_id, row.kind), []).append(row.member_id)
        return (
            [Tool(row.id, row.text, row.server, row.embedding) for row in tool_rows],
            [
                Capability(
                    id=row.id,
                    text=row.text,
                    tools=tuple(lists.get((row.id, "tool"), ())),
                    capabilities=tuple(lists.get((row.id, "capability"), ())),
                    success_rate=row.success_rate,
                    uses=row.uses,
                    embedding=row.embedding,
                    origin=_origin(row.origin),
                )
                for row in capability_rows
            ],
        )

    def _embedding(self, node: Tool | Capability, kind: str) -> Float32 | None:
        storable_text(node.id, f"the id of a {kind}")
        for name in ("text", "server"):
            if getattr(node, name, ""):
                storable_text(getattr(node, name), f"{kind} {node.id!r}: {name}")
        if node.embedding is None:
            return None
        embedding = vector(node.embedding, None, f"{kind} {node.id!r}: embedding")
        if len(embedding) != self.dimension:
            raise CatalogError(f"{kind} {node.id!r}: embedding has {len(embedding)} dimensions, the store has {self.dimension}")
        return embedding

    def _upsert(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            insert = self.database.insert(table)
            changed = {name: insert.excluded[name] for name in rows[0] if name != "id"}
            connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=changed), rows)


def _tool_row(tool: Tool, now: float, embedding: Float32 | None) -> dict[str, Any]:
    return {"id": tool.id, "text": tool.text, "server": tool.server, "embedding": embedding, "updated_at": now}


def _capability_row(capability: Capability, now: float, embedding: Float32 | None) -> dict[str, Any]:
    return {
        "id": capability.id,
        "text": capability.text,
        "success_rate": capability.success_rate,
        "uses": capability.uses,
        "origin": None if capability.origin is None else orjson.dumps(capability.origin).decode(),
        "embedding": embedding,
        "updated_at": now,
    }


def _origin(stored: str | None) -> Origin:
    found = None if stored is None else orjson.loads(stored)
    return tuple(found) if isinstance(found, list) else found


def _member_rows(capability: Capability) -> list[dict[str, Any]]:
    return [
        {"capability_id": capability.id, "kind": kind, "position": position, "member_id": storable_text(member, "a member's id")}
        for kind, ids in (("tool", capability.tools), ("capability", capability.capabilities))
        for position, member in enumerate(ids)
    ]


def _cosine(x: Float32, y: Float32) -> float:
    x64, y64 = x.astype(np.float64), y.astype(np.float64)
    return float(x64 @ y64 / max(float(np.linalg.norm(x64) * np.linalg.norm(y64)), 1e-300))


def _pages(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _PAGE] for start in range(0, len(ids), _PAGE)]
