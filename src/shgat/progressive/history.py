"""The history of a repository, from its first commit to its head, as a stream.

Order: parents before children; among those whose parents are all out, the earlier committer time first, then the smaller id. A clock that
went backwards, or one that is wrong on one machine, cannot put a commit before what it was built on.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from .._check import brief
from ..errors import InputError, RepositoryError
from .git import Git, is_sha

MOST_FILES = 500  # of a commit that are kept; the others are counted
LONGEST = 1 << 16  # bytes of a message that are kept
_HELD = 1 << 17  # bytes of a field that are held while it is read
_FIELDS = 7
_FORMAT = "%H%x00%P%x00%at%x00%ct%x00%an%x00%ae%x00%B"
_LATEST = (1 << 63) - 1  # seconds


class Change(NamedTuple):
    """What a commit did to one file. `old` and `new` are blob ids, all zeros where there is none."""

    status: str
    mode: str
    old: bytes
    new: bytes
    path: bytes


class Commit(NamedTuple):
    """One commit. `changes` has at most `MOST_FILES`, `n_changes` counts all; a merge has none.

    `length` is that of the message in bytes, of which `message` has the first `LONGEST`.
    """

    sha: str
    parents: tuple[str, ...]
    authored: int | None
    committed: int | None
    name: bytes
    email: bytes
    message: bytes
    length: int
    changes: list[Change]
    n_changes: int


@dataclass
class History:
    """What HEAD leads to.

    Attributes
    ----------
    git : the repository
    since : a commit; it and what it was built on are left out, "" for none
    """

    git: Git
    since: str = ""

    def __post_init__(self) -> None:
        if self.since and not is_sha(self.since):
            raise InputError(f"since is the id of a commit, 4 to 64 of 0-9a-f, not {brief(self.since)}")

    @classmethod
    def of(cls, path: Path, since: str = "") -> "History":
        """The history of the repository at a path."""
        return cls(Git(path), since)

    @cached_property
    def head(self) -> str:
        """The id of the commit that HEAD names, "" where there is none yet."""
        try:
            return self.git.output("rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode().strip()
        except RepositoryError:
            name = self.git.output("rev-parse", "--git-dir")  # is it a repository at all?
            if name and self._unborn():
                return ""
            raise

    def _unborn(self) -> bool:
        """Is HEAD a branch without a commit?"""
        try:
            branch = self.git.output("symbolic-ref", "--quiet", "HEAD").decode().strip()
            found = self.git.output("for-each-ref", "--format=%(refname)", branch).decode().split()
        except RepositoryError:
            return False
        return branch not in found

    @cached_property
    def boundary(self) -> frozenset[str]:
        """Commits whose parents a shallow copy does not have: what they changed is not known."""
        name = self.git.output("rev-parse", "--git-path", "shallow").decode().rstrip("\n")
        path = Path(name)
        return frozenset(path.read_text().split()) if path.is_file() else frozenset()

    @cached_property
    def graph(self) -> dict[str, tuple[int, tuple[str, ...]]]:
        """Id -> committer time and parents, of each commit."""
        if not self.head:
            return {}
        arguments = [
            "rev-list",
            "--parents",
            "--timestamp",
            "--end-of-options",
            "HEAD",
            *([f"^{self.since}"] if self.since else []),
        ]
        found = {}
        for line in b"".join(self.git.stream(*arguments)).decode().splitlines():
            time, sha, *parents = line.split()
            found[sha] = (min(int(time), _LATEST), tuple(parents))
        return found

    @cached_property
    def order(self) -> list[str]:
        """All ids, parents first."""
        waiting = {sha: sum(p in self.graph for p in parents) for sha, (_, parents) in self.graph.items()}
        children: dict[str, list[str]] = {}
        for sha, (_, parents) in self.graph.items():
            for parent in parents:
                children.setdefault(parent, []).append(sha)
        ready = [(self.graph[sha][0], sha) for sha, n in waiting.items() if not n]
        heapq.heapify(ready)
        order = []
        while ready:
            sha = heapq.heappop(ready)[1]
            order.append(sha)
            for child in children.get(sha, ()):
                waiting[child] -= 1
                if not waiting[child]:
                    heapq.heappush(ready, (self.graph[child][0], child))
        return order

    @property
    def roots(self) -> tuple[str, ...]:
        """Ids of the commits without a parent, sorted: what makes forks and mirrors one."""
        return tuple(sorted(sha for sha, (_, parents) in self.graph.items() if not parents))

    def commits(self) -> Iterator[Commit]:
        """Each commit with what it changed, in order. A commit of `boundary` changes nothing that is known, and has no changes.

        Raises
        ------
        RepositoryError
            where git cannot read on, as in a copy that lacks trees. What came before is not the whole history.
        """
        if not self.order:
            return
        stream = self.git.stream(
            "log",
            "-z",
            "--raw",
            "--no-renames",
            "--no-abbrev",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--no-notes",
            "--no-relative",
            "--ignore-submodules=none",
            "--no-walk=unsorted",
            f"--format={_FORMAT}",
            "--stdin",
            lines=(sha.encode() + b"\n" for sha in self.order),
        )
        n = 0
        for commit in _commits(_fields(stream)):
            n += 1
            yield commit if commit.sha not in self.boundary else commit._replace(changes=[], n_changes=0, parents=())
        if n != len(self.order):
            raise RepositoryError(f"{self.git.folder}: git log gave {n} of {len(self.order)} commits")


def _fields(stream: Iterator[bytes]) -> Iterator[tuple[bytes, int]]:
    """The fields between NULs and their lengths; of one that is longer, the first `_HELD` bytes and a little more."""
    held, length = b"", 0
    for chunk in stream:
        first, *rest = chunk.split(b"\0")
        length += len(first)
        if len(held) < _HELD:
            held += first
        for part in rest:
            yield held, length
            held, length = part, len(part)
    if length:
        yield held, length


def _commits(fields: Iterator[tuple[bytes, int]]) -> Iterator[Commit]:
    """Fields of `_FORMAT` and behind them, for each file, ":modes blobs status" and a path."""
    following = next(fields, None)
    while following is not None:
        try:
            head = [following[0], *(next(fields)[0] for _ in range(_FIELDS - 2))]
            message, length = next(fields)
        except StopIteration:
            return  # it was cut off; the exit code says so
        changes: list[Change] = []
        n = 0
        while (following := next(fields, None)) is not None:
            about = following[0].lstrip(b"\n")
            if about[:1] != b":":
                break
            path = next(fields, (b"", 0))[0]
            n += 1
            if n <= MOST_FILES:
                old_mode, mode, old, new, status = about[1:].decode("ascii").split(" ")
                kept = mode if mode != "000000" else old_mode
                changes.append(Change(status[0], kept, old.encode(), new.encode(), path))
        sha, parents, authored, committed, name, email = head
        yield Commit(
            sha.decode("ascii"),
            tuple(parents.decode("ascii").split()),
            _seconds(authored),
            _seconds(committed),
            name,
            email,
            message[:LONGEST],
            length,
            changes,
            n,
        )


def _seconds(text: bytes) -> int | None:
    """Seconds since 1970, None where a commit does not say."""
    try:
        return max(-_LATEST, min(int(text), _LATEST))
    except ValueError:
        return None
