"""Counts and suspects of a catalogue."""

import numpy as np

from shgat import Catalog
from shgat.graph.statistics import CatalogStatistics
from worlds import SAMPLE, cosine64


def test_of_the_sample():
    catalog = Catalog.load(SAMPLE)
    census = CatalogStatistics.of(catalog)
    assert (census.n_tools, census.n_capabilities, census.dimension) == (83, 40, 384)
    assert census.capabilities_per_level == (28, 9, 3)
    assert len(census.orphan_tools) == 6
    assert census.collapsed == ()
    pairwise = cosine64(catalog.tool_embeddings, catalog.tool_embeddings)[~np.eye(83, dtype=bool)]
    np.testing.assert_allclose(census.mean_tool_cosine, pairwise.mean(), rtol=1e-4)


def test_suspects():
    rows = np.ones((3, 8), np.float32)
    rows[2, 0] = 1.2
    tools = [{"id": f"t{i}", "embedding": row} for i, row in enumerate(rows)]
    census = CatalogStatistics.of(
        Catalog.from_records(tools, [{"id": "c", "embedding": rows[0], "tools": ["t0"]}, {"id": "e", "embedding": -rows[1]}])
    )
    assert census.duplicate_tools == (("t0", "t1"),)
    assert census.orphan_tools == ("t1", "t2")
    assert census.empty_capabilities == ("e",)
    assert census.collapsed == ("tools",)


def test_without_embeddings():
    census = CatalogStatistics.of(Catalog.from_records([{"id": "t"}], []))
    assert (census.dimension, census.mean_tool_cosine, census.capabilities_per_level) == (None, None, ())
