"""The command line in a process of its own, and catalogues that are spoilt for it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

INTENT = "t0404"  # a trace of the sample, row 3 of test.npy


def run(*arguments: object, **options: Any) -> "subprocess.CompletedProcess[str]":
    """`shgat ...` run to its end."""
    command = [sys.executable, "-m", "shgat", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


def rewrite(folder: Path, name: str, change: Callable[[list[Any]], object]) -> None:
    """Changes the records of a .jsonl file."""
    records = [orjson.loads(line) for line in (folder / name).read_bytes().splitlines()]
    change(records)
    (folder / name).write_bytes(b"".join(orjson.dumps(r) + b"\n" for r in records))
