"""`shgat db`: the store's schema, and what it holds as files. Data goes to stdout, everything else to stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from ..errors import ShgatError
from .given import exit_code

if TYPE_CHECKING:
    from ..graph import Catalog
    from ..store import Store

app = typer.Typer(name="db", help="Look after a store: schema, state, files.")

Url = Annotated[
    str,
    typer.Option(envvar="SHGAT_STORE_URL", help="sqlite:///path.db or postgresql+psycopg://user:password@host/database"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Dimension = Annotated[int | None, typer.Option(help="Dimension of the embeddings; needed to create a store.")]
Place = Annotated[
    Path,
    typer.Argument(
        metavar="PATH",
        help="A folder: the catalogue, and its traces as train.jsonl. Traces: a .jsonl or .csv (embeddings in the .npy of its stem), .parquet.",
    ),
]


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


@app.command(short_help="Write catalogue and traces to files.")
def export(path: Place, url: Url, as_json: Json = False) -> None:
    """Write the catalogue and every trace to a folder, for `shgat train --catalog`; or the traces alone to a file."""
    with _store(url) as store:
        from ..store import export_folder, export_traces

        if path.suffix and not path.is_dir():
            _print({"file": str(path), "traces": export_traces(store, path)}, as_json)
        else:
            catalog, n = export_folder(store, path)
            _print({"folder": str(path), **_sizes(catalog), "traces": n}, as_json)


@app.command("import", short_help="Take in catalogue and traces from files.")
def import_(path: Place, url: Url, dimension: Dimension = None, as_json: Json = False) -> None:
    """Add a folder's catalogue and traces, or the traces of a file. Bad rows are refused and named; repeating adds nothing twice."""
    with _reported():
        from ..graph import Catalog
        from ..store import Store, import_folder, import_traces

        catalog = Catalog.load(path) if path.is_dir() else None
        if catalog is not None and dimension is None:
            dimension = catalog.dimension
        with Store.open(url, dimension) as store:
            report = import_traces(store, path) if catalog is None else import_folder(store, catalog, path)
        summary: dict[str, Any] = {} if catalog is None else _sizes(catalog)
        faults = [{"row": row, "fault": fault} for row, fault in report.faults]
        summary |= {"added": report.added, "present": report.present, "refused": report.refused}
        _print({**summary, "faults": faults} if as_json else summary, as_json)
        if report.refused:
            row, fault = report.faults[0]
            more = f" (and {report.refused - 1} more; --json names them)" if report.refused > 1 else ""
            raise ShgatError(f"{path.name}, row {row}: {fault}{more}")


@app.command()
def prune(
    url: Url,
    traces: Annotated[int | None, typer.Option(help="Newest traces that stay; those that were not trained on always do.")] = None,
    decisions: Annotated[int | None, typer.Option(help="Newest decisions that stay.")] = None,
    models: Annotated[
        int | None, typer.Option(help="Newest versions of each user's model that stay; those in use always do.")
    ] = None,
    unanswered_days: Annotated[float | None, typer.Option(help="Days that a decision without feedback stays.")] = None,
    size: Annotated[int | None, typer.Option(help="MiB in use; the oldest decisions go first, then the oldest traces.")] = None,
    archive: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write what goes to Parquet files in this folder before it is removed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Remove what need not be kept, and give its space back. Without options: what a gateway removes by itself."""
    with _store(url) as store:
        from ..store import Retention
        from ..store.retention import DAY

        bounds: dict[str, Any] = {
            "traces": traces,
            "decisions": decisions,
            "models": models,
            "unanswered": None if unanswered_days is None else unanswered_days * DAY,
            "size": None if size is None else size << 20,
        }
        given = {name: value for name, value in bounds.items() if value is not None}
        removed = store.retain(Retention(**(dict.fromkeys(bounds) | given if given else {}), archive=archive))
        _print({"removed": removed, "store": store.size()}, as_json)


@app.command(short_help="Remove single traces and decisions.")
def remove(
    url: Url,
    trace: Annotated[list[str] | None, typer.Option(metavar="ID", help="A trace, which may be damaged; may be repeated.")] = None,
    decision: Annotated[list[str] | None, typer.Option(metavar="ID", help="A decision; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Remove single traces and decisions, as the message about a damaged one says."""
    with _store(url) as store:
        if not trace and not decision:
            raise ShgatError("say what to remove: --trace ID or --decision ID")
        _print({"traces": store.remove_traces(trace or []), "decisions": store.remove_decisions(decision or [])}, as_json)


def _sizes(catalog: "Catalog") -> dict[str, int]:
    return {"tools": len(catalog.tools), "capabilities": len(catalog.capabilities)}


@contextmanager
def _store(url: str, dimension: int | None = None) -> Iterator["Store"]:
    """An open store, and errors as `_reported` has them."""
    with _reported():
        from ..store import Store

        with Store.open(url, dimension) as store:
            yield store


@contextmanager
def _reported() -> Iterator[None]:
    """An error of shgat ends the command with one line on stderr; see `given.exit_code`."""
    try:
        yield
    except ShgatError as error:
        typer.echo(f"shgat: error: {' '.join(str(error).split())}", err=True)
        raise typer.Exit(exit_code(error)) from None


def _print(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(values).decode())
        return
    for name, value in values.items():
        if isinstance(value, dict):
            _print({f"{name}.{key}": item for key, item in value.items()}, as_json)
        else:
            typer.echo(f"{name:<24} {'-' if value is None else value}")
