"""Vectors of intents while people wait: remembered, followed by another encoder of the space, never silently."""

import numpy as np
import pytest

from shgat import SHGAT, Catalog, CatalogError, EncoderError
from shgat.features import IntentEncoder, OwnEncoder
from shgat.features.cache import VectorCache
from shgat.features.static import built_in

TOOLS = [{"id": "mail.send", "text": "Sends an email"}, {"id": "files.read", "text": "Reads a file"}]


class Counting:
    """The static vectors under another name, which count what they are asked for, and fail where they are told to."""

    def __init__(self, id):
        self.id, self.dimension, self.texts, self.broken = id, 384, [], False

    def encode(self, texts):
        self.texts += texts
        if self.broken:
            raise OSError("gone")
        return built_in().encode(texts)


def test_a_text_is_encoded_once_while_it_is_remembered():
    counting = Counting("mine")
    encoder = IntentEncoder(OwnEncoder(counting), cache=VectorCache(2 * (4 * 384 + 200)))
    first = [row.vector for row in encoder.encode(["a", "b", "a"])]
    assert counting.texts == ["a", "b"]
    np.testing.assert_array_equal(first[0], first[2])
    encoder.encode(["a", "c"])  # b was asked for longest ago
    encoder.encode(["a", "b"])
    assert counting.texts == ["a", "b", "c", "b"]


def test_where_the_encoder_fails_the_static_vectors_of_its_space_follow_and_say_so():
    counting = Counting("all-MiniLM-L6-v2::onnx-1")
    counting.broken = True
    encoder = IntentEncoder(OwnEncoder(counting))
    (found,) = encoder.encode(["send it"])
    assert found.encoder == built_in().id
    np.testing.assert_array_equal(found.vector, built_in().encode(["send it"])[0])
    assert "gone" in found.trouble
    assert built_in().id in found.trouble
    assert "gone" in encoder.trouble


def test_where_nothing_can_follow_there_is_no_vector_and_a_reason():
    counting = Counting("other")
    counting.broken = True
    encoder = IntentEncoder(OwnEncoder(counting))
    assert encoder.encode(["send it"])[0].vector is None
    with pytest.raises(EncoderError, match="the text cannot be encoded"):
        encoder.one("send it")


def test_an_encoder_of_another_space_is_refused_and_one_of_the_same_says_so():
    catalog = Catalog.from_records([{**t, "embedding": np.ones(384)} for t in TOOLS], encoder="all-MiniLM-L6-v2::onnx-1")
    with pytest.raises(CatalogError, match="were made by"):
        IntentEncoder.of(catalog, OwnEncoder(Counting("other")))
    (found,) = IntentEncoder.of(catalog, "static").encode(["send it"])
    assert "of the same space" in found.trouble


def test_a_model_answers_texts_names_its_encoder_and_takes_another_one():
    model = SHGAT.from_catalog(Catalog.from_records(TOOLS))
    found = model.rank("email Bob", explain=True)
    assert (found.ids[0], found.encoder, found.degraded) == ("mail.send", built_in().id, ())
    assert found.to_dict()["encoder"] == built_in().id
    (why, _) = found.explanations
    assert sum(why.weights.get(name, 0.0) * s for name, s in why.channels.items()) == pytest.approx(
        float(found.scores[0]), abs=1e-4
    )
    assert why.channels["lexical"] > 0.0
    many = model.rank_many(["email Bob", "read it"])
    assert [r.ids[0] for r in many] == ["mail.send", "files.read"]
    np.testing.assert_allclose(model.score(["email Bob"])[0].max(), found.scores[0], rtol=1e-5)
    assert model.why_not("email Bob", "files.read").above[0][0] == "mail.send"
    assert model.rank(built_in().encode(["email Bob"])[0]).encoder == ""
    counting = Counting("all-MiniLM-L6-v2::mine")
    model.encoder = counting
    again = model.rank("email Bob")
    assert (again.encoder, counting.texts) == ("all-MiniLM-L6-v2::mine", ["email Bob"])
    assert "of the same space" in again.degraded[0]


def test_words_speak_beside_meaning_only_where_a_text_was_asked():
    model = SHGAT.from_catalog(Catalog.from_records(TOOLS))
    x = built_in().encode(["email Bob"])[0]
    plain, with_text = model.rank(x), model.rank(x, text="email Bob")
    np.testing.assert_array_equal(plain.scores, with_text.scores)  # untrained it is cosine
    assert model.rank("email Bob").scores[0] > plain.scores[0]
