"""`shgat rank`: which tools, capabilities or sets of tools fit one intent, or each of many."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from . import given, many, spread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._types import Float32
    from ..model.why_not import WhyNot
    from ..shgat import SHGAT
    from ..traces import Trace
    from .grid import Grid

_CARRIERS = 3  # capabilities that are named of a tool
_VISIBLE = 0.005  # of a score


class Kind(StrEnum):
    """What is ranked."""

    tools = "tools"
    capabilities = "capabilities"
    sets = "sets"


def rank(
    intent: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="What somebody wants, in words.", show_default=False)
    ] = None,
    catalog: Annotated[Path | None, given.folder("Catalogue folder; a --model brings its own.")] = None,
    intent_vector: Annotated[Path | None, given.file("Embedding of the intent, (d,).", "FILE.npy")] = None,
    intent_id: Annotated[str | None, typer.Option(metavar="ID", help="Id of a trace in the catalogue's folder.")] = None,
    text: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Text of the intent, for channels that read words; alone, as TEXT.")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What makes a vector of the text.  [default: what made the catalogue's embeddings]"),
    ] = None,
    model: Annotated[Path | None, given.file("A trained model; without one, cosine order.")] = None,
    top: Annotated[int, typer.Option(metavar="N", min=1, help="How many to show.")] = 5,
    kind: Annotated[Kind, typer.Option(help="What to rank.")] = Kind.tools,
    candidate: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only among these; may be repeated.")] = None,
    context_tool: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A tool used earlier in the session; may be repeated.")
    ] = None,
    min_score: Annotated[
        float | None, typer.Option(metavar="P", min=0.0, max=1.0, help="Leave out tools that are less probable to be right.")
    ] = None,
    bulk: Annotated[
        Path | None, given.file("Many intents at once: FILE.jsonl, .csv or .parquet with id, intent, embedding.", "FILE")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where their tools go: .jsonl, .csv or .parquet.")] = None,
    jobs: spread.Jobs = None,
    executor: spread.On = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say why.")] = False,
    why_not: Annotated[str | None, typer.Option(metavar="TOOL", help="Say why this tool does not stand first.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> int:
    """Rank tools, capabilities or sets of tools for one intent, or tools for many with --bulk.

    Exit code 1: an error, or not one of many intents could be ranked.
    """
    from . import output

    if bulk is not None:
        others: dict[str, object] = {"TEXT": intent, "--intent-vector": intent_vector, "--intent-id": intent_id}
        others |= {"--text": text, "--candidate": candidate}
        others |= {"--context-tool": context_tool, "--explain": explain or None, "--why-not": why_not}
        given.refuse({**others, "--kind": None if kind is Kind.tools else kind}, "with one intent", "with --bulk")
        return many.ranked(
            bulk, given.needed(out, "--out FILE"), load_model(catalog, model, encoder), spread.asked(executor, jobs),
            top=top, min_score=min_score, encoder=encoder or "", as_json=as_json,
        )  # fmt: skip
    given.refuse({"--out": out, "--jobs": jobs, "--executor": executor}, "with --bulk", "with one intent")
    if kind is not Kind.tools:
        given.refuse({"--why-not": why_not, "--min-score": min_score}, "with --kind tools", f"with --kind {kind}")
    if intent_id is not None:
        given.refuse({"--text": text}, "with --intent-vector or alone", "with --intent-id, whose trace has a text")
    if intent is not None:
        given.refuse({"--text": text, "--intent-vector": intent_vector, "--intent-id": intent_id}, "without TEXT", "with TEXT")
        text = intent
    spoken = text is not None and intent_vector is None and intent_id is None
    if not spoken:
        given.one_of("TEXT, --intent-vector FILE.npy, --intent-id ID or --text TEXT", intent_vector, intent_id)
        given.refuse({"--encoder": encoder}, "with TEXT", "with a vector")
    ranker = load_model(catalog, model, encoder)
    vector: Float32 | str | None = None
    trace: Trace | None = None
    if not spoken:
        vector, trace = _intent(catalog, intent_vector, intent_id)
    text = ((trace.intent if trace else text) or "").strip() or None
    if spoken and text and ranker.encoder is not None:
        vector = text
    elif spoken:
        alone: dict[str, object] = {
            "--kind": None if kind is Kind.tools else kind,
            "--context-tool": context_tool,
            "--min-score": min_score,
        }
        alone |= {"--explain": explain or None, "--why-not": why_not}
        given.refuse(alone, "with --intent-vector, --intent-id or an encoder", "with words alone")
    asked = Question(vector, text, kind, top, candidate, tuple(context_tool or ()), min_score)
    items, made = ranked(ranker, asked, explain)
    missed = None if why_not is None else ranker.why_not(asked.intent, why_not, text=text, context_tools=asked.context)
    if as_json:
        about = {"id": trace.id, "text": trace.intent} if trace else {"text": text} if spoken else None
        value = {"kind": kind.value, "model_version": ranker.version, "intent": about, **made, "items": items}
        output.write_json(value if missed is None else {**value, "why_not": missed.to_dict()})
    else:
        _show(table(items, kind, trace), made, missed)
    return 0


def _show(items: "Grid", made: dict[str, Any], missed: "WhyNot | None") -> None:
    """The answer for people."""
    from . import output

    output.write(items)
    for why in made.get("degraded", ()):
        output.note(f"shgat: {why}")
    if missed is not None:
        output.write(f"Why not {missed.tool}?", *(f"  {sentence}" for sentence in missed.sentences()))


@dataclass(frozen=True, eq=False)
class Question:
    """What `SHGAT.rank` is asked, a vector or a text; with neither, what its words alone are asked."""

    intent: "Float32 | str | None"
    text: str | None
    kind: Kind
    top: int
    candidates: list[str] | None
    context: tuple[str, ...]
    min_score: float | None


def load_model(catalog: Path | None, model: Path | None, encoder: str | None = None) -> "SHGAT":
    """The model of a file, checked against the catalogue where both are given; else an untrained one.

    `encoder`: what makes vectors of texts, None for what made the catalogue's embeddings, or the one of the wheel where it has none.
    """
    from ..errors import ModelFileError
    from ..graph import Catalog
    from ..shgat import SHGAT
    from . import output

    if model is None:
        folder = given.needed(catalog, "--catalog DIR, --model FILE, or both")
        found = Catalog.load(folder)
        ranker = SHGAT.from_catalog(found, encoder=encoder)
        if not found.has_embeddings:
            output.note(
                f"shgat: {folder} has no embeddings: {ranker.catalog.encoder} made some for now, `shgat embed` makes them to stay"
            )
        return ranker
    loaded = SHGAT.load(model)
    if encoder is not None:
        loaded.encoder = encoder
    if catalog is not None and Catalog.load(catalog).fingerprint != loaded.catalog.fingerprint:
        raise ModelFileError(f"{model} was made for another catalogue than {catalog}: its tools or memberships differ")
    return loaded


def _intent(catalog: Path | None, vector: Path | None, key: str | None) -> "tuple[Float32, Trace | None]":
    """The intent's embedding, and the trace it is from."""
    from . import traces as sources

    if vector is not None:
        return sources.read_vector(vector), None
    trace = sources.find(given.needed(catalog, "--catalog DIR: --intent-id looks into the catalogue's folder"), str(key))
    assert trace.embedding is not None  # `find` sees to that
    return trace.embedding, trace


def ranked(model: "SHGAT", asked: Question, explain: bool) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The best items as JSON values: id, score, text, for a set its tools, and where asked for an explanation; and what made the vector."""
    catalog, tools = model.catalog, asked.kind is Kind.tools
    flat: Literal["tools", "capabilities"] = "tools" if tools else "capabilities"
    made: dict[str, Any] = {}
    if asked.intent is None:
        items = _ranked_by_words(model, asked)
    else:
        found = model.rank(
            asked.intent, asked.top, flat, text=asked.text, context_tools=asked.context, candidates=asked.candidates,
            min_score=asked.min_score, explain=explain,
        ).to_dict()  # fmt: skip
        items, made = found["items"], {name: found[name] for name in ("encoder", "degraded") if name in found}
    describe(model, asked.kind, items, explain)
    if asked.kind is Kind.sets and items:
        needed = {
            s.id: list(s.tools)
            for s in model.rank_sets(asked.intent, len(catalog.capabilities), text=asked.text, context_tools=asked.context)
        }
        for item in items:
            item["tools"] = needed[item["id"]]
    return items, made


def describe(model: "SHGAT", kind: Kind, items: list[dict[str, Any]], explained: bool) -> None:
    """Adds to items as JSON values their texts, and to their explanations what the channels count and leave."""
    catalog, tools = model.catalog, kind is Kind.tools
    nodes, column = (catalog.tools, catalog.tool_column) if tools else (catalog.capabilities, catalog.capability_column)
    for item in items:
        item["text"] = nodes[column[item["id"]]].text
        if explained:
            why = item["explanation"]
            led = {"values": 1.0} if "values" in why["channels"] else {}
            why["weights"] = {**_weights(model, kind, column[item["id"]]), **led} or why["weights"]
            if why["channels"]:
                why["rest"] = item["score"] - why["weights"].get("bonus", 0.0)
                why["rest"] -= sum(why["weights"].get(name, 0.0) * score for name, score in why["channels"].items())


def _ranked_by_words(model: "SHGAT", asked: Question) -> list[dict[str, Any]]:
    """The best tools for a text without an embedding."""
    from ..model.scoring import by_words
    from . import output

    index = model.index()
    z = by_words(index, asked.text or "")
    columns = range(len(z)) if asked.candidates is None else index.tools.columns(asked.candidates, "--candidate").tolist()
    best = sorted(columns, key=lambda t: (-z[t], t))[: asked.top]
    output.note(
        "shgat: ranked by words, as no encoder like the catalogue's is at hand: name it with --encoder, or give a catalogue "
        "embeddings with `shgat embed`"
    )
    return [{"id": index.tools.ids[t], "score": float(z[t])} for t in best]


def _weights(model: "SHGAT", kind: Kind, column: int) -> dict[str, float]:
    """What each channel counts for a tool, and "bonus", which is added; empty where nothing was learned."""
    learned = model.index().learned
    if kind is not Kind.tools or learned is None:
        return {}
    return {name: float(factors[column]) for name, factors in learned.factors.items() if factors[column]}


def table(items: list[dict[str, Any]], kind: Kind, trace: "Trace | None") -> "Grid":
    """The items for people."""
    from .grid import Grid
    from .output import shorten

    explained, probable = (any(key in item for item in items) for key in ("explanation", "probability"))
    used = set(trace.tools) if trace else set[str]()
    grid = Grid(f"{trace.id}: {shorten(trace.intent, 100)}" if trace else "", ruled=explained or kind == "sets")
    grid.add_column("#", "right")
    grid.add_column(kind.removesuffix("s") if kind != "capabilities" else "capability")
    if probable:
        grid.add_column("probability", "right")
    grid.add_column("score", "right")
    if explained:
        grid.add_column("why")
    grid.add_column("tools" if kind == "sets" else "text", prose=kind != "sets")
    for place, item in enumerate(items, 1):
        cells = [str(place), item["id"] + (" ✓" if item["id"] in used else "")]
        cells += [f"{item['probability']:.2f}"] if probable else []
        cells.append(f"{item['score']:.3f}")
        cells += ["\n".join(reasons(item["explanation"]))] if explained else []
        grid.add_row(*cells, "\n".join(item["tools"]) if kind == "sets" else shorten(item["text"], 70))
    notes = ["✓ was really used for this intent"] if used and kind == "tools" else []
    if any(item["explanation"]["channels"] for item in items if explained):
        notes.append("score: the sum of each channel's weight x its own score, which is a logarithm or a similarity")
    grid.caption = ". ".join(notes)
    return grid


def reasons(why: "Mapping[str, Any]") -> list[str]:
    """What decided, a line each: the channels with their weights, or cosine where nothing was learned, and what changed the score besides."""
    weights = why["weights"]
    parts = sorted(
        ((name, weights.get(name, 0.0), score) for name, score in why["channels"].items()), key=lambda p: -abs(p[1] * p[2])
    )
    lines = [f"{name} {weight:.2f} x {score:+.2f} = {weight * score:+.2f}" for name, weight, score in parts]
    if weights.get("bonus"):
        lines.append(f"no trace ran it {weights['bonus']:+.2f}")
    if abs(why.get("rest", 0.0)) >= _VISIBLE:
        lines.append(f"failures, and distance from known intents {why['rest']:+.2f}")
    lines.append(f"cosine {why['cosine']:.3f}" + (" (frozen, for comparison)" if "cosine" not in why["channels"] and parts else ""))
    if why["reliability"] != 1.0:
        lines.append(f"success rate x {why['reliability']:.2f}")
    lines += [f"carried by {c['id']} {c['weight']:.3f}" for c in why["carried_by"][:_CARRIERS]]
    known = ("weights", "channels", "rest", "cosine", "reliability", "carried_by", "head_scores")
    return lines + [f"{name} {value}" for name, value in why.items() if name not in known and value not in (None, {}, [])]
