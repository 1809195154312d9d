"""`shgat rank`: which tools, capabilities or sets of tools fit one intent."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from .._types import Float32
    from ..shgat import SHGAT
    from ..traces import Trace


class Kind(StrEnum):
    """What is ranked."""

    tools = "tools"
    capabilities = "capabilities"
    sets = "sets"


def rank(
    catalog: Annotated[Path | None, typer.Option(metavar="DIR", help="Catalogue folder; a --model brings its own.")] = None,
    intent_vector: Annotated[Path | None, typer.Option(metavar="FILE.npy", help="Embedding of the intent, (d,).")] = None,
    intent_id: Annotated[str | None, typer.Option(metavar="ID", help="Id of a trace in the catalogue's folder.")] = None,
    model: Annotated[Path | None, typer.Option(metavar="FILE", help="A trained model; without one, cosine order.")] = None,
    top: Annotated[int, typer.Option(metavar="N", help="How many to show.")] = 5,
    kind: Annotated[Kind, typer.Option(help="What to rank.")] = Kind.tools,
    context_tool: Annotated[list[str] | None, typer.Option(metavar="ID", help="A tool used earlier in the session.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say why.")] = False,
    why_not: Annotated[str | None, typer.Option(metavar="TOOL", help="Say why this tool does not stand first.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Rank tools, capabilities or sets of tools for one intent."""
    from . import output

    ranker = load_model(catalog, model)
    vector, trace = _intent(catalog, intent_vector, intent_id)
    text, context = (trace.intent if trace else "") or None, context_tool or []
    items = ranked(ranker, vector, text, kind, top, context, explain)
    missed = None
    if why_not is not None:
        missed = ranker.why_not(vector, why_not, text=text, context_tools=context)
    if as_json:
        about = {"id": trace.id, "text": trace.intent} if trace else None
        value = {"kind": kind.value, "model_version": ranker.version, "intent": about, "items": items}
        output.write_json(value if missed is None else {**value, "why_not": missed.to_dict()})
    else:
        output.write(table(items, kind, trace))
        if missed is not None:
            output.write(f"Why not {missed.tool}?", *(f"  {sentence}" for sentence in missed.sentences()))


def load_model(catalog: Path | None, model: Path | None) -> "SHGAT":
    """The model of a file, checked against the catalogue where both are given; else an untrained one."""
    from ..errors import InputError, ModelFileError
    from ..graph import Catalog
    from ..shgat import SHGAT

    if model is None:
        if catalog is None:
            raise InputError("give --catalog DIR, --model FILE, or both")
        return SHGAT.from_catalog(Catalog.load(catalog))
    loaded = SHGAT.load(model)
    if catalog is not None and Catalog.load(catalog).fingerprint != loaded.catalog.fingerprint:
        raise ModelFileError(f"{model} was made for another catalogue than {catalog}: its tools or memberships differ")
    return loaded


def _intent(catalog: Path | None, vector: Path | None, key: str | None) -> "tuple[Float32, Trace | None]":
    """The intent's embedding, and the trace it is from."""
    from ..errors import InputError
    from . import traces as sources

    if (vector is None) == (key is None):
        raise InputError("give either --intent-vector FILE.npy or --intent-id ID")
    if vector is not None:
        return sources.read_vector(vector), None
    if catalog is None:
        raise InputError("--intent-id looks into the catalogue's folder: give --catalog DIR")
    trace = sources.find(catalog, str(key))
    assert trace.embedding is not None  # `find` sees to that
    return trace.embedding, trace


def ranked(
    model: "SHGAT", intent: "Float32", text: str | None, kind: Kind, top: int, context: list[str], explain: bool
) -> list[dict[str, Any]]:
    """The best items as JSON values: id, score, text, for a set its tools, and where asked for an explanation."""
    catalog, tools = model.catalog, kind is Kind.tools
    flat: Literal["tools", "capabilities"] = "tools" if tools else "capabilities"
    ranking = model.rank(intent, top, flat, text=text, context_tools=context, explain=explain)
    items: list[dict[str, Any]] = ranking.to_dict()["items"]
    nodes = catalog.tools if tools else catalog.capabilities
    column = catalog.tool_column if tools else catalog.capability_column
    for item in items:
        item["text"] = nodes[column[item["id"]]].text
    if kind is Kind.sets:
        needed = {s.id: list(s.tools) for s in model.rank_sets(intent, top, context_tools=context)}
        for item in items:
            item["tools"] = needed[item["id"]]
    return items


def table(items: list[dict[str, Any]], kind: Kind, trace: "Trace | None") -> "Table":
    """The items for people."""
    from rich.table import Table

    from .output import shorten

    explained = any("explanation" in item for item in items)
    title = f"{trace.id}: {shorten(trace.intent, 100)}" if trace else None
    grid = Table(title=title, title_justify="left")
    grid.add_column("", justify="right")
    grid.add_column(kind.removesuffix("s") if kind != "capabilities" else "capability", overflow="fold")
    grid.add_column("score", justify="right")
    if explained:
        for name in ("cosine", "heads", "reliability", *(["carried by"] if kind == "tools" else [])):
            grid.add_column(name, justify="left" if name in ("heads", "carried by") else "right")
    grid.add_column("tools" if kind == "sets" else "text")
    used = set(trace.tools) if trace else set[str]()
    for place, item in enumerate(items, 1):
        mark = " ✓" if item["id"] in used else ""
        cells = [str(place), item["id"] + mark, f"{item['score']:.3f}"]
        if explained:
            why = item["explanation"]
            cells += [f"{why['cosine']:.3f}", " ".join(f"{s:.2f}" for s in why["head_scores"]), f"{why['reliability']:.2f}"]
            if kind == "tools":
                cells.append("\n".join(f"{c['id']} {c['weight']:.3f}" for c in why["carried_by"][:3]) or "-")
        cells.append("\n".join(item["tools"]) if kind == "sets" else shorten(item["text"], 70))
        grid.add_row(*cells)
    if used and kind == "tools":
        grid.caption = "✓ was really used for this intent"
    return grid
