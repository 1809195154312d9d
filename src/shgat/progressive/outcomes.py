"""How commits went: taken back, mended within three days, or neither.

What becomes of a commit lies in its future. So an outcome is known only where its three days were over before what is learned from ends.
"""

import re
from collections.abc import Sequence

import numpy as np

from .._types import Bool, Float32
from .changeset import Changeset

EMBARGO = 3 * 86_400  # seconds
REVERTED, MENDED, WORKED = 0.0, 0.5, 1.0
_REVERTS = re.compile(r"This reverts commit ([0-9a-f]{7,64})")
_MENDS = re.compile(r"\b(?:fix|bug|hotfix|regression|typo|broken|oops)", re.IGNORECASE)


def outcomes(rows: Sequence[Changeset]) -> tuple[Float32, Bool]:
    """Outcome of each row, and whether it is known, from these rows alone; (n,), (n,).

    A row is `REVERTED` where a later one says so, `MENDED` where a later one whose subject speaks of a fix touches at least half of its
    files within three days, else `WORKED`.
    """
    found = np.full(len(rows), WORKED, np.float32)
    at = {change.sha: i for i, change in enumerate(rows)}
    last: dict[int, list[int]] = {}
    for i, change in enumerate(rows):
        for sha in _REVERTS.findall(change.message):
            back = at.get(sha) if len(sha) >= 40 else next((k for s, k in at.items() if s.startswith(sha)), None)
            if back is not None and back < i:
                found[back] = REVERTED
        if _MENDS.search(change.subject):
            shared: dict[int, int] = {}
            for file in change.files:
                for k in last.get(file, ()):
                    shared[k] = shared.get(k, 0) + 1
            for k, n in shared.items():
                soon = 0 <= change.time - rows[k].time <= EMBARGO
                if soon and 2 * n >= len(rows[k].files):
                    found[k] = min(found[k], MENDED)
        for file in change.files:
            last.setdefault(file, []).append(i)
            del last[file][:-8]  # those of long ago are over
    end = max((c.time for c in rows), default=0)
    return found, np.array([c.time + EMBARGO <= end for c in rows], bool)
