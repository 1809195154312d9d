"""Histories that a workspace recorded, as changesets, and what is computed of them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from .._json import none_for_not_finite
from ..errors import CorruptError, QuotaError
from .changeset import Changes
from .disk import Disk
from .events import events
from .figures import Tally
from .forecasts import Book
from .history import History
from .layout import Layout
from .ledger import Ledger
from .lock import locked
from .settings import remembered


class Recorded(NamedTuple):
    """One history of the ledger.

    Attributes
    ----------
    lineage : of its repository
    changes : the history
    latest : is there none of the lineage behind it?
    """

    lineage: str
    changes: Changes
    latest: bool


def histories(ledger: Ledger) -> Iterator[Recorded]:
    """Those of a ledger, in its order, one in memory at a time."""
    last = {entry.lineage: entry.seq for entry in ledger.chain.entries}
    for entry, lines in ledger.walk():
        records = map(orjson.loads, lines)
        yield Recorded(entry.lineage, Changes.of(records, entry.unit), last[entry.lineage] == entry.seq)


def history(place: Path) -> Changes:
    """That of a repository, or of a file that `shgat replay` wrote.

    Raises
    ------
    CorruptError
        for a file of something else.
    """
    if place.is_dir():
        return Changes.of(events(History.of(place)), place.name.removesuffix(".git"))
    try:
        with place.open("rb") as file:
            return Changes.of(map(orjson.loads, file), place.stem)
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptError(f"{place}: it is no file of events as `shgat replay` writes it: {error}") from None


def measured(layout: Layout, on_history: Callable[[int, int], None] = lambda *_: None) -> dict[str, Any]:
    """The figures of a workspace. Forecasts are resolved and made, and written down beside the figures.

    Raises
    ------
    BusyError
        where another process is at the workspace.
    QuotaError
        where a twentieth of its quota is too little for what is written.
    """
    with locked(layout.lock):
        tally = Tally(Book(forecasts_of(layout)))
        ledger = Ledger(layout)
        for number, found in enumerate(histories(ledger), 1):
            tally.add(found.changes, found.lineage, found.latest)
            on_history(number, len(ledger.chain.entries))
        figures: dict[str, Any] = none_for_not_finite(tally.figures())
        data = orjson.dumps(figures, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
        book, room = tally.book.to_bytes(), int(remembered(layout).get("quota", 10**10)) // 20
        if len(data) + len(book) > room:
            size = len(data) + len(book)
            raise QuotaError(f"figures and forecasts take {size} bytes, a twentieth of the quota is {room}: give it a larger one")
        disk = Disk()
        stats_of(layout).parent.mkdir(parents=True, exist_ok=True)
        disk.replace(forecasts_of(layout), book)
        disk.replace(stats_of(layout), data)
        return figures


def stats_of(layout: Layout) -> Path:
    """The figures of a workspace."""
    return layout.root / layout.name / "metrics" / "stats.json"


def forecasts_of(layout: Layout) -> Path:
    """Its forecasts, and what came of them."""
    return layout.root / layout.name / "metrics" / "forecasts.jsonl"


def advice_of(layout: Layout) -> Path:
    """The folder of its meta-ADRs."""
    return layout.root / layout.name / "feedback" / "meta_adrs"
