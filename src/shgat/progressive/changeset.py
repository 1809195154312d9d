"""Commits as what learns from them sees them: who, when, in which words, and which files by an identity that outlives their names.

A file that was moved, content and all, stays the same file (`of` in its event). Merges, commits that touch nothing, and those that touch
more than thirty files say nothing of what belongs together and are left out; what they add, move and delete still counts for which files
are there.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .unit import MOST_TOGETHER

_TRAILER = re.compile(r"^(?:[A-Z][\w-]+-by|Change-Id|Reviewed-on|git-svn-id|Co-authored-by): .*$", re.MULTILINE | re.IGNORECASE)
_LONGEST = 2000  # characters of a message that are read


@dataclass(frozen=True, slots=True)
class Changeset:
    """One commit.

    Attributes
    ----------
    seq : its number in the history
    sha : its id
    time : committer time, seconds since 1970; that of the commit before it where it does not say
    author : mail address
    message : without trailers
    files : identities of what it touched, ascending
    added, removed : identities of what came and went with it, moves aside
    paths : of `files`, as they were then
    label : that the rules are surest of
    """

    seq: int
    sha: str
    time: int
    author: str
    message: str
    files: tuple[int, ...]
    added: frozenset[int]
    removed: frozenset[int]
    paths: tuple[str, ...]
    label: str

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


@dataclass
class Files:
    """Which files there are, by identity.

    Attributes
    ----------
    paths : identity -> the last path it had
    alive : identity -> is it there?
    """

    paths: list[str] = field(default_factory=list)
    alive: list[bool] = field(default_factory=list)
    _at: dict[str, int] = field(default_factory=dict)

    def touched(self, files: list[dict[str, Any]]) -> tuple[dict[int, str], set[int], set[int]]:
        """Takes in the files of one event; (identity -> path then, what came, what went)."""
        moved = {f["of"]: f["p"] for f in files if "of" in f and f["of"] in self._at and self._there(f["of"])}
        for old, new in moved.items():
            identity = self._at.pop(old)
            self._at[new] = identity
            self.paths[identity] = new
        found, came, went = dict[int, str](), set[int](), set[int]()
        for file in files:
            path = file["p"]
            if path in moved:
                continue  # it went elsewhere
            known = self._at.get(path)
            if known is None:
                known = self._at[path] = len(self.paths)
                self.paths.append(path)
                self.alive.append(False)
            found[known] = path
            now = file["s"] != "D"
            if now and not self.alive[known]:
                came.add(known)
            elif self.alive[known] and not now:
                went.add(known)
            self.alive[known] = now
        return found, came, went

    def _there(self, path: str) -> bool:
        return self.alive[self._at[path]]


@dataclass(frozen=True)
class Changes:
    """A history as changesets. Those of the first events have the same identities as those of all of them.

    Attributes
    ----------
    name : of the repository
    rows : the changesets, in order
    lives : identity -> rows before which it came, went, came again, and so on
    first_paths, last_paths : identity -> its first and last path
    n_events : commits in all
    """

    name: str
    rows: list[Changeset]
    lives: list[list[int]]
    first_paths: list[str]
    last_paths: list[str]
    n_events: int

    @classmethod
    def of(cls, events: Iterable[dict[str, Any]], name: str = "") -> "Changes":
        """The changesets of the events of one history, in their order; records of other kinds are passed over."""
        files, rows, first = Files(), list[Changeset](), list[str]()
        lives, n, time = list[list[int]](), 0, 0
        for event in events:
            if event.get("kind") != "event":
                continue
            n += 1
            time = time if event["ct"] is None else int(event["ct"])
            found, came, went = files.touched(event["files"])
            first.extend(files.paths[len(first) :])
            usable = len(event["parents"]) < 2 and not event.get("boundary") and not event["truncated"]
            usable = usable and 0 < len(found) <= MOST_TOGETHER
            lives.extend([] for _ in range(len(files.paths) - len(lives)))
            for identity in came | went:  # in this row, so from the next one on
                lives[identity].append(len(rows) + usable)
            if usable:
                touched = tuple(sorted(found))
                best = max(event["labels"], key=lambda label: label["p"])
                message = _TRAILER.sub("", event["msg"][:_LONGEST]).strip()
                paths, label = tuple(found[i] for i in touched), best["t"]
                rows.append(
                    Changeset(
                        event["seq"],
                        event["sha"],
                        time,
                        event["ae"],
                        message,
                        touched,
                        frozenset(came),
                        frozenset(went),
                        paths,
                        label,
                    )
                )
        return cls(name, rows, lives, first, files.paths, n)

    def first(self, row: int) -> "Changes":
        """The rows before one, as a history that ends there; files keep the last path that they then had."""
        rows, paths = self.rows[:row], list(self.first_paths)
        for change in rows:
            for file, path in zip(change.files, change.paths, strict=True):
                paths[file] = path
        lives = [turns[: bisect_right(turns, row)] for turns in self.lives]
        return Changes(self.name, rows, lives, self.first_paths, paths, rows[-1].seq + 1 if rows else 0)

    def alive(self, row: int) -> list[int]:
        """Identities of the files that are there before a row, ascending."""
        return [i for i, turns in enumerate(self.lives) if bisect_right(turns, row) % 2]
