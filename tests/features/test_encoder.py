"""Catalogues that an encoder made the embeddings of: sound for any texts, and answered by meaning."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shgat import SHGAT, Catalog
from shgat.features import HashedWords, OwnEncoder, content_of, embedded, encoder_of, passage_of, queries, with_embeddings
from shgat.features.static import built_in
from worlds import catalog

TOOLS = [
    {"id": "mail.send", "text": "Sends an email to somebody"},
    {"id": "calendar.add", "text": "Adds an appointment to the calendar"},
    {"id": "files.read", "text": "Reads a file from the disk"},
]
SETS = [{"id": "office", "text": "Mail and calendar", "tools": ["mail.send", "calendar.add"]}, {"id": "x", "tools": ["files.read"]}]


@pytest.mark.parametrize("encoder", [None, HashedWords()])
def test_a_catalogue_of_texts_ranks_by_them(encoder):
    found = embedded(Catalog.from_records(TOOLS, SETS), encoder)
    encoder = encoder_of(found)
    assert found.encoder == encoder.id
    model = SHGAT.from_catalog(found)
    for text, first in (("email Bob", "mail.send"), ("read this file", "files.read"), ("new appointment", "calendar.add")):
        assert model.rank(encoder.encode([text])[0], text=text).ids[0] == first
    np.testing.assert_allclose(found.capability_embeddings[1], found.tool_embeddings[2], atol=1e-6)  # no text: its members


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), st.text(max_size=30), max_size=8))
def test_whatever_the_texts_say_it_holds_together_and_items_keep_their_rows(texts):
    records = [{"id": key, "text": text.encode(errors="replace").decode()} for key, text in texts.items()]
    found = embedded(Catalog.from_records(records))
    again = Catalog.from_records(*found.records(), encoder=found.encoder)  # raises for zero, NaN, another dimension
    assert again.has_embeddings == bool(records)
    if records:
        np.testing.assert_array_equal(again.tool_embeddings, found.tool_embeddings)
        (alone,) = with_embeddings(found.tools[:1], built_in())
        np.testing.assert_array_equal(alone.embedding, found.tool_embeddings[0])


def test_what_is_known_is_not_encoded_again():
    asked = []

    def letters(texts):
        asked.extend(texts)
        return np.array([[1.0 + t.count(chr(97 + i)) for i in range(26)] for t in texts])

    encoder = OwnEncoder(letters, "letters", 26)
    first = embedded(Catalog.from_records(TOOLS, SETS), encoder)
    known = {content_of(t): row for t, row in zip(first.tools, first.tool_embeddings, strict=True)}
    asked.clear()
    changed = [{**TOOLS[0], "text": "Writes a letter"}, *TOOLS[1:]]
    again = embedded(Catalog.from_records(changed), encoder, known)
    assert asked == ["mail.send Writes a letter"]
    np.testing.assert_array_equal(again.tool_embeddings[1:], first.tool_embeddings[1:])


def test_prefixes_stand_where_the_model_wants_them():
    class Prefixed:
        id, dimension, query_prefix, passage_prefix = "e5", 8, "query: ", "passage: "

        def encode(self, texts):
            return np.ones((len(texts), 8))

    encoder = OwnEncoder(Prefixed())
    (tool, *_), _ = Catalog.from_records(TOOLS).records()
    assert queries(encoder, ["send it"]) == ["query: send it"]
    assert passage_of(tool, encoder) == "passage: mail.send Sends an email to somebody"


@pytest.mark.parametrize("made", [catalog, lambda: Catalog.from_records([])])
def test_who_made_the_embeddings_is_known_only_where_it_is_said(made):
    assert encoder_of(made()) is None


def test_an_empty_catalogue_answers_nothing():
    model = SHGAT.from_catalog(embedded(Catalog.from_records([])))
    for kind in ("tools", "capabilities"):
        assert model.rank("anything", kind=kind, explain=True).ids == ()
    assert model.rank_sets("anything") == []
    again = SHGAT.from_bytes(model.to_bytes())
    assert again.rank("anything").ids == ()
    again.add_tool({"id": "a", "text": "first"})
    assert again.rank("anything").ids == ("a",)
