"""What one principal ran, and whether that is to count when it asks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._types import Bool, Float32
from ..graph import Catalog, Incidence
from ..model import scoring
from ..model.evidence import Execution, Recent
from ..model.index import Index
from ..model.own import TRUSTS, Own
from ..store import PrincipalMove
from ..traces.record import SUCCESS
from .trial import Trial

MOST = 128  # executions of a principal, the latest
_EACH, _ITSELF = 250, 2500  # bytes of an execution beside its vector, and of a principal beside its executions


@dataclass(frozen=True, eq=False)
class Kept:
    """The executions, the latest last. Immutable, so that readers need no lock.

    Attributes
    ----------
    ids : of their traces
    vectors : (n, d) float32 unit intents
    tools : ids of what each ran
    worked : (n,)
    """

    ids: tuple[str, ...]
    vectors: Float32
    tools: tuple[tuple[str, ...], ...]
    worked: Bool

    def with_one(self, done: Execution) -> "Kept":
        """With one more; it has an embedding."""
        assert done.unit is not None
        unit = done.unit[None]
        return Kept(
            (*self.ids, done.id)[-MOST:],
            unit.copy() if not self.ids else np.concatenate([self.vectors[1 - MOST :], unit]),
            (*self.tools, done.tools)[-MOST:],
            np.append(self.worked, done.outcome >= SUCCESS)[-MOST:],
        )

    def over(self, catalog: Catalog) -> Own:
        """Over the tools of a catalogue; what ran none of them says nothing."""
        column = catalog.tool_column
        rows = [sorted({column[t] for t in ran if t in column}) for ran in self.tools]
        known = np.array([bool(row) for row in rows], bool)
        return Own(self.vectors[known], Incidence.from_rows(row for row in rows if row), self.worked[known])


NOTHING = Kept((), np.zeros((0, 0), np.float32), (), np.zeros(0, bool))


class Habits:
    """One principal. Written to by one thread at a time, read by any.

    Parameters
    ----------
    name : of the principal
    common : what came in lately from nobody in particular, which counts for this principal too

    Attributes
    ----------
    recent : what came in lately of its own, and that
    trial : of its own executions against what all share
    move : what was decided of it last
    read : has the store said what it knows?
    seq : number of the latest trace that it told of
    """

    def __init__(self, name: str, common: Recent) -> None:
        self.name, self.recent, self._common = name, Recent(common), common
        self.trial, self.move, self.read, self.seq = Trial(), PrincipalMove(name), False, 0
        self.kept = NOTHING
        self._made: tuple[Catalog, Own] | None = None

    @property
    def bytes(self) -> int:
        """About as many as it takes."""
        vectors = self.kept.vectors.nbytes
        return _ITSELF + vectors + _EACH * len(self.kept.ids) + self.trial.bytes + self.recent.bytes

    @property
    def counts(self) -> bool:
        """Do its own executions count?"""
        return self.move.mode == "on" or (self.move.mode == "gated" and self.trial.verdict.passed)

    def own(self, index: Index) -> Own | None:
        """Its executions over the tools of an index; None where they do not count."""
        if not self.counts or not self.kept.ids:
            return None
        made = self._made
        if made is None or made[0] is not index.catalog:
            made = self._make(index.catalog)
        return made[1] if len(made[1].vectors) else None

    def decided(self, move: PrincipalMove) -> None:
        """Something was decided of it. Where other executions are to count than before, they have to be read again."""
        before, self.move = self.move, move
        if move.since != before.since:
            self.kept, self.trial, self._made, self.recent = NOTHING, Trial(), None, Recent(self._common)
            self.read, self.seq = False, 0
        self._made = None

    def take(self, done: Execution, shared: Float32 | None, index: Index) -> None:
        """One more execution, after it was ranked by what is known before it.

        Parameters
        ----------
        shared : (1, n_tools) scores of its intent by what all share, None where they cannot be told
        """
        if done.unit is None or done.x is None or done.id in self.kept.ids or done.timestamp < self.move.since:
            return
        column = index.tools.column
        ran = sorted({column[t] for t in done.tools if t in column})
        if shared is not None and ran and done.outcome >= SUCCESS:
            before, x = self.kept.over(index.catalog) if self.kept.ids else None, done.x[None]
            mixes = [shared if before is None else replace(before, trust=t).mixed(shared, x) for t in TRUSTS]
            self.trial.add(shared[0], [z[0] for z in mixes], ran)
        self.kept = self.kept.with_one(done)
        self._make(index.catalog)

    def remember(self, done: Sequence[Execution], index: Index) -> None:
        """What the store knows of it, in the order in which it was run. What a model learned from has no vote about itself."""
        known = set(self.kept.ids)
        new = [e for e in done if e.id not in known and e.x is not None and e.x.shape == (index.dimension,)]
        if new:
            remembered = {key: row for row, key in enumerate(index.channels.channels.memory.ids)}
            x = np.stack([e.x for e in new if e.x is not None])
            without = None if index.learned is None else [remembered.get(e.id, -1) for e in new]
            shared = scoring.score(index, x, "tools", [e.text for e in new], (), without=without)
            for i, execution in enumerate(new):
                self.take(execution, shared[i : i + 1], index)
        self.read = True

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        trust = self.trial.trust
        return {
            "principal": self.name,
            "mode": self.move.mode,
            "since": self.move.since or None,
            "executions": len(self.kept.ids),
            "counts": self.counts,
            "cap": trust.cap,
            "prior": trust.prior,
            "gate": {
                "passed": self.trial.verdict.passed,
                "reason": self.trial.verdict.reason,
                "n": self.trial.n,
                **self.trial.figures(),
            },
            "bytes": self.bytes,
            "read": self.read,
        }

    def _make(self, catalog: Catalog) -> tuple[Catalog, Own]:
        self._made = made = catalog, replace(self.kept.over(catalog), trust=self.trial.trust)
        return made
