"""A catalogue of texts: embedded once, whoever opens it again."""

import numpy as np
import pytest

from people import until, written
from shgat import Catalog
from shgat.features import OwnEncoder
from shgat.features.cache import VectorCache
from shgat.serving import Ranker
from shgat.serving.embedding import served_catalog

TOOLS = [{"id": f"t{i}", "text": f"does {word}"} for i, word in enumerate(["mail", "page", "file", "deploy", "invoice"])]
SETS = [{"id": "both", "tools": ["t0", "t1"]}, {"id": "work", "text": "office work", "tools": ["t2"]}]


class Counting:
    """Vectors by the letters of a text; remembers what it was asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, texts):
        self.asked += texts
        return np.array([[text.count(letter) + 0.1 for letter in "abcdefghijklmnop"] for text in texts], np.float32)


def catalogue(tools=TOOLS):
    return Catalog.from_records(tools, SETS)


def opened(url, encode, tools=TOOLS, name="letters"):
    """What was encoded to open it, and the catalogue."""
    encoder = OwnEncoder(encode, name, 16)
    with Ranker.open(url, catalogue(tools), mode="off", encoder=encoder) as ranker:
        until_written(ranker)
        return list(encode.asked), ranker.catalog


def until_written(ranker):
    written(ranker)
    until(ranker._journal.store.encoder)


def test_what_the_store_holds_is_not_encoded_again(sqlite_url):
    first, before = opened(sqlite_url, Counting())
    assert {"t0 does mail", "work office work"} <= set(first)
    again, after = opened(sqlite_url, Counting())
    assert not [text for text in again if text.startswith(("t", "work"))]
    np.testing.assert_array_equal(after.tool_embeddings, before.tool_embeddings)
    np.testing.assert_array_equal(after.capability_embeddings, before.capability_embeddings)


def test_only_what_changed_is_encoded(sqlite_url):
    opened(sqlite_url, Counting())
    changed = [{**TOOLS[0], "text": "does fax"}, *TOOLS[1:], {"id": "t9", "text": "new"}]
    asked, after = opened(sqlite_url, Counting(), changed)
    assert {text for text in asked if text.startswith("t")} == {"t0 does fax", "t9 new"}
    assert after.tool_embeddings.shape == (6, 16)


def test_without_a_store_everything_is_encoded(tmp_path):
    asked, _ = opened_without(f"sqlite:///{tmp_path}/missing/folder/store.db", Counting())
    assert "t0 does mail" in asked


def opened_without(url, encode):
    return encode.asked, served_catalog(catalogue(), OwnEncoder(encode, "letters", 16), VectorCache(), url, 0.1)


@pytest.mark.parametrize("encoder", [None, "static"])
def test_a_catalogue_with_embeddings_and_quick_encoders_need_no_store(encoder, tmp_path):
    found = served_catalog(catalogue(), encoder, VectorCache(), "sqlite:////nowhere/at/all.db", 0.1)
    assert found.has_embeddings
    assert served_catalog(found, encoder, VectorCache(), "sqlite:////nowhere/at/all.db", 0.1) is found
