"""Tools without an embedding take the mean of the capabilities that list them."""

import numpy as np
import pytest

from shgat import Capability, CatalogError, Tool
from shgat.graph.inheritance import with_mean_embeddings

E = np.eye(8, dtype=np.float32)
X, Y = Capability("x", tools=("b", "a"), embedding=E[0]), Capability("y", tools=("b",), embedding=3 * E[1])


def test_the_mean_is_normalised():
    done = {t.id: t.embedding for t in with_mean_embeddings([{"id": "a"}, Tool("b", text="kept")], [X, Y])}
    np.testing.assert_allclose(done["a"], E[0])
    np.testing.assert_allclose(done["b"], (E[0] + 3 * E[1]) / np.sqrt(10), rtol=1e-6)


def test_an_embedding_of_its_own_stays():
    (tool,) = with_mean_embeddings([Tool("b", embedding=E[5])], [X, Y])
    np.testing.assert_array_equal(tool.embedding, E[5])


def test_no_tools_given_are_those_that_are_listed_in_the_order_of_listing():
    assert [t.id for t in with_mean_embeddings(None, [X, Y])] == ["b", "a"]
    assert with_mean_embeddings([], [X, Y]) == []


def test_a_capability_without_an_embedding_gives_nothing():
    (tool,) = with_mean_embeddings([Tool("b")], [X, Capability("z", tools=("b", "c"))])
    np.testing.assert_array_equal(tool.embedding, E[0])
    with pytest.raises(CatalogError, match="tool 'c' has no embedding, and no capability that has one contains it"):
        with_mean_embeddings(None, [X, Capability("z", tools=("b", "c"))])


def test_embeddings_that_do_not_add_up_are_named():
    with pytest.raises(CatalogError, match=r"'z' has shape \(9,\), expected \(8,\)"):
        with_mean_embeddings(None, [X, Capability("z", tools=("a",), embedding=np.ones(9, np.float32))])
