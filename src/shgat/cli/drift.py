"""`shgat drift`: is what comes in still what the model that serves was made for?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import given
from .db import Json, Url

if TYPE_CHECKING:
    from ..drift import Report
    from .grid import Grid


def drift(
    url: Url,
    catalog: Annotated[Path | None, given.folder("Its catalogue.  [default: the one in the store]", "--catalog")] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Begin of the window, ISO 8601 or seconds since 1970.  [default: the version's time]"),
    ] = None,
    remember: Annotated[
        bool, typer.Option("--remember", help="Keep the latest traces as the reference of the version, and leave.")
    ] = False,
    alpha: Annotated[float, typer.Option(min=0.003, max=0.5, help="Probability of an alarm without drift.")] = 0.01,
    seed: Annotated[int, typer.Option(min=0, help="Of permutations and samples.")] = 0,
    user: Annotated[str, typer.Option(metavar="NAME", help="Whose model.")] = "local",
    as_json: Json = False,
) -> int:
    """Compare the traces since the version that serves was made with the reference kept with it; where none is kept, one is made of the traces
    before. Exit code 0: no drift, 1: drift, 2: a mistake, or nothing to compare."""
    return given.or_mistake(lambda: _drift(url, catalog, since, remember, alpha, seed, user, as_json))


def _drift(
    url: str, catalog: Path | None, since: str | None, remember: bool, alpha: float, seed: int, user: str, as_json: bool
) -> int:
    import numpy as np

    from ..drift import DriftConfig, compared, kept
    from ..graph import Catalog
    from ..store import Store
    from . import output
    from .versions import day

    with Store.open(url) as store:
        tools, capabilities = store.catalog() if catalog is None else ([], [])
        known = Catalog.from_records(tools, capabilities) if catalog is None else Catalog.load(catalog)
        found = kept.serving(store, known, user_id=user, anew=remember)
        moment = found.made_at if since is None else _moment(since)
        window = None if remember else kept.since(store, known, moment, user_id=user)
    if window is None:
        if as_json:
            output.write_json({"version": found.version, "remembered": True})
        else:
            output.write(f"The latest traces are the reference of v{found.version} now.")
        return 0
    report = compared(found.reference, window, np.random.default_rng(seed), DriftConfig(alpha=alpha))
    if as_json:
        output.write_json({"version": found.version, "since": moment, **report.to_dict()})
    else:
        output.write(table(report, f"v{found.version}, traces since {day(moment)}"))
        output.write("Drift." if report.drifted else "No drift.")
    return 1 if report.drifted else 0


def table(report: "Report", title: str) -> "Grid":
    """A row a test."""
    from .grid import Grid

    repeated = f"; {report.repeated} repetitions count once" if report.repeated else ""
    grid = Grid(f"{title}: {report.n} executions{repeated}", f"p: over all tests, drift where it is at most {report.alpha:g}")
    for name in ("test", "", "value", "limit", "p"):
        grid.add_column(name, "left" if name in ("test", "") else "right")
    grid.add_column("what", prose=True)
    for t in report.tests:
        figures = ("-" if x is None else f"{x:.3g}" for x in (t.value, t.limit, t.adjusted))
        said = f"{t.message}: {', '.join(t.items)}" if t.items else t.message
        grid.add_row(t.name, t.status, *figures, said)
    return grid


def _moment(text: str) -> float:
    from .._check import moment

    try:
        return moment(float(text), "--since")
    except ValueError:
        return moment(text, "--since")


def benchmark(
    data: Annotated[Path | None, given.folder("A set: tools, capabilities, train, test.  [default: the sample]", "--data")] = None,
    windows: Annotated[int, typer.Option(min=1, metavar="N", help="Windows without drift.")] = 1000,
    power: Annotated[int, typer.Option(min=0, metavar="N", help="Windows of each kind and size of drift; 0: none.")] = 40,
    alpha: Annotated[float, typer.Option(min=0.003, max=0.5, help="Probability of an alarm without drift.")] = 0.01,
    seed: Annotated[int, typer.Option(min=0, help="Of everything.")] = 0,
    chart: Annotated[Path | None, typer.Option("--plot", metavar="FILE.svg", help="A picture of the power.")] = None,
    as_json: Json = False,
) -> None:
    """How often the tests of drift say so where nothing drifted, and where something did: windows drawn from one set's real intents."""
    import numpy as np

    from ..drift import DriftConfig
    from ..experiments.dataset import Dataset
    from ..experiments.drift import KINDS, Pool, powers, undrifted
    from . import output
    from .sample import SAMPLE

    given.writable(chart, "--plot")
    if chart is not None:
        from ..reports.figures import draw_power

        draw_power({})  # is there what it takes? Asked before the work
    dataset = Dataset.load(SAMPLE if data is None else data)
    pool, config, rng = Pool.of(dataset), DriftConfig(alpha=alpha), np.random.default_rng(seed)
    small: dict[str, list[float]] = {}
    alarms = 0
    for i, report in enumerate(undrifted(pool, windows, config, rng)):
        alarms += report.drifted
        for test in report.tests:
            if test.p is not None:
                small.setdefault(test.name, []).append(test.p)
        if (i + 1) % 100 == 0:
            output.note(f"{dataset.name}: {i + 1} windows without drift, {alarms} alarms")
    rates = {name: {str(level): float(np.mean(np.array(p) <= level)) for level in LEVELS} for name, p in small.items()}
    found: dict[str, tuple[list[float], dict[str, list[float]]]] = {}
    for kind in KINDS if power else ():
        rows = list(powers(pool, kind, power, config, rng))
        names = list(dict.fromkeys(name for _, shares in rows for name in shares))
        found[kind] = [size for size, _ in rows], {name: [shares.get(name, 0.0) for _, shares in rows] for name in names}
        output.note(f"{dataset.name}: {kind}")
    if chart is not None:
        from .plot import write_svg

        write_svg(chart, draw_power(found))
    if as_json:
        output.write_json(
            {"set": dataset.name, "windows": windows, "alarms": alarms, "alpha": alpha, "rates": rates, "power": found}
        )
        return
    output.write(
        *_benchmark_tables(f"{dataset.name}: {windows} windows without drift, {alarms} alarms at alpha {alpha:g}", rates, found)
    )


LEVELS = (0.01, 0.05, 0.1)


def _benchmark_tables(
    title: str, rates: "dict[str, dict[str, float]]", found: "dict[str, tuple[list[float], dict[str, list[float]]]]"
) -> "list[Grid]":
    """Share of p-values at most each level, and the power of each test against each drift; percentages."""
    from .grid import Grid

    first = Grid(
        title,
        "% of the windows whose p-value, before Holm's step, is at most the level; no more than the level is right",
    )
    first.add_column("test")
    for level in LEVELS:
        first.add_column(f"p <= {level:g}", "right")
    for name, of in rates.items():
        first.add_row(name, *(f"{100 * of[str(level)]:.1f}" for level in LEVELS))
    grids = [first]
    for kind, (sizes, tests) in found.items():
        grid = Grid("power, %")
        grid.add_column(kind)
        for size in sizes:
            grid.add_column(f"{size:g}", "right")
        for name, shares in tests.items():
            grid.add_row(name, *(f"{100 * share:.0f}" for share in shares))
        grids.append(grid)
    return grids
