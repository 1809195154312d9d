"""A pipeline that is killed; run by test_endurance.py: python killed.py FOLDER POINT

POINT is a number and "before" or "after": it kills itself with SIGKILL before or after it writes its journal for the n-th time of the whole
run, which FOLDER/written counts over its lives; "-": never. Before, what a step did is not written down yet. Its clock goes on from
FOLDER/ahead.
"""

import os
import signal
import sys
import time
from pathlib import Path

from shgat.pipeline import Pipeline, Run, Runs, read_settings

folder, point = Path(sys.argv[1]), sys.argv[2]


def clock() -> float:
    return time.time() + float((folder / "ahead").read_text())


def sleep(seconds: float) -> None:
    (folder / "ahead").write_text(str(float((folder / "ahead").read_text()) + 30.0 * seconds))


class Mortal(Runs):
    """Writes as `Runs` does, up to its point."""

    def save(self, run: Run) -> None:
        n = int((folder / "written").read_text()) + 1
        (folder / "written").write_text(str(n))
        if point == f"{n} before":
            os.kill(os.getpid(), signal.SIGKILL)
        super().save(run)
        if point == f"{n} after":
            os.kill(os.getpid(), signal.SIGKILL)


settings = read_settings(folder / "pipeline.toml")
found = Pipeline(settings, clock=clock, sleep=sleep, runs=Mortal(settings.state, clock)).run()
print(found.id, found.status)
