"""Libraries that the adapters are for: a test that needs one says what to install where it is not there."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def needs(*modules):
    """A mark for tests against real hosts."""
    absent = [m for m in modules if find_spec(m) is None]
    return pytest.mark.skipif(bool(absent), reason=f"{', '.join(absent)} not installed: pip install '.[test-adapters]'")


def run_example(name, folder, **environment):
    """The lines that an example prints, as somebody who starts it sees them."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py", f"sqlite:///{folder / 'tools.db'}"],
        capture_output=True, text=True, timeout=120, check=False, cwd=folder, env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
