"""`shgat suggest`: what to use next in a session."""

from pathlib import Path
from typing import Annotated

import typer

from . import given
from .rank import Kind, describe, load_model, table


def suggest(
    used: Annotated[
        list[str], typer.Argument(metavar="TOOL...", help="Ids of what was used, the latest last.", show_default=False)
    ],
    catalog: Annotated[Path | None, given.folder("Catalogue folder; a --model brings its own.", "--catalog")] = None,
    model: Annotated[Path | None, given.file("A trained model; without one, cosine order.", "FILE", "--model")] = None,
    intent: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What somebody wants.  [default: what was used stands for it]")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What makes a vector of TEXT.  [default: what made the catalogue's embeddings]"),
    ] = None,
    top: Annotated[int, typer.Option(metavar="N", min=1, help="How many to show.")] = 5,
    explain: Annotated[bool, typer.Option("--explain", help="Say why.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Suggest what to use next, after some tools; what was used last does not come again."""
    from . import output

    if intent is None:
        given.refuse({"--encoder": encoder}, "with --intent TEXT", "without it")
    ranker = load_model(catalog, model, encoder)
    ranking = ranker.suggest(used, intent, top, explain=explain)
    values = ranker.state.values
    items = ranking.to_dict()["items"]
    describe(ranker, Kind.tools, items, explain)
    if as_json:
        weight = None if values is None else values.weight
        output.write_json({"model_version": ranker.version, "context_tools": used, "values_weight": weight, "items": items})
        return
    output.write(table(items, Kind.tools, None))
