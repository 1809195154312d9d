"""Commands in this process, a copy of the sample to spoil, and an untrained model's file."""

import shutil

import pytest

from shgat import SHGAT, Catalog
from shgat.cli import main
from worlds import SAMPLE


@pytest.fixture
def ask(capfd):
    """Runs a command: (exit code, stdout, stderr)."""

    def call(*arguments):
        code = main([str(a) for a in arguments])
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def copied(tmp_path):
    """A copy of the sample."""
    return shutil.copytree(SAMPLE, tmp_path / "catalogue")


@pytest.fixture(scope="session")
def nameless(tmp_path_factory):
    """The sample, of whose embeddings nobody knows what made them."""
    folder = shutil.copytree(SAMPLE, tmp_path_factory.mktemp("nameless") / "catalogue")
    (folder / "catalog.json").unlink()
    return folder


@pytest.fixture(scope="session")
def untrained(tmp_path_factory):
    path = tmp_path_factory.mktemp("untrained") / "untrained.safetensors"
    SHGAT.from_catalog(Catalog.load(SAMPLE)).save(path)
    return path
