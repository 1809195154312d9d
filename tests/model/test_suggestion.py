"""What to use next: by what was used, by an intent, and never the last again."""

import numpy as np
import pytest

from shgat import SHGAT, Catalog
from shgat.errors import InputError
from shgat.model import suggestion
from worlds import records

D = 16
TOOLS, CAPABILITIES = records(np.random.default_rng(1), n_tools=20, d=D)
MODEL = SHGAT.from_catalog(Catalog.from_records(TOOLS, CAPABILITIES))


def test_what_was_used_stands_for_an_intent():
    used = ["t1", "t5", "t7", "t9"]
    mean = MODEL.catalog.tool_embeddings[[5, 7, 9]].mean(axis=0)
    np.testing.assert_allclose(suggestion.intent_of(MODEL.catalog, used), mean)
    found = MODEL.suggest(used, top_k=6)
    expected = [key for key in MODEL.rank(mean, 20, context_tools=used).ids if key != "t9"][:6]
    assert list(found.ids) == expected
    assert len(found.scores) == 6


def test_an_intent_comes_first_where_there_is_one():
    x = np.random.default_rng(2).standard_normal(D)
    found = MODEL.suggest(["t1"], x, 30, explain=True)
    assert "t1" not in found.ids
    assert len(found.ids) == len(found.explanations) == 19
    assert MODEL.suggest([], x, 3).ids == MODEL.rank(x, 3).ids
    assert MODEL.suggest(["t1"], x, 3, candidates=["t1", "t2"]).ids == ("t2",)


@pytest.mark.parametrize(
    ("used", "said"), [([], "or an intent"), (None, "or an intent"), (["nope"], "unknown tool 'nope'"), ("t1", "list of ids")]
)
def test_what_cannot_be_asked_is_said(used, said):
    with pytest.raises(InputError, match=said):
        MODEL.suggest(used)


def test_tools_that_add_up_to_nothing():
    catalog = Catalog.from_records([{"id": "a", "embedding": [1.0] * 8}, {"id": "b", "embedding": [-1.0] * 8}], [])
    with pytest.raises(InputError, match="add up to nothing"):
        suggestion.intent_of(catalog, ["a", "b"])
