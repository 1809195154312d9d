"""A model goes to another process as its file's bytes."""

import pickle

import numpy as np

from shgat import SHGAT, Catalog
from shgat.bulk import Carried
from worlds import SAMPLE


def test_what_arrives_is_the_same_model():
    model = SHGAT.from_catalog(Catalog.load(SAMPLE))
    arrived = pickle.loads(pickle.dumps(Carried(model, "static")))
    np.testing.assert_array_equal(arrived.model.params.buffer, model.params.buffer)
    assert arrived.model.tool_ids == model.tool_ids
    assert arrived.encoder == "static"
    x = np.random.default_rng(0).standard_normal((3, model.dimension), dtype=np.float32)
    np.testing.assert_array_equal(arrived.model.score(x), model.score(x))
