"""`shgat embed`: gives a catalogue embeddings, or brings them up to date."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import given

if TYPE_CHECKING:
    from ..features.kept import OnText


def embed(
    catalog: Annotated[Path, given.folder("Catalogue folder.")],
    encoder: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="auto, static, minilm, hashed-words, a folder with an ONNX model, owner/name on the hub, endpoint:MODEL.",
        ),
    ] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Embed a catalogue's tools, capabilities and traces; what has not changed since is not encoded again."""
    from ..features import open_encoder
    from ..features.kept import embed_folder
    from . import output

    opened = open_encoder(encoder)
    with _status(f"{catalog}: by {opened.id}") as on_text:
        done = embed_folder(catalog, opened, on_text)
    if as_json:
        about = {
            "encoder": opened.id,
            "dimension": opened.dimension,
            "encoded": done.encoded,
            "kept": done.kept,
            "traces": done.traces,
        }
        output.write_json({"directory": str(catalog), **about})
        return
    traces = "".join(f", {n} intents of {name}" for name, n in done.traces.items())
    output.write(f"{catalog}: {done.encoded} texts encoded by {opened.id}, {done.kept} kept{traces}")


@contextmanager
def _status(title: str) -> "Iterator[OnText | None]":
    """A line that moves on a terminal, and nothing where stderr is none."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True, markup=False).status(title) as status:
        yield lambda done, of: status.update(f"{title}: {done} of {of}")
