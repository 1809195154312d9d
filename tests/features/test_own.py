"""Encoders of one's own: objects and functions, and what they may not give."""

import numpy as np
import pytest

from shgat import EncoderError, InputError
from shgat.features import OwnEncoder


def letters(texts):
    return [[float(t.count(chr(97 + i))) for i in range(26)] for t in texts]


class Model:
    def encode(self, texts):
        return np.array(letters(texts), np.float64)


@pytest.mark.parametrize("made_by", [letters, Model()])
def test_functions_and_objects_encode_and_their_vectors_have_length_one(made_by):
    encoder = OwnEncoder(made_by, "letters-1")
    assert (encoder.id, encoder.dimension) == ("letters-1", 26)
    rows = encoder.encode(["abba", "", "z"])
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1.0, 0.0, 1.0], atol=1e-6)


def test_a_name_comes_from_the_object_where_none_is_given():
    assert OwnEncoder(letters).id == "letters"
    assert OwnEncoder(Model()).id == "Model"
    named = Model()
    named.id, named.dimension, named.query_prefix = "m-2", 26, "q: "
    encoder = OwnEncoder(named)
    assert (encoder.id, encoder.dimension, encoder.query_prefix, encoder.passage_prefix) == ("m-2", 26, "q: ", "")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda texts: [[1.0, 2.0]], "gave"),
        (lambda texts: [[np.nan] * 8 for _ in texts], "not finite"),
        (lambda texts: [[1e300] * 8 for _ in texts], "not finite"),
        (lambda texts: "vectors", "encoder: ValueError"),
        (lambda texts: 1 / 0, "ZeroDivisionError"),
        (lambda texts: [1.0 for _ in texts], "gave"),
    ],
)
def test_what_is_no_vector_is_an_error_that_names_the_encoder(given, said):
    with pytest.raises(EncoderError, match=said) as error:
        OwnEncoder(given, "my-encoder").encode(["a", "b"])
    assert "my-encoder" in str(error.value)


@pytest.mark.parametrize("given", [7, None, "text"])
def test_what_cannot_encode_is_refused(given):
    with pytest.raises(InputError, match="an encoder has encode"):
        OwnEncoder(given if given != "text" else object())
