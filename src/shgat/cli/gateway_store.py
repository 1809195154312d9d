"""What a gateway's store tells of it, whether it runs or not: how it is doing, and what its principals have learned for themselves."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..serving import Ranker

MODES = ("gated", "on", "off")
Url = Annotated[str, typer.Option("--store", envvar="SHGAT_STORE_URL", metavar="URL", help="The store of the gateway.")]
User = Annotated[str, typer.Option("--user", metavar="ID", help="Whose model.")]
Folder = Annotated[Path | None, given.folder("The gateway's catalogue.  [default: the store's own copy]", "--catalog")]
Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


def status(url: Url, catalog: Folder = None, user: User = "local", as_json: Json = False) -> None:
    """How a gateway is doing, from its store: the model that serves, what waits to be learned, how often tools work, what is wrong."""
    from ..gateway.facts import Facts
    from . import output
    from .facts import grids

    with _opened(url, catalog, user) as (about, ranker):
        found: dict[str, object] = {"store": about, "ranker": ranker.stats()}
    servers = Facts.beside(url).to_dict()["servers"]
    if servers:
        found["servers"] = [{"server": name, **state} for name, state in servers.items()]
    if as_json:
        output.write_json(found)
    else:
        output.write(*grids(found))


def principal(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A team, a tenant or a person, as requests name it.")],
    url: Url,
    pin: Annotated[
        str | None, typer.Option(metavar="MODE", help="How its own executions count: gated, where its gate says so, on or off.")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Let its executions count from now on.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was decided last.")] = False,
    who: given.Who = "",
    why: given.Why = "not said",
    catalog: Folder = None,
    user: User = "local",
    as_json: Json = False,
) -> None:
    """What a principal has learned for itself, by its store; and decide how that counts. Gateways that run follow within half a minute."""
    from ..store import Store
    from . import output
    from .facts import grids
    from .versions import day, decided

    asked = {"pin": pin, "reset": reset or None, "undo": undo or None}
    given_ones = [action for action, value in asked.items() if value is not None]
    if len(given_ones) > 1:
        raise given.WrongUsage(f"--{given_ones[0]} and --{given_ones[1]}: one at a time")
    if pin is not None and pin not in MODES:
        raise given.WrongUsage(f"--pin {pin}: one of {', '.join(MODES)}")
    with _opened(url, catalog, user) as (_, ranker):
        if given_ones:
            with Store.open(url) as store:
                store.move_principal(name, given_ones[0], mode=pin, who=given.who(who), why=why, user_id=user)
        found, moves = ranker.principals.about(name), ranker.principals.history(name)
    if as_json:
        output.write_json({**found, "moves": [move.to_dict() for move in moves]})
        return
    found["since"] = found["since"] and day(found["since"])
    output.write(*grids(found), *([decided(moves)] if moves else []))


@contextmanager
def _opened(url: str, catalog: Path | None, user: str) -> "Iterator[tuple[dict[str, Any], Ranker]]":
    """What a store is, and a ranker over it that does not learn."""
    from ..graph import Catalog
    from ..serving import Ranker
    from ..store import Store

    with Store.open(url) as store:
        about = store.status()
        tools, capabilities = store.catalog() if catalog is None else ([], [])
        if catalog is None and not tools:
            raise given.WrongUsage(f"{store.url} holds no catalogue yet: give --catalog DIR")
        known = Catalog.from_records(tools, capabilities) if catalog is None else Catalog.load(catalog)
    with Ranker.open(url, known, mode="off", user_id=user) as ranker:
        yield about, ranker
