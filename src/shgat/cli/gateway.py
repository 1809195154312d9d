"""`shgat gateway`: watch a ranker learn beside a gateway, and look at one that serves."""

import tempfile
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..serving import Ranker

MODES = ("gated", "on", "off")
app = typer.Typer(name="gateway", help="A gateway in front of many tools.", rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """A gateway in front of many tools."""


@app.command(short_help="Watch a ranker learn from a drifting stream.")
def simulate(
    seconds: Annotated[float, typer.Option(metavar="S", min=0.5, max=3600.0, help="How long.")] = 20.0,
    rate: Annotated[float, typer.Option(metavar="N", min=1.0, max=1e5, help="Intents a second.")] = 60.0,
    url: Annotated[str | None, typer.Option(help="Of a store to keep; without one, a temporary one.")] = None,
    seed: Annotated[int, typer.Option(help="Of intents and drift.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Serve a stream of intents whose preferences drift halfway, learn from it live, and compare with frozen cosine."""
    from rich.console import Console
    from rich.live import Live

    from ..graph import Catalog
    from ..serving import Ranker
    from ..store import Store
    from . import output
    from .sample import SAMPLE
    from .simulation import Simulation, run, table

    simulation, catalog = Simulation(), Catalog.load(SAMPLE)
    if url is not None:
        Store.open(url, catalog.dimension).close()  # a ranker would wait for a store that is away; here somebody waits for a ranker
    with tempfile.TemporaryDirectory() as folder:
        console = Console(stderr=True)
        shown = not as_json and console.is_terminal  # for as long as it runs: the end stands on stdout
        live = Live(table(simulation), console=console, refresh_per_second=4, transient=True) if shown else nullcontext()
        with Ranker.open(url or f"sqlite:///{folder}/store.db", catalog, debounce=0.2, seed=seed) as ranker, live as view:
            for _ in run(simulation, ranker, catalog, seconds, rate, seed):
                if view is not None:
                    view.update(table(simulation))
            simulation.stats = ranker.stats()
    if as_json:
        output.write_json(simulation.summary())
        return
    figures = simulation.summary()
    idle, busy = figures["latency_ms"]["idle"], figures["latency_ms"]["while_training"]
    hits = figures["hit_at_1_at_the_end"]
    trainings = ", ".join(f"{n} {name}" for name, n in figures["trainings"].items()) or "none"
    output.write(
        table(simulation),
        f"Hit@1 at the end: live {100 * hits['live']:.1f} %, frozen cosine {100 * hits['cosine']:.1f} %; trainings: {trainings}",
        f"ms an answer: p50 {idle['p50']:.2f}, p99 {idle['p99']:.2f} idle; p50 {busy['p50']:.2f}, p99 {busy['p99']:.2f} while training",
    )


Url = Annotated[str, typer.Option("--store", envvar="SHGAT_STORE_URL", metavar="URL", help="The store of the gateway.")]
User = Annotated[str, typer.Option("--user", metavar="ID", help="Whose model.")]
Folder = Annotated[Path | None, given.folder("The gateway's catalogue.  [default: the store's own copy]", "--catalog")]
Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


@app.command(short_help="How is a gateway doing, by its store?")
def status(url: Url, catalog: Folder = None, user: User = "local", as_json: Json = False) -> None:
    """How a gateway is doing, from its store: the model that serves, what waits to be learned, how often tools work, what is wrong."""
    from . import output
    from .facts import grids

    with _opened(url, catalog, user) as (about, ranker):
        found = {"store": about, "ranker": ranker.stats()}
    if as_json:
        output.write_json(found)
    else:
        output.write(*grids(found))


@app.command(short_help="What a team has learned for itself, and the way back.")
def principal(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A team, a tenant or a person, as requests name it.")],
    url: Url,
    pin: Annotated[
        str | None, typer.Option(metavar="MODE", help="How its own executions count: gated, where its gate says so, on or off.")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Let its executions count from now on.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was decided last.")] = False,
    who: given.Who = "",
    why: given.Why = "not said",
    catalog: Folder = None,
    user: User = "local",
    as_json: Json = False,
) -> None:
    """What a principal has learned for itself, by its store; and decide how that counts. Gateways that run follow within half a minute."""
    from ..store import Store
    from . import output
    from .facts import grids
    from .versions import day, decided

    asked = {"pin": pin, "reset": reset or None, "undo": undo or None}
    given_ones = [action for action, value in asked.items() if value is not None]
    if len(given_ones) > 1:
        raise given.WrongUsage(f"--{given_ones[0]} and --{given_ones[1]}: one at a time")
    if pin is not None and pin not in MODES:
        raise given.WrongUsage(f"--pin {pin}: one of {', '.join(MODES)}")
    with _opened(url, catalog, user) as (_, ranker):
        if given_ones:
            with Store.open(url) as store:
                store.move_principal(name, given_ones[0], mode=pin, who=given.who(who), why=why, user_id=user)
        found, moves = ranker.principals.about(name), ranker.principals.history(name)
    if as_json:
        output.write_json({**found, "moves": [move.to_dict() for move in moves]})
        return
    found["since"] = found["since"] and day(found["since"])
    output.write(*grids(found), *([decided(moves)] if moves else []))


@contextmanager
def _opened(url: str, catalog: Path | None, user: str) -> "Iterator[tuple[dict[str, Any], Ranker]]":
    """What a store is, and a ranker over it that does not learn."""
    from ..graph import Catalog
    from ..serving import Ranker
    from ..store import Store

    with Store.open(url) as store:
        about = store.status()
        tools, capabilities = store.catalog() if catalog is None else ([], [])
        if catalog is None and not tools:
            raise given.WrongUsage(f"{store.url} holds no catalogue yet: give --catalog DIR")
        known = Catalog.from_records(tools, capabilities) if catalog is None else Catalog.load(catalog)
    with Ranker.open(url, known, mode="off", user_id=user) as ranker:
        yield about, ranker
