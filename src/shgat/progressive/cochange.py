"""Files that change together again and again: closed sets, which are capabilities of a repository.

A set is closed where no further file was in every commit that has the set (Pasquier et al., 1999). Found are the closures of all pairs
that are frequent, each the intersection of the commits of its pair.
"""

from collections.abc import Sequence
from typing import NamedTuple

from .changeset import Changeset

SUPPORT = 3  # commits that have the set
LARGEST = 8  # files of a set
MOST = 400  # sets


class Together(NamedTuple):
    """A closed set: its files, ascending, and how many commits have all of them."""

    files: tuple[int, ...]
    support: int


def closed_sets(rows: Sequence[Changeset], most: int = MOST) -> list[Together]:
    """Those that the most commits have, ties by their files; sets of more than eight files are left out."""
    commits: dict[int, list[int]] = {}
    for i, change in enumerate(rows):
        if len(change.files) > 1:
            for file in change.files:
                commits.setdefault(file, []).append(i)
    where = {file: set(found) for file, found in commits.items() if len(found) >= SUPPORT}
    members = [frozenset(c.files) for c in rows]
    found: dict[tuple[int, ...], int] = {}
    for a in sorted(where):
        partners: dict[int, int] = {}
        for i in where[a]:
            for b in members[i]:
                if b > a and b in where:
                    partners[b] = partners.get(b, 0) + 1
        for b, n in partners.items():
            if n < SUPPORT:
                continue
            shared = iter(where[a] & where[b])
            closure = members[next(shared)]
            for i in shared:
                if len(closure) == 2:
                    break
                closure &= members[i]
            if len(closure) <= LARGEST:
                found[tuple(sorted(closure))] = n
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [Together(files, n) for files, n in ordered[:most]]
