"""Forecasts that are written down before anybody can know, and resolved once one can.

A forecast is a record of whole numbers and text, its id the digest of what it says, so that making it twice makes it once. It is due when
its horizon is over; a hit or a miss where the history then says so, and censored where it never will: the history was rewritten, or what
was asked about did not come up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from ..errors import CorruptError
from .changeset import Changes
from .disk import Disk
from .events import VERSION, Record, canonical, digest
from .guesses import KINDS, WITHIN, guesses, probabilities, scaling

Result = Literal["hit", "miss", "censored"]
MODEL = "counts 1"
HORIZON = {"label": (1, 30), "touched": (WITHIN, 90), "partner": (50, 90)}  # commits, days
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Forecast:
    """One forecast.

    Attributes
    ----------
    lineage : of the repository
    kind : label, touched or partner
    made_at : time of the commit that it was made after, seconds since 1970
    split_sha : that commit
    query : path that is asked about, "" for a label
    ranked : (candidate, probability), best first
    model : what made it
    """

    lineage: str
    kind: str
    made_at: int
    split_sha: str
    query: str
    ranked: tuple[tuple[str, float], ...]
    model: str = MODEL

    @property
    def id(self) -> str:
        """16 digits."""
        said = [self.lineage, self.kind, self.split_sha, self.query, [[name, _text(p)] for name, p in self.ranked], self.model]
        return digest(canonical(said))[:16]

    def record(self) -> Record:
        """As it is written."""
        commits, days = HORIZON[self.kind]
        return {
            "v": VERSION,
            "kind": "forecast",
            "id": self.id,
            "lineage": self.lineage,
            "of": self.kind,
            "made_at": self.made_at,
            "split_sha": self.split_sha,
            "horizon": {"commits": commits, "days": days},
            "query": self.query,
            "ranked": [[name, _text(p)] for name, p in self.ranked],
            "model": self.model,
        }

    @classmethod
    def of(cls, record: Record) -> "Forecast":
        """The inverse of `record`."""
        ranked = tuple((name, float(p)) for name, p in record["ranked"])
        return cls(
            record["lineage"], record["of"], record["made_at"], record["split_sha"], record["query"], ranked, record["model"]
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Resolution:
    """What came of one.

    Attributes
    ----------
    forecast : its id
    at : time of the commit that said so
    outcome : hit, miss or censored
    rank : of what came among the candidates, from 1; 0 where it is none of them
    """

    forecast: str
    at: int
    outcome: Result
    rank: int = 0

    def record(self) -> Record:
        """As it is written."""
        return {
            "v": VERSION,
            "kind": "resolution",
            "forecast": self.forecast,
            "at": self.at,
            "outcome": self.outcome,
            "rank": self.rank,
        }


def made(changes: Changes, lineage: str, labels: Sequence[str]) -> list[Forecast]:
    """The forecasts at the head of a history; none of a kind of which too few turned out so far."""
    if not changes.rows:
        return []
    found, end = guesses(changes, labels), len(changes.rows)
    head = changes.rows[-1]
    scales = {kind: scaling(found, kind, end) for kind in KINDS}
    open_ones = [g for g in found if g.row == end and g.hit is None]
    forecasts = []
    for guess in open_ones:
        scale = scales[guess.kind]
        if scale is not None:
            ranked = tuple((name, round(p, 6)) for name, p in probabilities(guess, scale))
            forecasts.append(Forecast(lineage, guess.kind, head.time, head.sha, guess.query, ranked))
    return forecasts


def resolved(forecast: Forecast, changes: Changes, row: int | None) -> Resolution | None:
    """What came of a forecast by a later history of its repository; None: it is not due yet.

    Parameters
    ----------
    row : after the commit that it was made after; None: that commit is there no more
    """
    last = changes.rows[-1].time if changes.rows else forecast.made_at
    if row is None:
        return Resolution(forecast.id, last, "censored")
    commits, days = HORIZON[forecast.kind]
    coming = changes.rows[row : row + commits]
    names = [name for name, _ in forecast.ranked]
    if forecast.kind == "label" and coming:
        came = coming[0].label
        return _outcome(forecast, coming[0].time, names, {came})
    if forecast.kind == "partner":
        for change in coming:
            if forecast.query in change.paths and len(change.paths) > 1:
                return _outcome(forecast, change.time, names, set(change.paths) - {forecast.query})
    if forecast.kind == "touched":
        hit = next((c for c in coming if forecast.query in c.paths), None)
        if hit is not None or len(coming) == commits:
            return _outcome(forecast, (hit or coming[-1]).time, names, {"touched"} if hit is not None else set())
    over = len(coming) == commits or last > forecast.made_at + days * _DAY
    return Resolution(forecast.id, last, "censored") if over else None


def rows_after(changes: Changes, shas: Iterable[str]) -> dict[str, int]:
    """Commit -> the row after it, of those that are there."""
    wanted = set(shas)
    return {change.sha: i for i, change in enumerate(changes.rows, 1) if change.sha in wanted}


class Book:
    """Forecasts and resolutions of a workspace, in a file of canonical lines; what is in it is never changed.

    Parameters
    ----------
    path : of the file
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.forecasts: dict[str, Forecast] = {}
        self.resolutions: dict[str, Resolution] = {}
        if path.exists():
            for number, line in enumerate(path.read_bytes().splitlines(), 1):
                self._take(line, number)

    def add(self, forecasts: Iterable[Forecast]) -> int:
        """Takes in those that are new; their number."""
        before = len(self.forecasts)
        for forecast in forecasts:
            self.forecasts.setdefault(forecast.id, forecast)
        return len(self.forecasts) - before

    def resolve(self, lineage: str, changes: Changes) -> int:
        """Resolves those of a lineage that are due by a history of it, but for those that were made after its end; their number."""
        last = changes.rows[-1].time if changes.rows else 0
        waiting = [f for i, f in self.forecasts.items() if f.lineage == lineage and i not in self.resolutions and f.made_at <= last]
        after = rows_after(changes, (f.split_sha for f in waiting))
        n = 0
        for forecast in waiting:
            found = resolved(forecast, changes, after.get(forecast.split_sha))
            if found is not None:
                self.resolutions[forecast.id] = found
                n += 1
        return n

    def to_bytes(self) -> bytes:
        """The file."""
        records = [f.record() for f in self.forecasts.values()] + [r.record() for r in self.resolutions.values()]
        return b"".join(canonical(r) + b"\n" for r in records)

    def save(self, disk: Disk) -> None:
        """Writes it, as a whole or not at all."""
        disk.replace(self.path, self.to_bytes())

    def _take(self, line: bytes, number: int) -> None:
        try:
            record: dict[str, Any] = orjson.loads(line)
            if record["kind"] == "forecast":
                found = Forecast.of(record)
                if found.id != record["id"]:
                    raise ValueError("its id is not that of what it says")
                self.forecasts[found.id] = found
            else:
                self.resolutions[record["forecast"]] = Resolution(
                    record["forecast"], record["at"], record["outcome"], record["rank"]
                )
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptError(f"{self.path}, line {number}: no forecast and no resolution: {error}") from None


def _outcome(forecast: Forecast, at: int, names: list[str], came: set[str]) -> Resolution:
    rank = next((i for i, name in enumerate(names, 1) if name in came), 0)
    return Resolution(forecast.id, at, "hit" if rank == 1 else "miss", rank)


def _text(p: float) -> str:
    return f"{p:.6f}"
