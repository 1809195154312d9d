"""What a run would do, without doing any of it."""

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from ..errors import StoreError
from ..registry import StoreRegistry
from ..store import Store
from ..store.address import Address
from ..store.database import Database
from ..store.migration import current_revision
from ..store.schema import REVISION
from .runs import OPEN, Run, Runs
from .settings import Settings
from .settings_file import store_url
from .snapshot import latest

Does = Literal["done", "would run"]
TIMEOUT = 5.0  # seconds


@dataclass(frozen=True)
class Planned:
    """Attributes
    ----------
    step : its name
    does : "done": it has been, and is not done again; or "would run"
    what : in words
    """

    step: str
    does: Does
    what: str


def plan(settings: Settings, runs: Runs, steps: Iterable[str], clock: Callable[[], float], again: bool = False) -> list[Planned]:
    """Each step of the open run, or of the one that would be begun. Neither the store nor the state folder is written to.

    Raises
    ------
    StoreError
        where there is no store, or one of another version, which opening would change.
    """
    run = None if again else next((r for r in [runs.latest()] if r is not None and r.status == OPEN), None)
    with closing(_untouched(store_url(settings), clock)) as store:
        aliases = StoreRegistry(store, settings.user).aliases()
        n = len(latest(store, settings.data, settings.user, clock()))
    said = _said(settings, n, aliases)
    return [Planned(s, *(("done", _done(run, s)) if run is not None and run.done(s) else ("would run", said[s]))) for s in steps]


def _done(run: Run, step: str) -> str:
    return f"in run {run.id}: {run.steps[step].reason}"


def _said(settings: Settings, n: int, aliases: dict[str, int]) -> dict[str, str]:
    production, canary = (f"v{aliases[a]}" if a in aliases else "" for a in ("production", "canary"))
    data, asked = settings.data, settings.canary
    serving = f"{asked.percent:g} % of the sessions for {asked.duration}" if asked.percent else "none was asked for"
    return {
        "validate-data": f"{n} traces of the last {data.window}; the latest {100 * data.held_out:g} % are held out",
        "train": "in a child process, "
        + ("from scratch" if settings.training.start == "scratch" else f"from {production or 'scratch'}"),
        "evaluate": ", ".join(settings.evaluation.protocols) or "no protocol",
        "compare": "beside cosine" + (f" and {production}" if production else "; nothing is in production"),
        "register": "the candidate as a new version",
        "canary": serving + (f"; refused while {canary} is one" if canary and asked.percent else ""),
        "promote": "past the gate once more" + (f", in place of {production}" if production else ""),
    }


def _untouched(url: str, clock: Callable[[], float]) -> Store:
    """A store that opening does not change."""
    address = Address.parse(url)
    if address.file is not None and not address.file.exists():
        raise StoreError(f"{address.name}: there is no such store")
    database = Database(url, TIMEOUT)
    try:
        with database.read() as connection:
            revision = current_revision(connection)
    finally:
        database.close()
    if revision != REVISION:
        raise StoreError(f"{address.name} is at revision {revision or 'none'}, not {REVISION}: run shgat db upgrade")
    return Store.open(url, clock=clock)
