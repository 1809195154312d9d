"""`shgat gateway`: watch a ranker learn beside a gateway, and look at one that serves."""

import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from . import given
from .gateway_store import principal, status
from .mcp import address, announce

app = typer.Typer(name="gateway", help="A gateway in front of many tools.", rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """A gateway in front of many tools."""


@app.command(short_help="Serve the tools of many MCP servers as one, and learn.")
def serve(
    config: Annotated[Path, given.file("The mcpServers file that desktop clients have.", "FILE", "--config")],
    store: Annotated[
        str,
        typer.Option(envvar="SHGAT_STORE_URL", metavar="URL", help="What was learned.  [default: a file of this configuration]"),
    ] = "",
    http: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Streamable HTTP on this machine, instead of stdio.")
    ] = None,
    mode: Annotated[str, typer.Option(help="search: three tools; filter: the servers' tools too, ranked and cut.")] = "search",
    pin: Annotated[list[str] | None, typer.Option(metavar="TOOL", help="Show a tool in the open; may be repeated.")] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", min=0, help="Tools that a search offers, or a filter lists.  [default: 5, 40]")
    ] = 0,
    user: Annotated[str, typer.Option(metavar="ID", help="Whose ranking it is.")] = "local",
    encoder: Annotated[str | None, typer.Option(metavar="NAME", help="What makes vectors of texts, as for `shgat embed`.")] = None,
    keep_texts: Annotated[bool, typer.Option("--keep-texts", help="Store queries, and not only their hash and embedding.")] = False,
    keep_sizes: Annotated[bool, typer.Option("--keep-sizes", help="Store the sizes of arguments and results.")] = False,
    timeout: Annotated[float, typer.Option(metavar="S", min=0.1, max=86400.0, help="Seconds that a tool has to answer.")] = 60.0,
    start_timeout: Annotated[
        float, typer.Option(metavar="S", min=0.1, max=3600.0, help="Seconds that a server has to list its tools.")
    ] = 30.0,
) -> None:
    """Be one MCP server in front of those of a file: few tools to find and run theirs, and a ranking that learns from every call.

    Arguments and results are never stored. Everything but messages of the protocol goes to stderr.
    """
    import logging

    from ..gateway.settings import MODES, Settings, need_sdk

    need_sdk()

    if mode not in MODES:
        raise given.WrongUsage(f"--mode is {' or '.join(MODES)}, not {mode!r}")
    where = address(http)
    settings = Settings(
        config, store, "filter" if mode == "filter" else "search", tuple(given.names(pin)), limit, user, keep_texts, keep_sizes,
        encoder, start_timeout, timeout,
    )  # fmt: skip
    logging.basicConfig(level=logging.WARNING, format="shgat: %(levelname)s: %(message)s")
    from ..gateway.serve import serve as run

    run(settings, where, announce)


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


@app.command(short_help="What was searched, found, missed and learned.")
def report(
    config: Annotated[Path | None, given.file("Of the gateway, where it has no --store.", "FILE", "--config")] = None,
    store: Annotated[str | None, typer.Option(envvar="SHGAT_STORE_URL", metavar="URL", help="The store of the gateway.")] = None,
    user: Annotated[str, typer.Option(metavar="ID", help="Whose searches.")] = "local",
    days: Annotated[float, typer.Option(metavar="N", min=0.001, max=36500.0, help="That are looked back.")] = 30.0,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """What was searched, found, missed and learned; how often each tool works, which descriptions changed, how servers were last."""
    from .._files import write_atomically
    from ..gateway.page import render
    from ..gateway.report import report as of_store
    from . import output
    from .facts import grids

    given.writable(html, "--html")
    found = of_store(_store_of(config, store), user, days)
    if html is not None:
        write_atomically(html, render(found).encode())
        output.note(f"shgat: wrote {html}")
    if as_json:
        output.write_json(found)
    else:
        tools = [{**t, "failures": ", ".join(f"{why} {n}" for why, n in t["failures"].items())} for t in found["tools"][:30]]
        shown = ("state", "tools", "starts", "lost_calls", "error")
        servers = [{"server": name, **{key: state.get(key) for key in shown}} for name, state in found["servers"].items()]
        output.write(*grids({**found, "tools": tools, "servers": servers}))


@app.command(short_help="Take the flag off tools whose descriptions changed.")
def accept(
    tools: Annotated[list[str] | None, typer.Argument(metavar="[TOOL]...", help="By id; none: all of them.")] = None,
    config: Annotated[Path | None, given.file("Of the gateway, where it has no --store.", "FILE", "--config")] = None,
    store: Annotated[str | None, typer.Option(envvar="SHGAT_STORE_URL", metavar="URL", help="The store of the gateway.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Say that somebody has looked at what tools say of themselves now. A gateway that runs knows it when it starts again."""
    from ..gateway.facts import Facts
    from . import output

    found = Facts.beside(_store_of(config, store)).accept(frozenset(tools) if tools else None)
    strange = sorted(set(tools or ()) - set(found))
    if strange:
        raise given.WrongUsage(f"{strange[0]!r:.200} is no tool with a changed description; `shgat gateway report` lists them")
    if as_json:
        output.write_json({"accepted": found})
    else:
        output.write_lines(*(f"accepted: {tool}" for tool in found), *(() if found else ("no description had changed",)))


@app.command(short_help="Measure times and learning with scripted servers.")
def bench(
    servers: Annotated[int, typer.Option(metavar="N", min=1, max=200, help="Scripted servers on stdio.")] = 20,
    tools: Annotated[int, typer.Option(metavar="N", min=1, max=20_000, help="Of all servers.")] = 500,
    steps: Annotated[
        int, typer.Option(metavar="N", min=1, max=100_000, help="Searches with a call, of somebody with habits.")
    ] = 300,
    seed: Annotated[int, typer.Option(help="Of habits and queries.")] = 0,
    chart: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Draw the habit; needs matplotlib.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Time until ready, a search, what a call costs on top, and Hit@1 of a planted habit; beside a dead server and one that hangs."""
    import asyncio

    from ..gateway.bench import measure
    from ..gateway.settings import need_sdk
    from ..reports.figures import draw_hits
    from . import output
    from .facts import grids
    from .plot import write_svg

    need_sdk()
    given.writable(chart, "--chart")
    if chart is not None:
        draw_hits({}, 1)  # is there what it takes? Asked before the work
    found = asyncio.run(measure(servers, max(servers, tools), steps, seed))
    if chart is not None:
        drawn = {"the gateway": found["hit_at_1"], "frozen cosine": found["hit_at_1_of_cosine"]}
        write_svg(chart, draw_hits(drawn, found["steps_a_day"]))
    if as_json:
        output.write_json(found)
        return
    days = zip(found.pop("hit_at_1"), found.pop("hit_at_1_of_cosine"), strict=True)
    output.write(
        *grids({**found, "habit": [{"day": i, "Hit@1": hit, "frozen cosine": cosine} for i, (hit, cosine) in enumerate(days, 1)]})
    )


def _store_of(config: Path | None, store: str | None) -> str:
    from ..gateway.settings import default_store

    return store or default_store(given.needed(config, "--config FILE or --store URL"))


app.command(short_help="How is a gateway doing, by its store?")(status)
app.command(short_help="What a team has learned for itself, and the way back.")(principal)
