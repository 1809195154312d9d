"""`shgat corpus`: lists of repositories for `shgat loop`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from . import given
from .workspace import Json

if TYPE_CHECKING:
    from ..progressive.corpus import Line

app = typer.Typer(help="Lists of repositories, a URL or a path a line.", rich_markup_mode=None)

List = Annotated[Path, typer.Argument(metavar="LIST", help="A file, a URL or a path a line, # for comments.")]


def read(path: Path) -> "list[Line]":
    """The lines of a list that has to be there."""
    from ..progressive.corpus import read_list

    return read_list(given.present(path, "`shgat corpus add` makes one"))


@app.command(short_help="Add repositories to a list.")
def add(
    path: List,
    places: Annotated[list[str], typer.Argument(metavar="PLACE...", help="URLs, or paths of repositories on this machine.")],
) -> None:
    """Add repositories to a list, each in one spelling and once. A place that cannot be used is refused, and nothing is added then."""
    from .._files import write_atomically
    from ..progressive.corpus import parse, read_list
    from . import output

    given.writable(path, "LIST")
    try:
        sources = [parse(place, Path.cwd()) for place in places]
    except InputError as error:
        raise given.WrongUsage(str(error)) from None
    before = path.read_bytes() if path.exists() else b""
    known = {line.source.place for line in read_list(path) if line.source} if before else set()
    fresh = list(dict.fromkeys(s.place for s in sources if s.place not in known))
    text = before + (b"\n" if before and not before.endswith(b"\n") else b"")
    write_atomically(path, text + "".join(f"{place}\n" for place in fresh).encode())
    output.note(f"shgat: {len(fresh)} added to {path}, {len(places) - len(fresh)} known already")


@app.command("list", short_help="The repositories of a list.")
def list_(path: List, as_json: Json = False) -> None:
    """The repositories of a list, each in one spelling and once."""
    from . import output

    found = [line.source for line in read(path) if line.source is not None and not line.same]
    if as_json:
        output.write_json({"repositories": [{"place": s.place, "name": s.name, "key": s.key} for s in found]})
    else:
        output.write_lines(*(s.place for s in found))


@app.command(short_help="Can every line be used?")
def check(
    path: List,
    reach: Annotated[bool, typer.Option("--reach", help="Also ask each URL, and look into each path.")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="For one answer.")] = 30.0,
    as_json: Json = False,
) -> int:
    """Say what is wrong with a list: lines that cannot be used, and those that are another line in another spelling. Exit code 1: some line
    cannot be used."""
    from . import output

    lines = read(path)
    faults = [(line.number, line.fault) for line in lines if line.fault]
    twice = [(line.number, line.same) for line in lines if line.same]
    if reach:
        faults += [(line.number, why) for line in lines if line.source and not line.same and (why := _unreachable(line, timeout))]
    if as_json:
        rows = [{"line": n, "fault": fault} for n, fault in sorted(faults)]
        output.write_json({"lines": len(lines), "faults": rows, "same": [{"line": n, "as": m} for n, m in twice]})
    else:
        output.write_lines(
            *(f"line {n}: {fault}" for n, fault in sorted(faults)), *(f"line {n}: the same as line {m}" for n, m in twice)
        )
        output.write(f"{len(lines)} lines, {len(faults)} that cannot be used, {len(twice)} that are there twice.")
    return 1 if faults else 0


def _unreachable(line: "Line", timeout: float) -> str:
    from ..errors import RepositoryError
    from ..progressive.clone import reachable
    from ..progressive.git import Git

    assert line.source is not None
    if line.source.remote:
        return reachable(line.source.place, timeout)
    try:
        Git(Path(line.source.place)).output("rev-parse", "--git-dir")
    except RepositoryError as error:
        return str(error)
    return ""
