"""Which capabilities traces gave rise to, and which were declared before any.

While a trace is held out, what was mined from it is not known; what somebody declared is. A capability says so itself, see
`Capability.origin`. Of those that do not, the traces tell. A miner leaves nothing out that was run often enough, and makes nothing that was
not. Who declares foresees neither all that will be done nor only that: of his capabilities some are never used, about as many as the
numbers of those used once and twice let expect (Chao, 1984, Nonparametric estimation of the number of classes in a population).
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._types import Bool, Int64
from ..graph import Capability, Incidence

COMPLETE = 0.95  # share of what was run often enough that a miner made a capability of, at least


@dataclass(frozen=True, eq=False)
class Origins:
    """Attributes
    ----------
    needs : (n_capabilities rows) -> traces without all of which the capability would not be there; none for what was declared
    declared, mined : how many capabilities say so
    unsaid : how many say nothing
    assumed : what those that say nothing are taken for, "declared" or "mined"
    """

    needs: Incidence
    declared: int
    mined: int
    unsaid: int
    assumed: str

    @classmethod
    def of(
        cls,
        capabilities: Sequence[Capability],
        support: Incidence,
        ran: "Counter[frozenset[int]]",
        within: Sequence[frozenset[int]],
        ids: Sequence[str],
    ) -> "Origins":
        """Parameters
        ----------
        support : (n_capabilities rows) -> traces that vouch for it
        ran : how many traces ran exactly these tools
        within : tools of each capability, those of its members included
        ids : of the traces
        """
        unsaid = np.array([c.origin is None for c in capabilities], bool)
        mined = looks_mined(
            support.degrees[unsaid], ran, {tools for tools, one in zip(within, unsaid.tolist(), strict=True) if one}
        )
        row_of = {key: i for i, key in enumerate(ids)} if any(isinstance(c.origin, tuple) for c in capabilities) else {}
        needs = []
        for i, c in enumerate(capabilities):
            rows = support.row(i).tolist()
            if isinstance(c.origin, tuple):
                sources = [row_of[key] for key in c.origin if key in row_of]
                rows = sorted({*rows, *sources}) if len(sources) == len(c.origin) else []  # else others than these gave rise to it
            elif c.origin == "declared" or (c.origin is None and not mined) or (isinstance(c.origin, int) and c.origin > len(rows)):
                rows = []
            needs.append(rows)
        said = sum(c.origin == "declared" for c in capabilities)
        silent = int(unsaid.sum())
        return cls(Incidence.from_rows(needs), said, len(capabilities) - said - silent, silent, "mined" if mined else "declared")

    def to_dict(self) -> dict[str, Any]:
        """The counts, and what is assumed of what says nothing, as JSON values."""
        return {
            "declared": self.declared,
            "mined": self.mined,
            "unsaid": self.unsaid,
            "assumed": self.assumed if self.unsaid else None,
        }

    def unknown(self, training: Bool) -> Bool:
        """(n_capabilities,) capabilities that only traces outside the training part (N,) gave rise to."""
        return (self.needs.degrees > 0) & ~self.needs.touching(training)


def looks_mined(uses: Int64, ran: "Counter[frozenset[int]]", known: set[frozenset[int]]) -> bool:
    """Were capabilities mined from the traces, rather than declared before?

    Parameters
    ----------
    uses : (n,) how many traces vouch for each
    ran : how many traces ran exactly these tools
    known : the tools of the capabilities
    """
    used = uses[uses > 0]
    if not len(used):
        return False
    least = int(used.min())
    often = [tools for tools, n in ran.items() if n >= least and len(tools) > 1]
    if sum(tools in known for tools in often) < COMPLETE * len(often):
        return False
    first, second = int((used == least).sum()), max(1, int((used == least + 1).sum()))
    rate = (least + 1) * second / first  # of a Poisson law, by its neighbouring frequencies
    never = first * math.factorial(least) / rate**least if least < 20 else 0.0
    return bool((uses == 0).sum() < never)
