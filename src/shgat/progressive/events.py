"""Records of the ledger, and the one way to write each of them.

A record is one line of canonical JSON: UTF-8, keys sorted, no blanks, whole numbers and strings only, so that the same record has the
same bytes, and so the same hash, everywhere.
"""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import orjson

from .history import MOST_FILES, Change, Commit, History
from .labels import labels

VERSION = 1
EXTRACTOR = {"format": VERSION, "most_files": MOST_FILES, "renames": "identical content", "labels": "rules 1"}

Record = dict[str, Any]


def canonical(record: Any) -> bytes:
    """The bytes of a record, without a line feed."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def digest(*parts: bytes) -> str:
    """SHA-256 of canonical bytes, hexadecimal."""
    return hashlib.sha256(b"".join(parts)).hexdigest()


CONFIG = digest(canonical(EXTRACTOR))[:16]


def lineage_of(roots: tuple[str, ...]) -> str:
    """What a repository has in common with its forks and mirrors, under this configuration: 32 digits."""
    return digest(canonical([CONFIG, sorted(roots)]))[:32]


def unit_of(lineage: str, head: str) -> str:
    """A piece of work: one repository at one head, read in one way; 16 digits."""
    return digest(canonical([lineage, head]))[:16]


def text(value: bytes) -> str:
    """Text of bytes; those that are no UTF-8 are written \\xff."""
    return value.decode("utf-8", "backslashreplace")


def is_text(value: bytes) -> bool:
    """Is it UTF-8?"""
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def event(commit: Commit, unit: str, seq: int, boundary: bool = False) -> Record:
    """The record of a commit.

    Its keys: `v`, `kind`, `unit`, `seq`; `sha`, `parents`, `at` and `ct` (author and committer time, seconds since 1970, null where the
    commit does not say), `an`, `ae`; `msg`, beside it `msg_b64` where it is no UTF-8 and `msg_len` (bytes) where it was cut; `files`,
    each with `p`, `s` (A, M, D or T), `mode`, `of` where its content was moved from another path of the commit, and `b64` where the path
    is no UTF-8; `n_files`, `truncated`, `labels`; `boundary` where the copy was shallow there.
    """
    message = text(commit.message)
    record: Record = {
        "v": VERSION,
        "kind": "event",
        "unit": unit,
        "seq": seq,
        "sha": commit.sha,
        "parents": commit.parents,
        "at": commit.authored,
        "ct": commit.committed,
        "an": text(commit.name),
        "ae": text(commit.email),
        "msg": message,
        "files": _files(commit.changes),
        "n_files": commit.n_changes,
        "truncated": commit.n_changes > len(commit.changes),
    }
    record["labels"] = labels(message, record["files"])
    if not is_text(commit.message):
        record["msg_b64"] = base64.b64encode(commit.message).decode()
    if commit.length > len(commit.message):
        record["msg_len"] = commit.length
    if boundary:
        record["boundary"] = True
    return record


def _files(changes: list[Change]) -> list[Record]:
    """A file that came with the content of one that went is that file, moved; blob ids say so, and no content is read."""
    gone: dict[bytes, bytes] = {}
    if any(c.status == "A" for c in changes):
        for c in changes:
            if c.status == "D":
                gone.setdefault(c.old, c.path)
    files = []
    for c in changes:
        file: Record = {"p": text(c.path), "s": c.status, "mode": c.mode}
        if not is_text(c.path):
            file["b64"] = base64.b64encode(c.path).decode()
        if gone and c.status == "A" and c.new in gone:
            file["of"] = text(gone[c.new])
        files.append(file)
    return files


def events(history: History, unit: str = "", first: int = 0) -> Iterator[Record]:
    """The records of a history, numbered from `first`."""
    name = unit or (unit_of(lineage_of(history.roots), history.head) if history.head else "")
    for seq, commit in enumerate(history.commits(), first):
        yield event(commit, name, seq, commit.sha in history.boundary)
