"""`shgat embed`: gives a catalogue embeddings, or brings them up to date."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import given, spread

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
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", min=1, help="Processes at once.")] = 1,
    executor: spread.On = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Embed a catalogue's tools, capabilities and traces; what has not changed since is not encoded again."""
    from ..features import open_encoder
    from ..features.kept import embed_folder
    from . import output

    opened = open_encoder(encoder)
    with (
        spread.opened(executor, None if executor and jobs == 1 else jobs, False) as over,
        _status(f"{catalog}: by {opened.id}") as on_text,
    ):
        done = embed_folder(catalog, opened, on_text, executor=over, opened_by=encoder)
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
def _status(title: str) -> "Iterator[OnText]":
    """How far it is, anew for each kind of text: on a terminal a bar, in a log a line now and then."""
    with ExitStack() as shown:
        tell: spread.OnDone | None = None

        def on_text(done: int, of: int) -> None:
            nonlocal tell
            if tell is None:
                tell = shown.enter_context(spread.counted(title, of))
            if tell is not None:
                tell(done)
            if done >= of:
                shown.close()
                tell = None

        yield on_text
