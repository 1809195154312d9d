"""The command line, one file a verb. Data goes to stdout, everything else to stderr; an error is one line and exit code 1, or 2 where
the command line, a place or a URL in it, can never work."""

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TextIO

import typer

from .. import __version__
from ..errors import CatalogError, ShgatError
from . import (
    benchmark,
    catalog,
    completion,
    corpus,
    db,
    demo,
    drift,
    embed,
    evaluate,
    features,
    gateway,
    kernel,
    ledger,
    loop,
    mcp,
    models,
    monitor,
    pipeline,
    plot,
    rank,
    replay,
    runs,
    sample,
    serve,
    suggest,
    train,
    worker,
)
from .given import WrongUsage, exit_code
from .output import shorten

_INTERRUPTED = 130  # what typer makes of Ctrl-C
_LONGEST = 1000  # characters of an error: it may quote what it refuses

app = typer.Typer(
    name="shgat",
    help="Rank the right tools for an intent, and learn the ranking from what worked.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Rank the right tools for an intent, and learn the ranking from what worked."""


app.command("completion", short_help="Print a completion script for a shell.")(completion.completion)
app.command("demo", short_help="Train on the sample, and rank before and after.")(demo.demo)
app.command("drift", short_help="Is what comes in still what the model was made for?")(drift.drift)
app.command("embed", short_help="Give a catalogue embeddings, or bring them up to date.")(embed.embed)
app.command("mcp", short_help="Serve a catalogue's ranking as an MCP server.")(mcp.mcp)
app.command("plot", short_help="Draw pictures of a trained model.")(plot.plot)
app.command("rank", short_help="Rank tools, capabilities or sets for an intent.")(rank.rank)
app.command("replay", short_help="Write a repository's history as events.")(replay.replay)
app.command("sample", short_help="Say where the sample catalogue is, or copy it.")(sample.sample)
app.command("suggest", short_help="What to use next in a session.")(suggest.suggest)
app.command("train", short_help="Learn a ranking from traces, into a file.")(train.train)
app.command("worker", short_help="Train in a child process, for gateways.", context_settings=worker.SETTINGS)(worker.worker)
app.add_typer(catalog.app, name="catalog")
app.add_typer(corpus.app, name="corpus")
app.add_typer(db.app, name="db")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(features.app, name="features")
app.add_typer(benchmark.app, name="benchmark")
app.add_typer(gateway.app, name="gateway")
app.add_typer(kernel.app, name="kernel")
app.add_typer(ledger.app, name="ledger")
app.add_typer(loop.app, name="loop")
app.add_typer(models.app, name="models")
app.add_typer(monitor.app, name="monitor")
app.add_typer(pipeline.app, name="pipeline")
app.add_typer(runs.app, name="runs")
app.add_typer(serve.app, name="serve")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0, 1 for an error, 2 for a command line that makes no sense."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character is no reason to fail
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            code = app(given or ["--help"], prog_name="shgat", standalone_mode=False)
        sys.stdout.flush()
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except (ShgatError, OSError, KeyboardInterrupt, typer.Abort, WrongUsage) as error:
        if isinstance(error, BrokenPipeError):  # nobody reads on: what is left must not be flushed at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print("shgat: error: " + shorten(_describe(error), _LONGEST), file=sys.stderr)
        return exit_code(error)


def _warn(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None, line: str | None = None
) -> None:
    """One line, without the line of the code that it came from."""
    print(f"shgat: warning: {shorten(str(message), _LONGEST)} ({Path(filename).name}, line {lineno})", file=sys.stderr)


def _describe(error: BaseException) -> str:
    if isinstance(error, CatalogError) and len(error.faults) > 1:
        return f"{error}; `shgat catalog check DIR` names every fault"
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        return "interrupted"
    if isinstance(error, OSError):
        return f"{error.filename or 'input or output'}: {error.strerror or error}"
    if isinstance(error, WrongUsage) and hasattr(error, "format_message"):
        return f"{error.format_message()} (shgat --help)"
    return str(error)
