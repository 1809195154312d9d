"""`shgat demo`: the sample catalogue that ships with the package, ranked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from ..graph import Catalog
    from ..model import SHGAT
    from .intents import Intent

SAMPLE = Path(__file__).parent.parent / "sample"
SHOWN = ("t0404", "t0412", "t0425", "t0437", "t0451", "t0468")
TOP = 3


def demo(as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False) -> None:
    """Rank a handful of intents over the sample catalogue, beside plain cosine and what was really used."""
    from ..graph import Catalog
    from ..model import SHGAT
    from . import intents, output

    catalog = Catalog.load(SAMPLE)
    everything = intents.load_all(SAMPLE / "test.jsonl")
    shown = [i for i in everything if i.id in SHOWN]
    models = {"untrained": SHGAT.from_catalog(catalog)}
    columns = {"cosine": cosine_order(catalog, shown), **{name: order(model, shown) for name, model in models.items()}}
    scores = {"cosine": recall(cosine_order(catalog, everything, 5), everything)}
    scores |= {name: recall(order(model, everything, 5), everything) for name, model in models.items()}
    sets = [models["untrained"].rank_sets(i.vector, 1)[0] for i in shown]
    if as_json:
        rows = [
            {"id": i.id, "intent": i.text, "used": i.used, "best_set": {"id": s.id, "tools": s.tools}}
            | {"ranked": {name: column[n] for name, column in columns.items()}}
            for n, (i, s) in enumerate(zip(shown, sets, strict=True))
        ]
        output.write_json({"n_tools": len(catalog.tools), "n_capabilities": len(catalog.capabilities),
                           "n_intents": len(everything), "recall_at_5": scores, "intents": rows})  # fmt: skip
        return
    output.write(
        f"{len(catalog.tools)} tools and {len(catalog.capabilities)} capabilities on "
        f"{catalog.hierarchy.max_level + 1} levels, {len(everything)} test intents of one invented company.\n",
        comparison(shown, columns),
        "\nRecall@5 over all test intents: " + ", ".join(f"{name} {100 * value:.1f} %" for name, value in scores.items()),
        "An untrained model orders tools exactly as cosine does; what it learns, it learns from traces.\n",
        "Try next:",
        f"  shgat rank --catalog {SAMPLE} --intent-id {shown[0].id} --explain",
        f"  shgat rank --catalog {SAMPLE} --intent-id {shown[0].id} --kind sets",
        f"  shgat catalog check {SAMPLE}",
    )


def comparison(intents: Sequence["Intent"], columns: Mapping[str, Sequence[Sequence[str]]]) -> "Table":
    """One row an intent, one column a way of ranking (`columns`: its best ids for each intent); ✓ marks what was really used."""
    from rich.table import Table

    from .output import shorten

    grid = Table(show_lines=True)
    grid.add_column("intent", max_width=40)
    grid.add_column("really used", overflow="fold")
    for name in columns:
        grid.add_column(name, overflow="fold")
    for n, intent in enumerate(intents):
        used = set(intent.used)
        cells = ["\n".join(f"{'✓' if t in used else ' '} {t}" for t in column[n]) for column in columns.values()]
        grid.add_row(shorten(intent.text, 120), "\n".join(intent.used), *cells)
    return grid


def order(model: "SHGAT", intents: Sequence["Intent"], top: int = TOP) -> list[list[str]]:
    """The best tools of a model for each intent."""
    return [list(model.rank(i.vector, top).ids) for i in intents]


def cosine_order(catalog: "Catalog", intents: Sequence["Intent"], top: int = TOP) -> list[list[str]]:
    """The tools nearest by cosine for each intent."""
    import numpy as np

    rows: Any = catalog.tool_embeddings
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    order = [np.argsort(-(unit @ i.vector), kind="stable")[:top] for i in intents]
    return [[catalog.tools[t].id for t in best.tolist()] for best in order]


def recall(best: Sequence[Sequence[str]], intents: Sequence["Intent"]) -> float:
    """Mean share of the really used tools among the best."""
    shares = [len(set(b) & set(i.used)) / len(set(i.used)) for b, i in zip(best, intents, strict=True) if i.used]
    return sum(shares) / max(len(shares), 1)
