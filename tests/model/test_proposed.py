"""Requests that score what a graph proposes, and those that score everything all the same."""

import numpy as np
import pytest

from shgat import SHGAT, Catalog, SHGATConfig, Tool
from shgat.model import proposed
from shgat.model.question import Question

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((600, 16)).astype(np.float32)
TOOLS = [Tool(f"t{i}", "", "", row) for i, row in enumerate(ROWS)]
X = ROWS[5] + np.float32(0.1)


@pytest.fixture(scope="module")
def model():
    made = SHGAT.from_catalog(Catalog.from_records(TOOLS))
    made.build_neighbours(threads=1)
    return made


def test_a_ranking_is_that_of_the_whole(model):
    index = model.index()
    found = proposed.rank(Question(index, X[None]), 5, None)
    z = model.score(X)[0]
    order = np.argsort(-z, kind="stable")[:5]
    assert found.ids == tuple(f"t{i}" for i in order.tolist())
    np.testing.assert_allclose(found.scores, z[order], rtol=1e-5)
    assert (found.kind, found.model_version, found.baseline) == ("tools", model.version, 0.0)


def test_among_columns(model):
    found = proposed.rank(Question(model.index(), X[None]), 5, np.array([3, 5, 8], np.int32))
    assert set(found.ids) == {"t3", "t5", "t8"}
    assert proposed.rank(Question(model.index(), X[None]), 5, np.zeros(0, np.int32)).ids == ()


def test_what_asks_for_most_of_the_catalogue_is_left_to_scoring_it(model):
    assert proposed.rank(Question(model.index(), X[None]), 500, None) is None
    assert len(model.rank(X, 500)) == 500


@pytest.mark.parametrize("config", [SHGATConfig(), SHGATConfig(fusion="sigmoid")])
def test_without_a_graph_or_with_sigmoids_all_is_scored(config):
    other = SHGAT.from_catalog(Catalog.from_records(TOOLS), config)
    if config.fusion == "sigmoid":
        other.build_neighbours(threads=1)
    assert proposed.rank(Question(other.index(), X[None]), 5, None) is None
    assert len(other.rank(X, 5)) == 5
