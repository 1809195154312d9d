"""A ranker over the sample catalogue, and people who use it."""

from typing import Any

import numpy as np
import orjson
import pytest

from shgat import Catalog
from shgat.serving import Ranker
from worlds import SAMPLE


@pytest.fixture(scope="session")
def catalog():
    return Catalog.load(SAMPLE)


@pytest.fixture(scope="session")
def people():
    """(embedding, text, tools that were right), 400 of them."""
    rows = [orjson.loads(line) for line in (SAMPLE / "train.jsonl").read_bytes().splitlines()]
    vectors = np.load(SAMPLE / "train.npy").astype(np.float32)
    return [(x, row["intent"], row["tools"]) for x, row in zip(vectors, rows, strict=True)]


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def open_ranker(catalog, url):
    """Opens rankers and closes them at the end."""
    opened = []

    def open_one(**options: Any) -> Ranker:
        ranker = Ranker.open(options.pop("url", url), options.pop("catalog", catalog), **({"mode": "off"} | options))
        opened.append(ranker)
        return ranker

    yield open_one
    for ranker in opened:
        ranker.close()


@pytest.fixture
def use():
    """Lets people use a ranker; returns the ids of the decisions."""

    def use_it(ranker, crowd):
        keys = []
        for x, text, tools in crowd:
            answer = ranker.rank(x, 5, text=text)
            assert ranker.feedback(answer.decision_id, tools=tools, outcome=1.0)
            keys.append(answer.decision_id)
        return keys

    return use_it
