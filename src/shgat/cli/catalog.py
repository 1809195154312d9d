"""`shgat catalog check`: is a catalogue sound, and what is in it; `shgat catalog import` is of `importing`."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .importing import import_

if TYPE_CHECKING:
    from ..graph import Catalog
    from .grid import Grid

app = typer.Typer(help="Make a catalogue, and look at one.", rich_markup_mode=None)
app.command("import", short_help="Tools and traces from what there is.")(import_)
_SHOWN = 5


@app.callback()
def _catalog() -> None:
    """Make a catalogue, and look at one."""


@app.command(short_help="Is it sound, and what is in it?")
def check(
    directory: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", exists=True, file_okay=False, help="Folder with tools.jsonl, capabilities.jsonl and .npy files."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> int:
    """Validate a catalogue and say what it is; exit code 1 where there is a fault, and every fault is named."""
    from . import output

    faults, served, about = inspect(directory)
    if as_json:
        output.write_json({"directory": str(directory), "ok": not faults, "faults": faults, **_loose(served), **about})
    else:
        if about:
            output.write(_table(str(directory), about))
        for fault in faults:
            output.note(f"shgat: fault: {' '.join(fault.split())}")
        if served is not None:
            for sentence in served.left_out:
                output.note(f"shgat: not served: {' '.join(sentence.split())}")
            output.note(f"shgat: {directory}: a ranker opens it without that, as {served!r}")
        output.note(f"shgat: {directory}: " + (f"{len(faults)} fault{'s' * (len(faults) > 1)}" if faults else "no faults"))
    return 1 if faults else 0


def _loose(served: "Catalog | None") -> dict[str, Any]:
    return {} if served is None else {"left_out": served.left_out, "served": repr(served)}


def inspect(directory: Path) -> tuple[list[str], "Catalog | None", dict[str, Any]]:
    """(faults, what a ranker would serve where there are some, what the catalogue is as JSON values: empty where it cannot be loaded)."""
    from ..errors import CatalogError
    from ..graph import Catalog
    from ..graph.statistics import CatalogStatistics

    try:
        catalog = Catalog.load(directory)
    except CatalogError as error:
        with suppress(CatalogError):  # not even its tools can be read
            return error.faults, Catalog.load(directory, strict=False), {}
        return error.faults, None, {}
    faults: list[str] = []
    return (
        faults,
        None,
        {"encoder": catalog.encoder, **CatalogStatistics.of(catalog).to_dict(), "traces": _traces(directory, catalog, faults)},
    )


def _traces(directory: Path, catalog: "Catalog", faults: list[str]) -> list[dict[str, Any]]:
    """Size of each file of traces, and how many traces name tools that the catalogue does not have."""
    from ..errors import InputError
    from ..traces import Trace, read_traces
    from . import traces as sources

    sizes = []
    dimension = catalog.dimension if catalog.has_embeddings else None
    for path in sources.trace_files(directory):
        found: list[Trace] = []
        try:
            for number, trace in read_traces(path, dimension):
                if isinstance(trace, Trace):
                    found.append(trace)
                else:
                    faults.append(f"{path.name}, line {number}: {trace}")
        except InputError as error:
            faults.append(str(error))
            continue
        sizes.append({
            "file": path.name,
            "traces": len(found),
            "embeddings": any(t.embedding is not None for t in found),
            "with_unknown_tools": sum(any(tool not in catalog.tool_column for tool in t.tools) for t in found),
        })  # fmt: skip
    return sizes


def _table(title: str, about: dict[str, Any]) -> "Grid":
    from .grid import Grid

    grid = Grid(title)
    grid.add_column("")
    grid.add_column("", prose=True)
    levels = ", ".join(f"{n} on level {k}" for k, n in enumerate(about["capabilities_per_level"]))
    rows = {
        "tools": str(about["n_tools"]),
        "capabilities": f"{about['n_capabilities']}" + (f": {levels}" if levels else ""),
        "origin of capabilities": _origins(about),
        "memberships": str(about["n_memberships"]),
        "embeddings": _embeddings(about["dimension"], about["encoder"]),
        "tools in no capability": _some(about["orphan_tools"]),
        "capabilities without members": _some(about["empty_capabilities"]),
        "tools with one embedding": _some([" = ".join(group) for group in about["duplicate_tools"]]),
        "capabilities with one embedding": _some([" = ".join(group) for group in about["duplicate_capabilities"]]),
        "mean cosine between tools": _cosine(about["mean_tool_cosine"], "tools" in about["collapsed"]),
        "mean cosine between capabilities": _cosine(about["mean_capability_cosine"], "capabilities" in about["collapsed"]),
    }
    for traces in about["traces"]:
        strangers = (
            f", {traces['with_unknown_tools']} name tools that are not in the catalogue" if traces["with_unknown_tools"] else ""
        )
        bare = "" if traces["embeddings"] else ", without embeddings"
        rows[traces["file"]] = f"{traces['traces']} traces{bare}{strangers}"
    for name, value in rows.items():
        grid.add_row(name, value)
    return grid


def _origins(about: dict[str, Any]) -> str:
    unsaid = about["n_capabilities"] - about["declared"] - about["mined"]
    said = f"{about['declared']} declared, {about['mined']} mined from traces"
    return said + (f", {unsaid} do not say: training looks at the traces" if unsaid else "")


def _embeddings(dimension: int | None, encoder: str) -> str:
    if dimension is None:
        return "none: a ranker makes some of the texts"
    return f"{dimension} dimensions" + (f", by {encoder}" if encoder else "")


def _some(items: "list[str] | tuple[str, ...]") -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return f"{len(items)}: {', '.join(items[:_SHOWN])}{more}" if items else "none"


def _cosine(mean: float | None, collapsed: bool) -> str:
    warning = "  collapsed: they can hardly be told apart" if collapsed else ""
    return "-" if mean is None else f"{mean:.3f}{warning}"
