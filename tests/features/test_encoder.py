"""Catalogues that an encoder made the embeddings of: sound for any texts, and answered by shared words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shgat import SHGAT, Catalog
from shgat.features import HashedWords, embedded, encoder_of, with_embeddings
from worlds import catalog

TOOLS = [
    {"id": "mail.send", "text": "Sends an email to somebody"},
    {"id": "calendar.add", "text": "Adds an appointment to the calendar"},
    {"id": "files.read", "text": "Reads a file from the disk"},
]
SETS = [{"id": "office", "text": "Mail and calendar", "tools": ["mail.send", "calendar.add"]}, {"id": "x", "tools": ["files.read"]}]


def test_a_catalogue_of_texts_ranks_by_words():
    found = embedded(Catalog.from_records(TOOLS, SETS))
    encoder = encoder_of(found)
    assert found.encoder == encoder.id == HashedWords().id
    model = SHGAT.from_catalog(found)
    for text, first in (("email Bob", "mail.send"), ("read this file", "files.read"), ("new appointment", "calendar.add")):
        assert model.rank(encoder.encode([text])[0], text=text).ids[0] == first
    np.testing.assert_allclose(found.capability_embeddings[1], found.tool_embeddings[2], atol=1e-6)  # no text: its members


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), st.text(max_size=30), max_size=8))
def test_whatever_the_texts_say_it_holds_together_and_items_keep_their_rows(texts):
    records = [{"id": key, "text": text.encode(errors="replace").decode()} for key, text in texts.items()]
    found = embedded(Catalog.from_records(records))
    again = Catalog.from_records(*found.records(), encoder=found.encoder)  # raises for zero, NaN, another dimension
    assert again.has_embeddings == bool(records)
    if records:
        np.testing.assert_array_equal(again.tool_embeddings, found.tool_embeddings)
        (alone,) = with_embeddings(found.tools[:1], HashedWords())
        np.testing.assert_array_equal(alone.embedding, found.tool_embeddings[0])


def test_an_encoder_of_ones_own():
    class Letters:
        id, dimension = "letters", 26

        def encode(self, texts):
            return np.array([[float(chr(97 + i) in t) for i in range(26)] for t in texts], np.float32)

    found = embedded(Catalog.from_records(TOOLS, SETS), Letters())
    assert (found.encoder, found.dimension) == ("letters", 26)
    assert encoder_of(found) is None


@pytest.mark.parametrize("made", [catalog, lambda: Catalog.from_records([])])
def test_who_made_the_embeddings_is_known_only_where_it_is_said(made):
    assert encoder_of(made()) is None


def test_an_empty_catalogue_answers_nothing():
    model = SHGAT.from_catalog(embedded(Catalog.from_records([])))
    x = HashedWords().encode(["anything"])[0]
    for kind in ("tools", "capabilities"):
        assert model.rank(x, kind=kind, text="anything", explain=True).ids == ()
    assert model.rank_sets(x) == []
    again = SHGAT.from_bytes(model.to_bytes())
    assert again.rank(x).ids == ()
    again.add_tool({"id": "a", "text": "first"})
    assert again.rank(x).ids == ("a",)
