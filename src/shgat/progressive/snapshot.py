"""A repository as SHGAT sees it at one moment: files that are there as tools, folders and sets that change together as capabilities,
commits before that moment as traces with their outcome.

Every commit that is learned from says two things: its message leads to its files, and one of its files leads to the others. Vectors are
words and their trigrams, hashed (`shgat.model.hashing`), the same for all repositories, so that one model's parameters fit them all.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._types import Float32
from ..graph import Capability, Catalog, Tool
from ..model.hashing import HASHED_WORDS, hashed
from ..model.words import words
from ..traces import Trace, Traces
from .changeset import Changes, Changeset
from .cochange import Together
from .outcomes import outcomes

DIMENSION = 256
ENCODER = f"{HASHED_WORDS}-1-{DIMENSION}"
_READ = 400  # characters of a message that are an intent
_NOTHING = "file"  # of a path or a message without a word
_SAID = 0.5  # weight of the messages in a file's vector, beside its path


def vectors(texts: Sequence[str]) -> Float32:
    """(n, 256) unit vectors of texts; those without a word are all the same."""
    return hashed([text if words(text) else _NOTHING for text in texts], DIMENSION)


def spoken(path: str) -> str:
    """A path as words."""
    return " ".join(words(path)) or _NOTHING


def intent(change: Changeset, masked: bool = False) -> str:
    """What a commit's message asks for; masked: without words that are names of files that it touched."""
    text = change.message[:_READ]
    if not masked:
        return text
    names = {word for path in change.paths for word in words(path.rpartition("/")[2].rpartition(".")[0] or path)}
    return " ".join(word for word in words(text) if word not in names)


@dataclass(frozen=True)
class Snapshot:
    """The files and the past at one row.

    Attributes
    ----------
    changes : the history; nothing of it from `row` on is read
    row : the moment
    together : sets of files that change together, found at this row or before
    alive : identities of the files that are there, ascending: the columns of the catalogue
    """

    changes: Changes
    row: int
    together: tuple[Together, ...]
    alive: tuple[int, ...]

    @classmethod
    def at(cls, changes: Changes, row: int, together: Sequence[Together] = ()) -> "Snapshot":
        """That before a row."""
        return cls(changes, row, tuple(together), tuple(changes.alive(row)))

    @cached_property
    def column(self) -> dict[int, int]:
        """Identity -> column."""
        return {identity: i for i, identity in enumerate(self.alive)}

    @cached_property
    def paths(self) -> list[str]:
        """Of the columns, as they are at this moment."""
        now = dict[int, str]()
        for change in self.changes.rows[: self.row]:
            now.update(zip(change.files, change.paths, strict=True))
        return [now.get(i, self.changes.first_paths[i]) for i in self.alive]

    @cached_property
    def ids(self) -> list[str]:
        """Of the tools: the identity and its first path, so that a file that is moved keeps its id."""
        return [f"{i} {self.changes.first_paths[i]}" for i in self.alive]

    @cached_property
    def catalog(self) -> Catalog:
        """The tools and capabilities."""
        texts = [spoken(path) for path in self.paths]
        rows = self._file_vectors(texts)
        tools = [Tool(id=i, text=text, embedding=x) for i, text, x in zip(self.ids, texts, rows, strict=True)]
        return Catalog.from_records(tools, [*self._folders(rows), *self._sets(rows)], encoder=ENCODER)

    @cached_property
    def traces(self) -> Traces:
        """`records` as columns."""
        return Traces.from_records(self.records, self.catalog)

    @cached_property
    def records(self) -> list[Trace]:
        """Of the rows before this moment whose outcome is known, those of messages and of files, in order."""
        rows = self.changes.rows[: self.row]
        outcome, known = outcomes(rows)
        x = vectors([intent(c) for c in rows])
        of_files = self.catalog.tool_embeddings
        assert of_files is not None
        found = []
        for i in np.flatnonzero(known).tolist():
            change, time = rows[i], float(max(rows[i].time, 0))
            there = [f for f in change.files if f in self.column]
            ids = tuple(self.ids[self.column[f]] for f in there)
            if ids:
                found.append(
                    Trace(
                        id=change.sha, intent=intent(change), tools=ids, outcome=float(outcome[i]), embedding=x[i], timestamp=time
                    )
                )
            if len(ids) > 1:
                k = asked_of(change.sha, len(there))
                column, others = self.column[there[k]], ids[:k] + ids[k + 1 :]
                found.append(
                    Trace(
                        id=f"{change.sha} file", intent=spoken(self.paths[column]), tools=others, outcome=float(outcome[i]),
                        embedding=of_files[column], timestamp=time,
                    )
                )  # fmt: skip
        return found

    def _file_vectors(self, texts: list[str]) -> Float32:
        """(n, d) of the path, and of the messages that spoke of the file."""
        own = vectors(texts)
        if not self.row:
            return own
        rows = self.changes.rows[: self.row]
        pairs = [(i, self.column[f]) for i, c in enumerate(rows) for f in c.files if f in self.column]
        total = np.zeros_like(own)
        if pairs:
            at, column = np.array(pairs).T
            np.add.at(total, column, vectors([intent(c) for c in rows])[at])
        total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
        mixed = own + np.float32(_SAID) * total
        return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), np.float32)

    def _folders(self, rows: Float32) -> list[Capability]:
        """A folder holds its files and the folders in it that hold something."""
        files: dict[str, list[int]] = {}
        inner: dict[str, set[str]] = {}
        for column, path in enumerate(self.paths):
            folder = path.rpartition("/")[0]
            files.setdefault(folder, []).append(column)
            while folder:
                above = folder.rpartition("/")[0]
                inner.setdefault(above, set()).add(folder)
                folder = above
        found = []
        for folder in sorted(files.keys() | inner.keys()):
            held = [self.ids[c] for c in files.get(folder, [])]
            below = [f"folder {name}" for name in sorted(inner.get(folder, ()))]
            if len(held) + len(below) > 1 or below:
                x = vectors([spoken(folder)])[0]
                found.append(
                    Capability(
                        id=f"folder {folder}", text=spoken(folder), tools=tuple(held), capabilities=tuple(below), embedding=x
                    )
                )
        kept = {c.id for c in found}
        return [
            Capability(
                id=c.id, text=c.text, tools=c.tools, capabilities=tuple(b for b in c.capabilities if b in kept), embedding=c.embedding
            )
            for c in found
        ]  # fmt: skip

    def _sets(self, rows: Float32) -> list[Capability]:
        found = []
        for files, support in self.together:
            columns = [self.column[f] for f in files if f in self.column]
            if len(columns) < 2:
                continue
            x = rows[columns].mean(axis=0)
            length = float(np.linalg.norm(x))
            text = " ".join(spoken(self.paths[c]) for c in columns)
            name = f"set {' '.join(str(f) for f in files)}"
            tools = tuple(self.ids[c] for c in columns)
            found.append(
                Capability(
                    id=name, text=text, tools=tools, uses=support, embedding=x / length if length > 1e-6 else rows[columns[0]]
                )
            )
        return found


def asked_of(sha: str, n: int) -> int:
    """Which of n files of a commit leads to the others: as good as drawn, and always the same."""
    return zlib.crc32(sha.encode()) % n


def rows_of(changes: Changes, share: float) -> int:
    """The row before which that share of the commits lies."""
    return int(len(changes.rows) * share)
