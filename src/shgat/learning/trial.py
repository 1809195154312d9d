"""Is a principal served better with what it ran itself than by what all share? Each of its executions says so before it is learned from.

Progressive validation: an execution that worked is first ranked by the shared scores, and by them with the executions before it, under each
of several trusts. The one that made what was run most likely so far is taken, and the house's gate compares its ranking with the shared one.
"""

from collections.abc import Sequence

import numpy as np

from .._types import Float32
from ..graph import Incidence
from ..metrics.gate import Verdict, compare, decide
from ..metrics.ranking import criterion, per_query
from ..model.channels import log_softmax
from ..model.own import TRUSTS, Trust

KEPT = 256  # executions, the latest, that decide
FIRST, AGAIN = 20, 1.5  # executions before the first verdict, and times as many before the next
PATIENCE = 64  # executions between two verdicts at most
_SHARED = "shared"


class Trial:
    """Of one principal.

    Attributes
    ----------
    n : executions that were looked at
    verdict : the latest
    """

    def __init__(self) -> None:
        self.n, self._next = 0, FIRST
        # Of each execution: criterion and log-likelihood, ours and theirs, and the log-likelihood under each trust.
        self._rows: Float32 = np.zeros((0, 4 + len(TRUSTS)), np.float32)
        self.verdict = Verdict(False, f"it is too early to tell: {FIRST} executions that worked are needed")

    @property
    def trust(self) -> Trust:
        """That under which what was run was most likely, the most careful one at first."""
        return TRUSTS[self._best]

    @property
    def bytes(self) -> int:
        """As many as its figures take."""
        return self._rows.nbytes

    @property
    def _best(self) -> int:
        return int(np.argmax(self._rows[:, 4:].sum(axis=0)))

    def add(self, shared: Float32, mixed: Sequence[Float32], ran: Sequence[int]) -> None:
        """One execution that worked.

        Parameters
        ----------
        shared : (n_tools,) scores
        mixed : one for each of `TRUSTS`, (n_tools,) scores with the executions before it
        ran : columns of the tools, ascending
        """
        theirs, ours = shared, mixed[self._best]
        quality = criterion(per_query(np.stack([theirs, ours]), Incidence.from_rows([ran, ran]), (5,)))
        logs = [float(row[list(ran)].mean()) for row in log_softmax(np.stack([shared, *mixed]))]
        row = np.array([[quality[1], quality[0], logs[1 + self._best], *logs]], np.float32)
        self._rows = np.concatenate([self._rows[1 - KEPT :], row])
        self.n += 1
        if self.n >= self._next:
            self._next = self.n + min(int((AGAIN - 1.0) * self.n), PATIENCE)
            self.verdict = self._judged()

    def figures(self) -> dict[str, float]:
        """Mean criterion and log-likelihood of both rankings, over the executions that decide."""
        if not self.n:
            return {}
        names = ("own", _SHARED, "own_log_likelihood", "shared_log_likelihood")
        return dict(zip(names, self._rows[:, :4].mean(axis=0).tolist(), strict=True))

    def _judged(self) -> Verdict:
        ours, theirs, likely, shared = self._rows[:, :4].astype(np.float64).T
        rng = np.random.default_rng(0)
        comparisons = (
            compare(_SHARED, "all", ours, theirs, rng, name="own"),
            compare(_SHARED, "all", likely, shared, rng, name="own", measure="likelihood"),
        )
        return decide([c for c in comparisons if c is not None], (_SHARED,))
