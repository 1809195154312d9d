"""`shgat db`: the store's schema and its traces. Data goes to stdout, everything else to stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from ..errors import ShgatError

if TYPE_CHECKING:
    from ..store import Store

app = typer.Typer(name="db", help="The store: its schema, its state, its traces as files.")

Url = Annotated[
    str,
    typer.Option(envvar="SHGAT_STORE_URL", help="sqlite:///path.db or postgresql+psycopg://user:password@host/database"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Dimension = Annotated[int | None, typer.Option(help="Dimension of the embeddings; needed to create a store.")]
Traces = Annotated[Path, typer.Argument(help="A .jsonl file (embeddings beside it, in the .npy of the same stem) or a .parquet.")]


@app.command()
def upgrade(url: Url, dimension: Dimension = None, as_json: Json = False) -> None:
    """Create the store, or bring its schema up to date."""
    with _store(url, dimension) as store:
        _print({"url": store.url, "revision": store.status()["revision"], "dimension": store.dimension}, as_json)


@app.command()
def status(url: Url, as_json: Json = False) -> None:
    """What the store is and holds."""
    with _store(url) as store:
        _print(store.status(), as_json)


@app.command()
def export(file: Traces, url: Url, as_json: Json = False) -> None:
    """Write every trace to a file."""
    with _store(url) as store:
        from ..store import export_traces

        _print({"file": str(file), "traces": export_traces(store, file)}, as_json)


@app.command("import")
def import_(file: Traces, url: Url, dimension: Dimension = None, as_json: Json = False) -> None:
    """Add the traces of a file. Bad rows are refused and named; repeating an import adds nothing twice."""
    with _store(url, dimension) as store:
        from ..store import import_traces

        report = import_traces(store, file)
        faults = [{"row": row, "fault": fault} for row, fault in report.faults]
        summary = {"added": report.added, "present": report.present, "refused": report.refused}
        _print({**summary, "faults": faults} if as_json else summary, as_json)
        if report.refused:
            row, fault = report.faults[0]
            more = f" (and {report.refused - 1} more; --json names them)" if report.refused > 1 else ""
            raise ShgatError(f"{file.name}, row {row}: {fault}{more}")


@contextmanager
def _store(url: str, dimension: int | None = None) -> Iterator["Store"]:
    """An open store; an error of shgat ends the command with one line on stderr and exit code 1."""
    try:
        from ..store import Store

        with Store.open(url, dimension) as store:
            yield store
    except ShgatError as error:
        typer.echo(f"error: {' '.join(str(error).split())}", err=True)
        raise typer.Exit(1) from None


def _print(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(values).decode())
        return
    for name, value in values.items():
        if isinstance(value, dict):
            _print({f"{name}.{key}": item for key, item in value.items()}, as_json)
        else:
            typer.echo(f"{name:<24} {'-' if value is None else value}")
