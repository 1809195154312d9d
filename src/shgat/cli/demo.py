"""`shgat demo`: the sample catalogue that ships with the package, ranked before and after training."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .sample import SAMPLE

if TYPE_CHECKING:
    from ..graph import Catalog
    from ..shgat import SHGAT
    from ..traces import Trace
    from .grid import Grid

SHOWN = ("t0404", "t0412", "t0425", "t0437", "t0451", "t0468")
TOP = 3


def demo(as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False) -> None:
    """Train on the sample traces, and rank test intents before and after, beside plain cosine and what was really used."""
    from ..graph import Catalog
    from ..shgat import SHGAT
    from ..traces import load_traces
    from . import output, train
    from . import traces as sources

    folder = shlex.quote(str(SAMPLE))
    catalog = Catalog.load(SAMPLE)
    traces = load_traces(SAMPLE / "train.jsonl", catalog)
    everything = sources.read_all(SAMPLE / "test.jsonl")
    shown = [i for i in everything if i.id in SHOWN]
    models = {"before": SHGAT.from_catalog(catalog), "after": SHGAT.from_catalog(catalog)}
    with train.progress(quiet=not sys.stderr.isatty()) as on_epoch:
        report = models["after"].fit(traces, on_epoch=on_epoch)
    columns = {"cosine": cosine_order(catalog, shown), **{name: order(model, shown) for name, model in models.items()}}
    scores = {"cosine": recall(cosine_order(catalog, everything, 5), everything)}
    scores |= {name: recall(order(model, everything, 5), everything) for name, model in models.items()}
    sets = [models["after"].rank_sets(i.embedding, 1, text=i.intent)[0] for i in shown]
    if as_json:
        rows = [
            {"id": i.id, "intent": i.intent, "used": i.tools, "best_set": {"id": s.id, "tools": s.tools}}
            | {"ranked": {name: column[n] for name, column in columns.items()}}
            for n, (i, s) in enumerate(zip(shown, sets, strict=True))
        ]
        about = {"accepted": report.accepted, "reason": report.reason, "seconds": report.seconds["total"]}
        output.write_json({"n_tools": len(catalog.tools), "n_capabilities": len(catalog.capabilities), "n_traces": len(traces),
                           "n_intents": len(everything), "training": about, "recall_at_5": scores, "intents": rows})  # fmt: skip
        return
    merged = "cosine, and before training" if columns["cosine"] == columns["before"] else ""
    output.write(
        f"{len(catalog.tools)} tools and {len(catalog.capabilities)} capabilities on "
        f"{catalog.hierarchy.max_level + 1} levels, {len(everything)} test intents of one invented company.\n",
        comparison(shown, {merged: columns["cosine"], "after training": columns["after"]} if merged else columns),
        f"\nBefore training, a model {'orders tools exactly as cosine does' if merged else 'is near to cosine'}. "
        f"Trained on {len(traces)} traces in {report.seconds['total']:.1f} s: {report.reason}.",
        f"Recall@5 over {len(everything)} test intents: {_shares(scores)}.\n",
    )
    output.write_lines(
        "Try next:",
        f"  shgat train --catalog {folder} --out model.safetensors",
        f"  shgat rank --model model.safetensors --catalog {folder} --intent-id {shown[0].id} --explain",
        f"  shgat rank --catalog {folder} --intent-id {shown[0].id} --kind sets",
        f"  shgat catalog check {folder}",
    )


def comparison(intents: Sequence["Trace"], columns: Mapping[str, Sequence[Sequence[str]]]) -> "Grid":
    """One row an intent, one column a way of ranking (`columns`: its best ids for each intent)."""
    from .grid import Grid
    from .output import shorten

    grid = Grid(caption="✓ was really used", ruled=True)
    grid.add_column("intent", prose=True)
    grid.add_column("really used")
    for name in columns:
        grid.add_column(name)
    for n, intent in enumerate(intents):
        used = set(intent.tools)
        cells = ["\n".join(f"{'✓' if t in used else ' '} {t}" for t in column[n]) for column in columns.values()]
        grid.add_row(shorten(intent.intent, 120), "\n".join(intent.tools), *cells)
    return grid


def _shares(scores: Mapping[str, float]) -> str:
    """Each way of ranking with its share; those that are equal together."""
    named: dict[str, list[str]] = {}
    for name, share in scores.items():
        named.setdefault(f"{100 * share:.1f} %", []).append(name)
    return ", ".join(f"{' and '.join(names)} {share}" for share, names in named.items())


def order(model: "SHGAT", intents: Sequence["Trace"], top: int = TOP) -> list[list[str]]:
    """The best tools of a model for each intent."""
    return [list(model.rank(i.embedding, top, text=i.intent or None).ids) for i in intents]


def cosine_order(catalog: "Catalog", intents: Sequence["Trace"], top: int = TOP) -> list[list[str]]:
    """The tools nearest by cosine for each intent."""
    import numpy as np

    rows: Any = catalog.tool_embeddings
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    order = [np.argsort(-(unit @ i.embedding), kind="stable")[:top] for i in intents]
    return [[catalog.tools[t].id for t in best.tolist()] for best in order]


def recall(best: Sequence[Sequence[str]], intents: Sequence["Trace"]) -> float:
    """Mean share of the really used tools among the best."""
    shares = [len(set(b) & set(i.tools)) / len(set(i.tools)) for b, i in zip(best, intents, strict=True) if i.tools]
    return sum(shares) / max(len(shares), 1)
