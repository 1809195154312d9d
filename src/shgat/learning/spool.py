"""Where arrays lie on their way to the training child and back."""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
_PREFIX = "shgat-ranker-"


class Spool:
    """A folder for arrays on their way to the child and back: in memory where the system has such a place.

    Its name holds the process it belongs to, so that the next one can remove what a killed one left behind.
    """

    def __init__(self) -> None:
        place = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
        for left in place.glob(f"{_PREFIX}*"):
            owner = left.name.removeprefix(_PREFIX).split("-")[0]
            if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                shutil.rmtree(left, ignore_errors=True)
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
