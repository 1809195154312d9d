"""What the commands on a workspace share: which one, and what becomes of an error."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import given

if TYPE_CHECKING:
    from ..progressive.layout import Layout

Workspace = Annotated[Path, typer.Option("--workspace", "-w", metavar="DIR", help="The workspace.")]
Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]
HERE = Path()
IO_ERROR = 74  # of sysexits.h, as are 65, 73 and 75 of `given.exit_code`


def layout(workspace: Path) -> "Layout":
    """The places of a workspace that is there."""
    from ..progressive.layout import Layout

    found = Layout(workspace)
    if not found.ledger.is_dir():
        raise given.WrongUsage(f"{workspace} is no workspace: `shgat loop run -w {workspace} --repos LIST` makes one")
    return found


def told(work: Callable[[], int]) -> int:
    """The exit code of work; the disk's faults are told from what was given."""
    from . import output

    try:
        return work()
    except BrokenPipeError:
        raise
    except OSError as error:
        output.note(f"shgat: error: {error.filename or 'input or output'}: {error.strerror or error}")
        return IO_ERROR
