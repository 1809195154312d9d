"""`shgat features`: what was computed of capabilities and intents, in a store."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given
from .db import Json, Url

if TYPE_CHECKING:
    from ..features.validation import Report
    from ..store import Store
    from ..store.feature_build import Built
    from .grid import Grid

app = typer.Typer(help="Features of capabilities in a store.", rich_markup_mode=None)

Hours = Annotated[float, typer.Option(min=0.0, help="Hours that features may be old.")]


@app.command(short_help="Build what is due.")
def build(
    url: Url,
    force: Annotated[bool, typer.Option("--force", help="Whether it is due or not.")] = False,
    text_weight: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Of the text in the hybrid; the graph has the rest. Default: held-out traces choose."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Of the walks; any number gives the same.")] = 1,
    max_age_hours: Hours = 24.0,
    every: Annotated[
        float | None, typer.Option(metavar="MINUTES", min=0.001, help="Stay, and look again as often as that.  [default: once]")
    ] = None,
    as_json: Json = False,
) -> int:
    """Build the features where the catalogue or a setting changed, or they are too old; exit code 1 where a check fails, and the former
    ones stay. With --every it goes on until it is interrupted, and says only what it built and what failed."""
    from ..errors import ShgatError
    from . import output

    def look(*, first: bool) -> int:
        with _opened(url) as store:
            from ..store.feature_build import build_features

            built = build_features(store, force=force, max_age=3600.0 * max_age_hours, text_weight=text_weight, threads=threads)
        return _tell(built, text_weight, as_json) if first or built.reason is not None else 0

    if every is None:
        return look(first=True)
    given.refuse({"--force": force or None}, "once", "with --every")
    look(first=False)  # what can never work ends here
    while True:
        sys.stdout.flush()
        time.sleep(60.0 * every)
        try:
            look(first=False)
        except (ShgatError, OSError) as error:
            output.note(f"shgat: {error}; tried again in {every:g} minutes")


def _tell(built: "Built", text_weight: float | None, as_json: bool) -> int:
    """Says what a build did; returns 1 where a check failed."""
    from dataclasses import asdict

    from . import output

    if as_json:
        report = None if built.report is None else built.report.to_dict()
        output.write_json({**asdict(built), "report": report})
    elif built.reason is None:
        output.write("Nothing is due.")
    elif built.written and built.state is not None:
        n = built.state.n_held
        by = (
            f"chosen by {n} held-out traces" if n else "as it was given" if text_weight is not None else "no held-out traces choose"
        )
        output.write(
            f"Built version {built.state.version}, since {built.reason}. Weight of the text {built.state.text_weight:g}: {by}."
        )
    if built.report is not None and not built.report.ok:
        _name(built.report)
        output.note("shgat: the features are not written; the former ones stay")
        return 1
    return 0


@app.command(short_help="Which features there are, and are they due?")
def status(url: Url, max_age_hours: Hours = 24.0, as_json: Json = False) -> None:
    """Version, age, what chose the hybrid, how many rows there are, and why a build is due."""
    from dataclasses import asdict

    from . import output
    from .facts import grids

    with _opened(url) as store:
        from ..store.feature_build import due, stored_catalog

        state, catalog, now, rows = store.feature_state(), stored_catalog(store), store.clock(), store.counts()
    found: dict[str, Any] = {
        "due": due(state, catalog, now, max_age=3600.0 * max_age_hours),
        "age_hours": None if state is None else (now - state.computed_at) / 3600.0,
        "capabilities": len(catalog.capabilities),
        "capability_features": rows["capability_features"],
        "intent_features": rows["intent_features"],
        "state": None if state is None else asdict(state),
    }
    if as_json:
        output.write_json(found)
    else:
        output.write(*grids(found))


@app.command(short_help="Are they sound?")
def check(url: Url, max_age_hours: Hours = 24.0, as_json: Json = False) -> int:
    """Check dimensions, numbers, lengths, variance, coverage, age and duplicates; exit code 1 where one that matters fails."""
    from . import output

    with _opened(url) as store:
        from ..features.validation import Limits
        from ..store.feature_build import check_features

        report = check_features(store, Limits(max_age_hours=max_age_hours))
    if as_json:
        output.write_json(report.to_dict())
    else:
        output.write(_table(report))
        _name(report)
    return 0 if report.ok else 1


@contextmanager
def _opened(url: str) -> Iterator["Store"]:
    from ..store import Store

    with Store.open(url) as store:
        yield store


def _table(report: "Report") -> "Grid":
    from .grid import Grid

    grid = Grid("checks")
    for name in ("check", "of", "value", "limit", ""):
        grid.add_column(name, "right" if name in ("value", "limit") else "left")
    for f in report.findings:
        figures = ("-" if x is None else f"{x:.4g}" for x in (f.value, f.limit))
        grid.add_row(f.check, f.of, *figures, "ok" if f.ok else "fault" if f.fault else "look")
    return grid


def _name(report: "Report") -> None:
    from . import output

    for f in report.findings:
        if not f.ok:
            what = f": {', '.join(f.items)}" if f.items else ""
            kind = "fault" if f.fault else "worth a look"
            output.note(f"shgat: {kind}: {f.check} of {f.of}, {f.value:.4g} beside {f.limit:.4g}{what}")
