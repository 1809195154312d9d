"""`shgat rank`: which tools, capabilities or sets of tools fit one intent."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from ..graph import Catalog
    from ..shgat import SHGAT
    from .intents import Intent


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
    intent = _intent(catalog, intent_vector, intent_id)
    items = ranked(ranker, intent, kind.value, top, context_tool or [], explain)
    missed = None
    if why_not is not None:
        from ..model import why_not as place_of

        missed = place_of(ranker, intent.vector, why_not, text=intent.text or None, context_tools=context_tool or [])
    if as_json:
        about = {"id": intent.id, "text": intent.text} if intent.id else None
        value = {"kind": kind.value, "model_version": ranker.version, "intent": about, "items": items}
        output.write_json(value if missed is None else {**value, "why_not": missed.to_dict()})
    else:
        output.write(table(items, kind.value, ranker.catalog, intent))
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


def _intent(catalog: Path | None, vector: Path | None, key: str | None) -> "Intent":
    from ..errors import InputError
    from . import intents

    if (vector is None) == (key is None):
        raise InputError("give either --intent-vector FILE.npy or --intent-id ID")
    if vector is not None:
        return intents.from_vector(vector)
    if catalog is None:
        raise InputError("--intent-id looks into the catalogue's folder: give --catalog DIR")
    return intents.from_traces(catalog, str(key))


def ranked(model: "SHGAT", intent: "Intent", kind: str, top: int, context: list[str], explain: bool) -> list[dict[str, Any]]:
    """The best items as JSON values: id, score, text, for a set its tools, and where asked for an explanation."""
    catalog = model.catalog
    flat = "tools" if kind == "tools" else "capabilities"
    ranking = model.rank(intent.vector, top, flat, text=intent.text or None, context_tools=context, explain=explain)
    items: list[dict[str, Any]] = ranking.to_dict()["items"]
    nodes = catalog.tools if kind == "tools" else catalog.capabilities
    column = catalog.tool_column if kind == "tools" else catalog.capability_column
    for item in items:
        item["text"] = nodes[column[item["id"]]].text
    if kind == "sets":
        tools = {s.id: list(s.tools) for s in model.rank_sets(intent.vector, top, context_tools=context)}
        for item in items:
            item["tools"] = tools[item["id"]]
    return items


def table(items: list[dict[str, Any]], kind: str, catalog: "Catalog", intent: "Intent") -> "Table":
    """The items for people."""
    from rich.table import Table

    from .output import shorten

    explained = any("explanation" in item for item in items)
    title = f"{intent.id}: {shorten(intent.text, 100)}" if intent.text else None
    grid = Table(title=title, title_justify="left")
    grid.add_column("", justify="right")
    grid.add_column(kind.removesuffix("s") if kind != "capabilities" else "capability", overflow="fold")
    grid.add_column("score", justify="right")
    if explained:
        for name in ("cosine", "heads", "reliability", *(["carried by"] if kind == "tools" else [])):
            grid.add_column(name, justify="left" if name in ("heads", "carried by") else "right")
    grid.add_column("tools" if kind == "sets" else "text")
    used = set(intent.used)
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
