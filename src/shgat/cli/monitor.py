"""`shgat monitor`: is everything as it should be? Without Prometheus, and for it."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..monitoring import Watch
    from .grid import Grid

app = typer.Typer(help="Is everything as it should be?", rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
Url = Annotated[list[str] | None, typer.Option("--url", metavar="URL", help="Of a server; more than once for several.")]
Store = Annotated[
    str | None, typer.Option("--store", envvar="SHGAT_STORE_URL", metavar="URL", help="A store that is read, where no server runs.")
]
Key = Annotated[str, typer.Option("--key", envvar="SHGAT_KEY", metavar="KEY", help="With the scope metrics.", show_envvar=True)]
User = Annotated[str, typer.Option("--user", metavar="NAME", help="Whose model, with --store.")]
Window = Annotated[
    float, typer.Option(metavar="S", min=1.0, max=604800.0, help="Seconds over which shares and quantiles are taken.")
]
Webhook = Annotated[
    str | None,
    typer.Option(
        envvar="SHGAT_WEBHOOK", metavar="URL", help="Is told what begins and ends; SHGAT_WEBHOOK_TOKEN is its bearer token."
    ),
]
Command = Annotated[Path | None, typer.Option(metavar="FILE", help="A program that is told by JSON on its standard input.")]


@app.command(short_help="Evaluate the rules once.")
def check(
    url: Url = None,
    store: Store = None,
    key: Key = "",
    user: User = "local",
    window: Window = 300.0,
    webhook: Webhook = None,
    command: Command = None,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What was seen before; rates are taken since then.  [default: one of the user's, by target]"
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every rule with its figure, not only what fires.")] = False,
    as_json: Json = False,
) -> int:
    """Evaluate the rules once, of servers or of a store. The first look takes shares and quantiles since a server was started, a later one
    since the look before. Exit code 0: nothing fires, 1: something does, 2: a mistake."""

    def work() -> int:
        from contextlib import closing

        with closing(_watch(url, store, key, user, window, webhook, command, _state(state, url, store))) as watch:
            watch.look()
            if as_json:
                _write_json(watch)
            else:
                _write(watch, all_)
            return 1 if watch.firing else 0

    return given.or_mistake(work)


@app.command("watch", short_help="Evaluate them again and again, and show it.")
def watch_(
    url: Url = None,
    store: Store = None,
    key: Key = "",
    user: User = "local",
    window: Window = 300.0,
    every: Annotated[float, typer.Option(metavar="S", min=0.2, max=86400.0, help="Seconds between two looks.")] = 15.0,
    webhook: Webhook = None,
    command: Command = None,
    looks: Annotated[
        int, typer.Option(metavar="N", min=0, help="Leave after so many.  [default: at Ctrl-C]", show_default=False)
    ] = 0,
) -> int:
    """Evaluate the rules again and again and show every figure, until Ctrl-C. Where nobody looks at a terminal, a line for what begins or
    ends."""

    def work() -> int:
        import sys
        from contextlib import closing, suppress

        with closing(_watch(url, store, key, user, window, webhook, command, None)) as watch, suppress(KeyboardInterrupt):
            if sys.stdout.isatty():
                _live(watch, every, looks)
            else:
                _lines(watch, every, looks)
        return 0

    return given.or_mistake(work)


@app.command(short_help="Rules, dashboard and configuration for Prometheus, Alertmanager and Grafana.")
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go.")],
    target: Annotated[
        list[str] | None, typer.Option(metavar="HOST:PORT", help="A server; more than once.  [default: localhost:8321]")
    ] = None,
    every: Annotated[float, typer.Option(metavar="S", min=1.0, help="Seconds between two scrapes and evaluations.")] = 15.0,
    window: Window = 300.0,
    webhook: Annotated[str, typer.Option(metavar="URL", help="That Alertmanager tells.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Also over files that are there.")] = False,
    as_json: Json = False,
) -> int:
    """Write what Prometheus, Alertmanager and Grafana need: configuration, recorded rules and alerts, a dashboard with its provisioning, and a
    compose file that starts all three."""

    def work() -> int:
        from ..monitoring.export import ExportSettings, export
        from . import output

        settings = ExportSettings(targets=tuple(target or ["localhost:8321"]), every=every, window=window, webhook=webhook)
        written = export(folder, settings, force)
        if as_json:
            output.write_json([str(path) for path in written])
        else:
            output.write_lines(*map(str, written))
        return 0

    return given.or_mistake(work)


@app.command(short_help="What is watched, with limits.")
def rules(as_json: Json = False) -> int:
    """Every rule: what it compares with which limit, and what to do."""

    def work() -> int:
        from ..monitoring import RULES
        from . import output
        from .grid import Grid

        if as_json:
            output.write_json([
                {"name": r.name, "severity": r.severity, "expression": r.expression("5m"), "summary": r.summary, "remedy": r.remedy,
                 "op": r.op, "limit": r.limit, "unless": r.unless} for r in RULES
            ])  # fmt: skip
            return 0
        grid = Grid("rules")
        for name in ("alert", "severity"):
            grid.add_column(name)
        grid.add_column("what is wrong", prose=True)
        grid.add_column("what to do", prose=True)
        for r in RULES:
            grid.add_row(r.name, r.severity, r.summary, r.remedy)
        output.write(grid)
        return 0

    return given.or_mistake(work)


def _watch(
    url: list[str] | None,
    store: str | None,
    key: str,
    user: str,
    window: float,
    webhook: str | None,
    command: Path | None,
    state: Path | None,
) -> "Watch":
    from ..monitoring import Command, Watch, Webhook
    from ..monitoring.sources import Served, Source, Stored

    if url and store and os.environ.get("SHGAT_STORE_URL") != store:
        raise given.WrongUsage("give --url or --store: a server shows what its store says too")
    if not url and not store:
        raise given.WrongUsage("give --url http://HOST:PORT of a server, or --store URL")
    sources: list[Source] = [Served(u, key) for u in url] if url else [Stored(str(store), user)]
    receivers: list[Any] = [Webhook(webhook, os.environ.get("SHGAT_WEBHOOK_TOKEN", ""))] if webhook else []
    if command is not None:
        receivers.append(Command(command))
    return Watch(sources, receivers, window, state=state)


def _state(path: Path | None, url: list[str] | None, store: str | None) -> Path:
    """The file that remembers what was seen of these targets."""
    if path is not None:
        return path
    from .._files import sha256

    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "shgat" / "monitor" / f"{sha256(repr((url, store)).encode())[:16]}.json"


def _write_json(watch: "Watch") -> None:
    from .._json import none_for_not_finite
    from . import output

    found = {"firing": [a.to_dict() for a in watch.firing], "values": watch.values(), "trouble": list(watch.trouble)}
    output.write_json(none_for_not_finite(found))


def _write(watch: "Watch", everything: bool) -> None:
    from . import output

    for trouble in watch.trouble:
        output.note(f"shgat: {trouble}")
    if everything:
        output.write(*_figures(watch))
    elif watch.firing:
        output.write(_alerts(watch))
    output.write(_count(len(watch.firing)))


def _count(n: int) -> str:
    return f"{n} alert{'' if n == 1 else 's'} fire{'s' if n == 1 else ''}." if n else "Nothing fires."


def _alerts(watch: "Watch") -> "Grid":
    from .grid import Grid
    from .versions import day

    grid = Grid("alerts that fire")
    for name in ("alert", "severity", "at", "since"):
        grid.add_column(name)
    for name in ("value", "limit"):
        grid.add_column(name, "right")
    grid.add_column("what, and what to do", prose=True)
    for a in watch.firing:
        grid.add_row(a.name, a.severity, a.target, day(a.since), f"{a.value:.6g}", f"{a.limit:g}", f"{a.summary} {a.remedy}")
    return grid


def _figures(watch: "Watch") -> "Iterator[Grid]":
    from .grid import Grid

    firing = {(a.target, a.name) for a in watch.firing}
    for target, values in watch.values().items():
        grid = Grid(target)
        for name in ("", "rule", "severity"):
            grid.add_column(name)
        for name in ("value", "limit"):
            grid.add_column(name, "right")
        for rule in watch.rules:
            value = values[rule.name]
            mark = "!!" if (target, rule.name) in firing else "ok" if value is not None else "-"
            grid.add_row(mark, rule.name, rule.severity, "-" if value is None else f"{value:.4g}", f"{rule.op} {rule.limit:g}")
        yield grid


def _live(watch: "Watch", every: float, looks: int) -> None:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    n = 0
    with Live(console=Console(highlight=False), auto_refresh=False, screen=True) as live:
        while not looks or n < looks:
            watch.look()
            n += 1
            fire = len(watch.firing)
            head = Text(
                f"{time.strftime('%H:%M:%S')}   {_count(fire)}",
                "bold red" if fire else "bold green",
            )
            parts: list[Any] = [head, *(Text(t, "yellow") for t in watch.trouble)]
            if fire:
                parts.append(_alerts(watch))
            live.update(Group(*parts, *_figures(watch), Text("Ctrl-C leaves", "dim")), refresh=True)
            if not looks or n < looks:
                time.sleep(every)


def _lines(watch: "Watch", every: float, looks: int) -> None:
    """A line for what begins or ends."""
    import sys

    from . import output

    n = 0
    while not looks or n < looks:
        for a in watch.look():
            output.write_lines(
                f"{a.state} {a.severity} {a.name} at {a.target}: {a.value:.4g}, limit {a.limit:g}. {a.summary} {a.remedy}"
            )
        for trouble in watch.trouble:
            output.note(f"shgat: {trouble}")
        sys.stdout.flush()
        n += 1
        if not looks or n < looks:
            time.sleep(every)
