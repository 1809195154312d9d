"""The one door through which a workspace is written: what it says is done is on the disk, in the order in which it was said.

Each step is announced before it happens and after, so that a test can end the process, or the power, at any of them.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from .._files import write_atomically
from ..errors import InputError


class Disk:
    """Writes that last.

    Parameters
    ----------
    on_step : is told the name of every step, as "publish seg-000001.jsonl"

    Attributes
    ----------
    step : is called with the name of a step
    """

    def __init__(self, on_step: Callable[[str], None] | None = None) -> None:
        self.step = on_step or (lambda _: None)

    def create(self, path: Path) -> BinaryIO:
        """A new file that nobody relies on before it is published."""
        self.step(f"create {path.name}")
        return path.open("wb")

    def close(self, file: BinaryIO) -> None:
        """Closes a file when what was written to it is on the disk."""
        self.step(f"close {Path(file.name).name}")
        file.flush()
        os.fsync(file.fileno())
        file.close()

    def publish(self, part: Path, final: Path) -> None:
        """A closed file gets the name under which it counts."""
        self.step(f"publish {final.name}")
        part.replace(final)
        self.sync_folder(final.parent)

    def append(self, path: Path, data: bytes) -> None:
        """Adds to a file, which may be new."""
        self.step(f"append {path.name}")
        new = not path.exists()
        with path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if new:
            self.sync_folder(path.parent)

    def truncate(self, path: Path, size: int) -> None:
        """Cuts the end of a file off."""
        self.step(f"truncate {path.name}")
        with path.open("r+b") as file:
            file.truncate(size)
            file.flush()
            os.fsync(file.fileno())

    def replace(self, path: Path, data: bytes) -> None:
        """A file with this content, or the one before."""
        self.step(f"replace {path.name}")
        try:
            write_atomically(path, data)
        except InputError as error:  # the disk's fault, and no input's
            raise (error.__context__ if isinstance(error.__context__, OSError) else error) from None

    def remove(self, path: Path) -> None:
        """Takes a file away, where it is there."""
        self.step(f"remove {path.name}")
        with suppress(FileNotFoundError):
            path.unlink()

    def sync_folder(self, folder: Path) -> None:
        """The names in a folder are on the disk."""
        self.step(f"sync {folder.name}")
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
