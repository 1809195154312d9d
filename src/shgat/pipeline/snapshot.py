"""The traces of a run: chosen once, kept by their ids alone, and read again by every step that needs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from .._files import open_regular, reason, sha256, write_atomically
from ..errors import InputError
from ..graph import Catalog
from ..learning.shares import Shares
from ..metrics.splits import duration
from ..store import Portion, Store
from ..traces import Trace, Traces
from .settings import DataSettings

_FILE = "traces.json"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Attributes
    ----------
    train : ids of the traces that the candidate learns from, by time
    held_out : ids of the later ones that it is compared on
    fingerprint : of all of them and of the catalogue
    """

    train: tuple[str, ...]
    held_out: tuple[str, ...]
    fingerprint: str

    @classmethod
    def of(cls, traces: Sequence[Trace], catalog: Catalog, settings: DataSettings) -> "Snapshot":
        """Of the traces that the catalogue can use: the latest of those that worked are held out, and what failed since; no principal has more
        than its share of the others.

        Raises
        ------
        InputError
            where nothing is left to learn from.
        """
        known, capabilities = catalog.tool_column, catalog.capability_column
        usable = [
            t for t in traces
            if t.embedding is not None and t.tools and all(tool in known for tool in (*t.tools, *t.context_tools))
            and (t.capability is None or t.capability in capabilities)
        ]  # fmt: skip
        usable.sort(key=lambda t: (t.timestamp or 0.0, t.seq))
        worked = [i for i, t in enumerate(usable) if t.succeeded]  # what failed says not which tool would have been right
        at = worked[-max(1, round(settings.held_out * len(worked)))] if worked else 0
        train, held = usable[:at], usable[at:]
        if not train:
            said = f"{len(worked)} of {len(traces)} traces can be used and worked"
            raise InputError(f"{said}: too few to learn from some and to hold others out")
        sizes: dict[str, int] = {}
        for t in train:
            sizes[t.principal] = sizes.get(t.principal, 0) + 1
        shares = Shares.of({name: Portion(n, 0) for name, n in sizes.items()}, settings.share)
        train = shares.within(train[::-1])[::-1]  # the latest of each
        ids = tuple(t.id for t in train), tuple(t.id for t in held)
        return cls(*ids, sha256(orjson.dumps([ids, catalog.checksum])))

    def save(self, folder: Path) -> None:
        """Writes the ids to the folder of a run."""
        write_atomically(folder / _FILE, orjson.dumps(vars(self)))

    @classmethod
    def load(cls, folder: Path) -> "Snapshot":
        """What `save` wrote; InputError where it is not there, or is something else."""
        try:
            with open_regular(folder / _FILE) as file:
                found = orjson.loads(file.read())
            return cls(tuple(found["train"]), tuple(found["held_out"]), found["fingerprint"])
        except (OSError, ValueError, TypeError, KeyError) as error:
            why = reason(error) if isinstance(error, OSError) else "it is torn"
            raise InputError(f"cannot read {folder / _FILE}: {why}; begin anew with --again") from None

    def records(self, store: Store, ids: Sequence[str]) -> list[Trace]:
        """The traces of the ids, in their order; InputError where one has been removed from the store."""
        found = store.traces_of(ids)
        if gone := [key for key in ids if key not in found]:
            raise InputError(
                f"{len(gone)} of the {len(ids)} traces of this run are no more in the store, {gone[0]!r} is the first: begin anew with --again"
            )
        return [found[key] for key in ids]

    def learned_from(self, store: Store) -> list[Trace]:
        """What the candidate learns from."""
        return self.records(store, self.train)

    def compared_on(self, store: Store, catalog: Catalog) -> Traces:
        """What it is compared on, in columns of the catalogue."""
        return Traces.from_records(self.records(store, self.held_out), catalog)

    def to_dict(self) -> dict[str, Any]:
        """Its sizes and its fingerprint, as JSON values."""
        return {"train": len(self.train), "held_out": len(self.held_out), "fingerprint": self.fingerprint}


def latest(store: Store, settings: DataSettings, user_id: str, now: float) -> list[Trace]:
    """A user's traces of the window up to now."""
    return store.traces_since(now - duration(settings.window), settings.most, user_id)
