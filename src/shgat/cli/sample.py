"""`shgat sample`: the catalogue that ships with the package, to look at, to try things on, to copy."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from . import given

SAMPLE = Path(__file__).parent.parent / "sample"


def sample(
    path: Annotated[bool, typer.Option("--path", help="Print the folder alone, as in --catalog $(shgat sample --path).")] = False,
    copy: Annotated[Path | None, typer.Option(metavar="DIR", help="Copy it to a new folder, to change it there.")] = None,
) -> None:
    """Where the sample catalogue is: 83 tools of an invented company, with capabilities, traces to learn from and traces to test on."""
    from . import output

    if path:
        given.refuse({"--copy": copy}, "alone", "with --path")
    if copy is None:
        output.write_lines(*([str(SAMPLE)] if path else [str(SAMPLE), *(f"  {f.name}" for f in files())]))
        return
    if copy.exists() or not copy.parent.is_dir():
        raise given.WrongUsage(
            f"--copy {copy}: " + ("that is there already" if copy.exists() else f"there is no folder {copy.parent}")
        )
    copy.mkdir()
    for file in files():
        shutil.copy(file, copy)
    output.write_lines(str(copy))


def files() -> list[Path]:
    """What it consists of."""
    return sorted(f for f in SAMPLE.iterdir() if f.suffix in (".jsonl", ".npy", ".json", ".md"))
