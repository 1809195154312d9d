"""Hashed words: the same for ever, of length 1, and near what shares words with it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.features import HashedWords

ENCODER = HashedWords()
EXPECTED = [55, 58, 155, 161, 174, 178, 287, 429, 437, 455, 577, 667, 710, 711, 795]


def cosine(one, other):
    x, y = ENCODER.encode([one, other])
    return float(x @ y)


@given(st.lists(st.text(max_size=200), max_size=4))
def test_any_text_is_a_vector_of_length_one_or_zero_whatever_stands_beside_it(texts):
    rows = ENCODER.encode(texts)
    assert rows.shape == (len(texts), ENCODER.dimension)
    assert rows.dtype == np.float32
    for text, row in zip(texts, rows, strict=True):
        assert float(np.linalg.norm(row)) == pytest.approx(1.0 if row.any() else 0.0, abs=1e-5)
        np.testing.assert_array_equal(ENCODER.encode([text])[0], row)


def test_half_of_a_surrogate_pair_and_a_book_are_texts():
    assert np.isfinite(ENCODER.encode(["\ud800", "word " * 100_000])).all()


def test_vectors_are_those_of_every_other_machine_and_day():
    (row,) = ENCODER.encode(["Send an email"])
    assert ENCODER.id == "hashed-words-1-800"
    assert np.flatnonzero(row).tolist() == EXPECTED
    assert int(np.abs(row).argmax()) in EXPECTED


def test_shared_words_and_their_parts_draw_near():
    assert cosine("send an email to Bob", "mail.send_email sends emails") > 0.3
    assert cosine("translate", "translation") > 0.2  # by trigrams
    assert abs(cosine("send an email", "draw a circle")) < 0.15
    assert cosine("please can you draw it", "please can you send it") < cosine("draw", "please can you draw it")


@given(st.text(alphabet="abcdefg hij", min_size=1, max_size=60))
def test_the_order_of_words_does_not_count(text):
    turned = " ".join(text.split()[::-1])
    np.testing.assert_allclose(ENCODER.encode([text]), ENCODER.encode([turned]), atol=1e-6)
