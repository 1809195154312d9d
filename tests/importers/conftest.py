"""The small files that every reader is tried on."""

from pathlib import Path

import pytest

from shgat.importers.documents import read
from shgat.importers.findings import Findings
from shgat.importers.kinds import READERS, kind_of

FILES = Path(__file__).parent / "files"


@pytest.fixture
def found():
    """Reads one of the files by the kind that it looks like: what it holds."""

    def look(name: str, **fields: str) -> Findings:
        value = read(FILES / name).value
        kind = kind_of(value)
        findings = Findings(name, kind, **fields)
        READERS[kind](value, findings)
        return findings

    return look


@pytest.fixture
def files():
    """Where they lie."""
    return FILES
