"""Ranking without a model."""

import numpy as np
import pytest

from shgat import Catalog
from shgat.errors import InputError
from shgat.graph import Tool
from shgat.model.lexical import Descriptions
from shgat.serving.plain import PlainRanking

TEXTS = {"read": "a file", "write": "a file", "list": "a folder"}
RANKING = PlainRanking(
    tuple(TEXTS), np.eye(3, dtype=np.float32) * [[1], [7], [1]], Descriptions([Tool(key, text) for key, text in TEXTS.items()])
)


def test_cosine_does_not_see_lengths():
    assert RANKING.cosine(np.array([1, 1, 0], np.float32)).tolist() == pytest.approx([0.5**0.5, 0.5**0.5, 0.0])
    assert RANKING.cosine(np.zeros(3, np.float32)).tolist() == [0.0, 0.0, 0.0]


def test_a_catalogue_without_embeddings_has_no_cosine():
    plain = PlainRanking.of(Catalog.from_records([{"id": "a", "text": "x"}], []), "tools")
    with pytest.raises(InputError, match="the catalogue has no embeddings"):
        plain.cosine(np.ones(3, np.float32))


def test_a_rare_word_counts_for_more_than_one_that_most_items_have():
    scores = RANKING.lexical("a list file", None)
    assert scores.argmax() == 2
    assert scores[0] == scores[1] > 0.0


def test_ties_stand_in_catalogue_order():
    ids, scores = RANKING.best(np.zeros(3, np.float32), 2, None)
    assert (ids, scores.tolist()) == (("read", "write"), [0.0, 0.0])
    ids, scores = RANKING.best(np.array([0, 1, 1], np.float32), 9, np.array([0, 1, 2], np.int32))
    assert (ids, scores.tolist()) == (("write", "list", "read"), [1.0, 1.0, 0.0])
