"""What is given on a command line: places that have to be there, and options that go together. What makes no sense is refused with exit
code 2 before any work, and never ignored."""

import getpass
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import BusyError, CorruptError, QuotaError, ShgatError, StoreURLError

# typer brings its own click, older ones use the installed one: either way this is what they raise for a wrong command line.
WrongUsage: type[Exception] = typer.BadParameter.__mro__[2]


Who = Annotated[str, typer.Option("--who", metavar="NAME", help="Who does it, for the log.  [default: who is logged in]")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why, for the log.")]


_MISTAKE = 2
_CODES = ((CorruptError, 65), (BusyError, 73), (QuotaError, 75))  # of sysexits.h: data, cannot create, try again


def exit_code(error: BaseException) -> int:
    """2 for what can never work as it was given, those of sysexits.h for a workspace, 1 for any other failure."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return 2 if isinstance(error, (WrongUsage, StoreURLError)) else 1


def or_mistake(work: Callable[[], int], interrupted: str = "") -> int:
    """The exit code of work whose 1 says something of its own, a gate or an alert: any error is 2.

    Parameters
    ----------
    interrupted : what is said at Ctrl-C, which is 2 as well then; "": it is left to whoever called
    """
    from . import output

    try:
        return work()
    except (ShgatError, OSError) as error:
        output.note(f"shgat: error: {output.shorten(str(error), 1000)}")
    except KeyboardInterrupt:
        if not interrupted:
            raise
        output.note(f"shgat: {interrupted}")
    return _MISTAKE


def folder(text: str, *names: str) -> Any:
    """An option for a folder that is there."""
    return typer.Option(*names, metavar="DIR", help=text, exists=True, file_okay=False)


def file(text: str, metavar: str = "FILE", *names: str) -> Any:
    """An option for a file that is there."""
    return typer.Option(*names, metavar=metavar, help=text, exists=True, dir_okay=False)


def names(lists: list[str] | None) -> list[str]:
    """Of an option that may be repeated and may hold several with commas."""
    return [name for several in lists or () for name in several.split(",") if name]


def present(path: Path, remedy: str) -> Path:
    """The file at a path that other options led to, or what to do where there is none."""
    if not path.exists():
        raise WrongUsage(f"there is no {path}: {remedy}")
    return path


def writable(path: Path | None, option: str) -> None:
    """Can a file be written there? Asked before the work whose result it is."""
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise WrongUsage(f"{option} {path}: " + ("that is a folder" if path.is_dir() else f"there is no folder {path.parent}"))


def refuse(options: Mapping[str, object], goes: str, not_with: str) -> None:
    """Options (name -> value, None where it was not given) that have no meaning here."""
    wrong = [name for name, value in options.items() if value is not None]
    if wrong:
        raise WrongUsage(f"{wrong[0]} goes {goes}, not {not_with}")


def one_of(what: str, *values: object) -> None:
    """Is exactly one of the values given? `what` names them."""
    if sum(value is not None for value in values) != 1:
        raise WrongUsage(f"give either {what}")


def who(name: str) -> str:
    """Who is named, or logged in."""
    try:
        return name or getpass.getuser()
    except (KeyError, OSError):  # nobody has this number
        return "unknown"


def needed(value: Path | None, what: str) -> Path:
    """A place that has to be given."""
    if value is None:
        raise WrongUsage(f"give {what}")
    return value
