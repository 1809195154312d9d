"""`shgat mcp`: a catalogue's ranking as an MCP server, for gateways of others."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from . import given, output


def mcp(
    catalog: Annotated[Path, given.folder("Catalogue folder.", "--catalog")],
    store: Annotated[
        str, typer.Option(envvar="SHGAT_STORE_URL", metavar="URL", help="What was learned.  [default: a file of this catalogue]")
    ] = "",
    http: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Streamable HTTP on this machine, instead of stdio.")
    ] = None,
    user: Annotated[str, typer.Option(metavar="ID", help="Whose ranking it is.")] = "local",
) -> None:
    """Serve discover, suggest, feedback and explain over a catalogue, and learn from the feedback."""
    from ..gateway.settings import default_store, need_sdk

    need_sdk()
    where = address(http)
    logging.basicConfig(level=logging.WARNING, format="shgat: %(levelname)s: %(message)s")
    from ..gateway.serve import serve_catalog

    serve_catalog(catalog, store or default_store(catalog), user, where, announce)


def address(http: str | None) -> tuple[str, int] | None:
    """The host and port of an option, on this machine."""
    from ..gateway import settings

    try:
        return None if http is None else settings.address(http)
    except InputError as error:
        raise given.WrongUsage(f"--http: {error}") from None


def announce(url: str) -> None:
    """Says on stderr where it listens."""
    output.note(f"shgat: serving on {url}")
