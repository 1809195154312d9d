"""A ranker over the sample catalogue, and people who use it."""

from dataclasses import replace
from typing import Any

import pytest

from people import crowd
from shgat import Catalog
from shgat.serving import Ranker
from worlds import SAMPLE


@pytest.fixture(scope="session")
def catalog():
    """The sample, of whose embeddings nobody knows what made them: texts are words here."""
    return replace(Catalog.load(SAMPLE), encoder="")


@pytest.fixture(scope="session")
def people():
    """(embedding, text, tools that were right), 400 of them."""
    return crowd()


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """Where journals of PostgreSQL lie."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def open_ranker(catalog, sqlite_url):
    """Opens rankers and closes them at the end."""
    opened = []

    def open_one(**options: Any) -> Ranker:
        ranker = Ranker.open(options.pop("url", sqlite_url), options.pop("catalog", catalog), **({"mode": "off"} | options))
        opened.append(ranker)
        return ranker

    yield open_one
    for ranker in opened:
        ranker.close()


@pytest.fixture(scope="module")
def ranker(catalog, tmp_path_factory):
    """One for all tests of a file that leave it as it is."""
    with Ranker.open(f"sqlite:///{tmp_path_factory.mktemp('ranker')}/store.db", catalog, mode="off") as ranker:
        yield ranker
