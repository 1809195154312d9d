"""Records by columns: all messages together, all times together, each path once. It compresses far better than lines do, and gives back
every bit of every line.

Only an event that is exactly what `events.event` writes goes into columns. Everything else, other kinds and kinds that nobody knows yet,
is kept as the line that it is.
"""

import re
from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

from ..errors import CorruptError
from .events import VERSION, canonical
from .varints import differences, pack, sums, unpack

_SHA = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_NEEDED = {"v", "kind", "unit", "seq", "sha", "parents", "at", "ct", "an", "ae", "msg", "files", "n_files", "truncated", "labels"}
_MAY = {"msg_b64", "msg_len", "boundary"}
_FILE = ({"p", "s", "mode"}, {"of", "b64"})
_FIT = 1 << 62


class Encoder:
    """Lines to columns.

    Attributes
    ----------
    n : lines so far
    """

    def __init__(self) -> None:
        self.n = 0
        self._numbers = {name: array("q") for name in ("form", "shape", "unit", "seq", "at", "lag", "who", "parents", "back", "size",
                         "label", "n_files", "kind", "path", "of", "len")}  # fmt: skip
        self._lists: dict[str, dict[Any, int]] = {name: {} for name in ("shape", "unit", "who", "label", "kind", "path")}
        self._shas: dict[str, int] = {}
        self._ids, self._strange = bytearray(), bytearray()
        self._rows: list[bytes] = []
        self._texts: list[bytes] = []
        self._odd: list[bytes] = []
        self._last_at = 0

    def add(self, line: bytes) -> None:
        """One more line."""
        self.n += 1
        record = _event(line)
        self._numbers["form"].append(record is not None)
        if record is None:
            self._rows.append(line)
        else:
            self._add_event(record)

    def _index(self, name: str, value: Any) -> int:
        known = self._lists[name]
        return known.setdefault(value, len(known))

    def _add_event(self, r: dict[str, Any]) -> None:
        put = self._numbers
        sha, at, ct = r["sha"], r["at"], r["ct"]
        shape = (len(sha), at is None, ct is None, "msg_b64" in r, "msg_len" in r, r.get("boundary", False), r["truncated"])
        put["shape"].append(self._index("shape", shape))
        put["unit"].append(self._index("unit", r["unit"]))
        put["seq"].append(r["seq"])
        if at is not None:
            self._last_at = at
        put["at"].append(self._last_at)
        put["lag"].append(0 if ct is None else ct - self._last_at)
        put["who"].append(self._index("who", (r["an"], r["ae"])))
        put["label"].append(self._index("label", canonical(r["labels"]).decode()))
        self._add_ids(sha, r["parents"])
        self._texts.append(r["msg"].encode())
        if "msg_b64" in r:
            self._odd.append(r["msg_b64"].encode())
        if "msg_len" in r:
            put["len"].append(r["msg_len"])
        files = r["files"]
        put["size"].append(len(files))
        put["n_files"].append(r["n_files"] - len(files))
        for f in files:
            put["kind"].append(self._index("kind", (f["s"], f["mode"], "of" in f, "b64" in f)))
            put["path"].append(self._index("path", f["p"]))
            if "of" in f:
                put["of"].append(self._index("path", f["of"]))
            if "b64" in f:
                self._odd.append(f["b64"].encode())

    def _add_ids(self, sha: str, parents: list[str]) -> None:
        self._numbers["parents"].append(len(parents))
        place = len(self._shas)
        for parent in parents:
            there = self._shas.get(parent, -1)
            self._numbers["back"].append(place - there if there >= 0 else 0)
            if there < 0:
                self._strange += bytes((len(parent) // 2,)) + bytes.fromhex(parent)
        self._shas[sha if sha not in self._shas else f"{sha} {place}"] = place
        self._ids += bytes.fromhex(sha)

    def columns(self) -> dict[str, bytes]:
        """Name -> bytes, of all lines so far."""
        numbers = {name: np.frombuffer(values, dtype=np.int64) for name, values in self._numbers.items()}
        paths = list(self._lists["path"])
        by_name = sorted(range(len(paths)), key=paths.__getitem__)
        place = np.empty(len(paths), dtype=np.int64)
        place[by_name] = np.arange(len(paths))
        found = {name: pack(numbers[name]) for name in ("shape", "unit", "who", "parents", "back", "size", "label", "n_files", "kind",
                 "len")}  # fmt: skip
        found["form"] = np.packbits(numbers["form"].astype(bool)).tobytes()
        for name in ("seq", "at"):
            found[name] = differences(numbers[name])
        found["lag"] = differences(numbers["lag"])
        found["path"] = differences(place[numbers["path"]])
        found["of"] = differences(place[numbers["of"]])
        lists = {name: list(values) for name, values in self._lists.items()} | {"path": [paths[i] for i in by_name]}
        found["lists"] = canonical(lists)
        found["ids"], found["strange"] = bytes(self._ids), bytes(self._strange)
        found["texts"] = b"\0".join(self._texts)
        found["odd"] = b"\n".join(self._odd)
        found["rows"] = b"\n".join(self._rows)
        return found


def _event(line: bytes) -> dict[str, Any] | None:
    """The record of a line, where columns give back exactly this line."""
    try:
        r = orjson.loads(line)
        keys = r.keys() if isinstance(r, dict) else set()
        if not (keys >= _NEEDED and keys <= _NEEDED | _MAY) or r["kind"] != "event" or r["v"] != VERSION:
            return None
        numbers = [r["seq"], r["n_files"] - len(r["files"]), *(t for t in (r["at"], r["ct"]) if t is not None), r.get("msg_len", 0)]
        if not all(type(n) is int and -_FIT < n < _FIT for n in (*numbers, r["v"])):
            return None
        names = [r["unit"], r["an"], r["ae"], r["msg"], r.get("msg_b64", "")]
        good = (
            numbers[1] >= 0
            and numbers[-1] >= 0
            and all(type(s) is str and "\n" not in s for s in (r["sha"], *r["parents"], names[-1]))
            and all(map(_SHA.match, (r["sha"], *r["parents"])))
            and all(type(s) is str for s in names)
            and "\0" not in r["msg"]
            and type(r["truncated"]) is bool
            and r.get("boundary", True) is True
            and type(r["parents"]) is list
            and all(_FILE[0] <= f.keys() <= _FILE[0] | _FILE[1] and all(type(s) is str for s in f.values()) for f in r["files"])
            and not any("\n" in f.get("b64", "") for f in r["files"])
        )
        return r if good and canonical(r) == line else None
    except (ValueError, TypeError, AttributeError, KeyError):
        return None


def lines(columns: dict[str, bytes], n: int) -> Iterator[bytes]:
    """The lines that were added, each as it was.

    Raises
    ------
    CorruptError
        where the columns do not fit together.
    """
    try:
        yield from _Decoder(columns, n).lines()
    except (ValueError, IndexError, KeyError, TypeError, StopIteration, RuntimeError, OverflowError) as error:
        raise CorruptError(f"columns do not fit together: {type(error).__name__}") from None


class _Decoder:
    def __init__(self, columns: dict[str, bytes], n: int) -> None:
        self._form = np.unpackbits(np.frombuffer(columns["form"], dtype=np.uint8), count=n).tolist()
        self._next = {name: iter(unpack(columns[name]).tolist()).__next__ for name in ("shape", "unit", "who", "parents", "back", "size",
                      "label", "n_files", "kind", "len")}  # fmt: skip
        self._next |= {name: iter(sums(columns[name]).tolist()).__next__ for name in ("seq", "at", "lag", "path", "of")}
        lists: dict[str, Any] = orjson.loads(columns["lists"])
        self._lists = lists
        self._labels = [orjson.loads(text) for text in lists["label"]]
        self._kinds = [(s, mode, of, odd) for s, mode, of, odd in lists["kind"]]
        self._ids: str = columns["ids"].hex()
        self._strange: bytes = columns["strange"]
        self._texts = iter(columns["texts"].split(b"\0"))
        self._odd = iter(columns["odd"].decode().split("\n"))
        self._rows = iter(columns["rows"].split(b"\n"))
        self._shas: list[str] = []
        self._at_id = self._at_strange = 0

    def lines(self) -> Iterator[bytes]:
        dumps, sort = orjson.dumps, orjson.OPT_SORT_KEYS
        for form in self._form:
            yield dumps(self._record(), option=sort) if form else next(self._rows)

    def _record(self) -> dict[str, Any]:
        take, lists = self._next, self._lists
        length, no_at, no_ct, odd, cut, boundary, truncated = lists["shape"][take["shape"]()]
        at, lag = take["at"](), take["lag"]()
        an, ae = lists["who"][take["who"]()]
        sha = self._ids[self._at_id : self._at_id + length]
        self._at_id += length
        if len(sha) != length:
            raise ValueError
        parents = [self._parent() for _ in range(take["parents"]())]
        self._shas.append(sha)
        record: dict[str, Any] = {
            "ae": ae,
            "an": an,
            "at": None if no_at else at,
            "ct": None if no_ct else at + lag,
            "kind": "event",
            "labels": self._labels[take["label"]()],
            "msg": next(self._texts).decode(),
            "parents": parents,
            "seq": take["seq"](),
            "sha": sha,
            "truncated": truncated,
            "unit": lists["unit"][take["unit"]()],
            "v": VERSION,
        }
        if boundary:
            record["boundary"] = True
        if odd:
            record["msg_b64"] = next(self._odd)
        if cut:
            record["msg_len"] = take["len"]()
        size = take["size"]()
        record["files"] = [self._file() for _ in range(size)]
        record["n_files"] = take["n_files"]() + size
        return record

    def _parent(self) -> str:
        back: int = self._next["back"]()
        if back:
            known: str = self._shas[len(self._shas) - back]
            return known
        start = self._at_strange + 1
        self._at_strange = start + self._strange[start - 1]
        return self._strange[start : self._at_strange].hex()

    def _file(self) -> dict[str, Any]:
        take, paths = self._next, self._lists["path"]
        s, mode, of, odd = self._kinds[take["kind"]()]
        file = {"mode": mode, "p": paths[take["path"]()], "s": s}
        if of:
            file["of"] = paths[take["of"]()]
        if odd:
            file["b64"] = next(self._odd)
        return file
