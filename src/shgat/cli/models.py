"""`shgat models`: the versions of a model, and which of them serves."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given
from .db import Json, Url
from .versions import day, distances, moved

if TYPE_CHECKING:
    from ..registry import Registry
    from ..store import Move

app = typer.Typer(help="Versions of a model, and which of them serves.", rich_markup_mode=None)

User = Annotated[str, typer.Option("--user", metavar="ID", help="Whose model.")]
Mlflow = Annotated[
    str | None, typer.Option("--mlflow", metavar="URI", help="Versions lie in MLflow there; aliases and their log in the store.")
]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Of the model in MLflow.  [default: shgat]")]
Which = Annotated[str, typer.Argument(metavar="VERSION", help="A number, or an alias that names one.")]
_MOVES = 10  # of the log, where all versions are listed
_ALIASES = "production, staging, shadow or canary."


@app.command("list", short_help="All versions, and the latest moves.")
def list_(url: Url, user: User = "local", mlflow: Mlflow = None, name: Name = None, as_json: Json = False) -> None:
    """All versions, which aliases name them, and the latest moves of aliases."""
    from . import output
    from .grid import Grid

    with _registry(url, user, mlflow, name) as registry:
        aliases, moves = registry.aliases(), registry.moves(limit=_MOVES)
        rows = [v.summary(aliases) for v in registry.versions()]
    if as_json:
        output.write_json({"versions": rows, "aliases": aliases, "moves": [vars(m) for m in moves]})
        return
    grid = Grid("versions")
    for column in ("version", "aliases", "stored", "parent"):
        grid.add_column(column)
    grid.add_column("traces", "right")
    grid.add_column("MiB", "right")
    grid.add_column("why", prose=True)
    for row in rows:
        parent, traces = (row["parent"] or "-", row["traces"] or "-")
        names = ", ".join(row["aliases"]) or "-"
        size = f"{row['bytes'] / 2**20:.2f}"
        grid.add_row(str(row["version"]), names, day(row["created_at"]), str(parent), str(traces), size, row["reason"] or "-")
    output.write(*([grid] if rows else ["There is no version."]), *([moved(moves)] if moves else []))


@app.command(short_help="One version: its facts and its moves.")
def show(version: Which, url: Url, user: User = "local", mlflow: Mlflow = None, name: Name = None, as_json: Json = False) -> None:
    """One version: what it was trained on and how good it was, and every move of an alias to it or away."""
    from . import output
    from .facts import grids

    with _registry(url, user, mlflow, name) as registry:
        found, aliases = registry.version(registry.named(version)), registry.aliases()
        moves = [m for m in registry.moves() if found.number in (m.before, m.after)]
    if as_json:
        output.write_json({**found.summary(aliases), "facts": found.facts, "moves": [vars(m) for m in moves]})
        return
    facts = {key: value for key, value in found.facts.items() if key != "config"}
    output.write(*grids({**found.summary(aliases), "facts": facts}), *([moved(moves)] if moves else []))


@app.command(short_help="Put a version into production, past the gate.")
def promote(
    version: Which,
    url: Url,
    alias: Annotated[str, typer.Option(metavar="NAME", help=f"{_ALIASES} Only production has a gate.")] = "production",
    catalog: Annotated[Path | None, given.folder("The catalogue it is to serve.  [default: the store's own copy]")] = None,
    traces: Annotated[
        Path | None, given.file("Held-out traces.  [default: the store's that came after both versions]", "FILE", "--traces")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Past a gate that says no; needs --why.")] = False,
    percent: Annotated[float | None, typer.Option(metavar="P", help="Of the sessions, for a canary.  [default: 5]")] = None,
    hours: Annotated[float | None, typer.Option(metavar="H", help="That a canary serves.  [default: 24]")] = None,
    who: given.Who = "", why: given.Why = "", user: User = "local", mlflow: Mlflow = None, name: Name = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Let an alias name a version. Into production only what is better than frozen cosine and no worse than what is there; or exit code 1."""
    from ..graph import Catalog
    from .traces import load

    of_gate = {"--catalog": catalog, "--traces": traces, "--force": force or None}
    if alias != "production":
        given.refuse(of_gate, "with --alias production", f"with --alias {alias}")
    if alias != "canary":
        given.refuse({"--percent": percent, "--hours": hours}, "with --alias canary", f"with --alias {alias}")
    if force and not why:
        raise given.WrongUsage("--force needs --why")
    with _registry(url, user, mlflow, name) as registry:
        number = registry.named(version)
        if alias == "production":
            from ..registry import promote as through_the_gate
            from ..store.feature_build import stored_catalog

            served = stored_catalog(registry.store) if catalog is None else Catalog.load(catalog)
            if not served.tools:
                raise given.WrongUsage(f"{registry.store.url} holds no catalogue yet: give --catalog DIR")
            held = None if traces is None else load(traces, served, True)
            move = through_the_gate(registry, number, served, held, who=given.who(who), why=why, force=force)
        elif alias == "canary":
            from ..registry import Terms

            until = registry.store.clock() + 3600.0 * (24.0 if hours is None else hours)
            terms = Terms(percent=5.0 if percent is None else percent, until=until)
            move = registry.move(alias, number, who=given.who(who), why=why, terms=terms.to_dict())
        else:
            move = registry.move(alias, number, who=given.who(who), why=why)
    _tell(move, as_json)


@app.command(short_help="Go back to what an alias named before.")
def rollback(
    url: Url,
    alias: Annotated[str, typer.Option(metavar="NAME", help=_ALIASES)] = "production",
    who: given.Who = "", why: given.Why = "", user: User = "local", mlflow: Mlflow = None, name: Name = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Go back to what an alias named before, by the log; again, to what it named before that. Canary, shadow and staging end empty."""
    with _registry(url, user, mlflow, name) as registry:
        move = registry.rollback(alias, who=given.who(who), why=why)
    _tell(move, as_json)


@app.command(short_help="What differs between two versions.")
def diff(
    first: Which, second: Which, url: Url, user: User = "local", mlflow: Mlflow = None, name: Name = None, as_json: Json = False,
) -> None:  # fmt: skip
    """What differs between two versions: settings, figures, tools, and how far each group of parameters has moved."""
    from . import output
    from .facts import grids

    with _registry(url, user, mlflow, name) as registry:
        from ..registry.facts import difference
        from ..shgat import SHGAT

        numbers = [registry.named(v) for v in (first, second)]
        facts = [registry.version(n).facts for n in numbers]
        models = [SHGAT.from_bytes(registry.data(n), f"model version {n}") for n in numbers]
    labels = ("first", "second") if numbers[0] == numbers[1] else tuple(f"v{n}" for n in numbers)
    changed = difference(facts[0], facts[1])
    tools = [set(m.tool_ids) for m in models]
    found: dict[str, Any] = {
        "facts": {key: dict(zip(labels, values, strict=True)) for key, values in changed.items()},
        "tools": {"added": sorted(tools[1] - tools[0]), "removed": sorted(tools[0] - tools[1])},
        "parameters": distances(models[0], models[1]),
    }
    if as_json:
        output.write_json({"versions": numbers, **found})
        return
    tables = grids({"tools": found["tools"], "moved": found["parameters"]})
    facts_table = grids({"facts": [{"name": key, **values} for key, values in found["facts"].items()]})
    output.write(*(facts_table if changed else ["The facts are the same."]), *tables)


@app.command(short_help="Write a version's model file.")
def export(
    version: Which,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="That `SHGAT.load` and every command reads.")],
    url: Url, user: User = "local", mlflow: Mlflow = None, name: Name = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Write a version's model file."""
    from .._files import write_atomically
    from . import output

    given.writable(file, "FILE")
    with _registry(url, user, mlflow, name) as registry:
        number = registry.named(version)
        data = registry.data(number)
    write_atomically(file, data)
    if as_json:
        output.write_json({"version": number, "file": str(file), "bytes": len(data)})
    else:
        output.write_lines(f"v{number} -> {file}")


@app.command("import", short_help="Register a model file as a version.")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="What `shgat train` wrote.")],
    url: Url,
    parent: Annotated[int | None, typer.Option(metavar="N", help="The version that its training went on from.")] = None,
    user: User = "local", mlflow: Mlflow = None, name: Name = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Register a model file as a version. It serves when it is promoted. A store that is not there yet is created."""
    from ..registry import facts_of
    from ..shgat import SHGAT
    from . import output

    model = SHGAT.load(file)
    with _registry(url, user, mlflow, name, model.catalog.dimension) as registry:
        added = registry.add(model.to_bytes(), facts_of(model, file.stat().st_mtime, parent))
        row = added.summary({})
    if as_json:
        output.write_json(row)
    else:
        output.write_lines(f"{file} -> v{added.number}")


@contextmanager
def _registry(url: str, user: str, mlflow: str | None, name: str | None, dimension: int | None = None) -> "Iterator[Registry]":
    from ..registry import StoreRegistry
    from ..store import Store

    if mlflow is None:
        given.refuse({"--name": name}, "with --mlflow URI", "without it")
    with Store.open(url, dimension) as store:
        if mlflow is None:
            yield StoreRegistry(store, user)
        else:
            from ..registry.mlflow import MlflowRegistry

            yield MlflowRegistry(store, mlflow, name or "shgat", user_id=user)


def _tell(move: "Move", as_json: bool) -> None:
    from . import output

    if as_json:
        output.write_json(vars(move))
    else:
        after, before = ("none" if v is None else f"v{v}" for v in (move.after, move.before))
        output.write_lines(f"{move.alias}: {before} -> {after}")
