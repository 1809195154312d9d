"""Static vectors: near what means the same, the same whatever stands beside a text, and a file that is checked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat import ModelFileError
from shgat.features.static import FILE, SPACE, StaticVectors, built_in

ENCODER = built_in()


def cosine(one, other):
    x, y = ENCODER.encode([one, other])
    return float(x @ y)


@given(st.lists(st.text(max_size=100), max_size=4))
def test_any_text_is_a_vector_of_length_one_or_zero_whatever_stands_beside_it(texts):
    rows = ENCODER.encode(texts)
    assert rows.shape == (len(texts), 384)
    assert rows.dtype == np.float32
    for text, row in zip(texts, rows, strict=True):
        assert float(np.linalg.norm(row)) == pytest.approx(1.0 if row.any() else 0.0, abs=1e-5)
        np.testing.assert_allclose(ENCODER.encode([text])[0], row, atol=1e-6)


def test_what_means_the_same_is_near_without_a_shared_word():
    assert cosine("Is it going to rain?", "weather forecast") > cosine("Is it going to rain?", "bank account") + 0.2
    assert cosine("send mail", "email a message") > cosine("send mail", "resize a picture") + 0.2
    assert cosine("delete the folder", "remove a directory") > cosine("delete the folder", "play a song") + 0.2


def test_it_lies_where_the_model_would_put_it():
    made = ENCODER.encode(list(ENCODER.probes))
    theirs = np.stack(list(ENCODER.probes.values()))
    alike = made @ theirs.T
    assert (alike.argmax(axis=1) == np.arange(len(made))).all()
    assert float(np.diag(alike).mean()) > 0.6


def test_nothing_said_is_zero_and_a_book_is_a_text():
    assert not ENCODER.encode(["", " \n", "\x00", "?!", "..."]).any()
    assert np.isfinite(ENCODER.encode(["\ud800", "word " * 100_000])).all()


def small(n=40, d=12, k=8):
    rng = np.random.default_rng(0)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{i}" for i in range(n - 4))]
    rows = rng.standard_normal((n, k)).astype(np.float32) @ np.linalg.qr(rng.standard_normal((d, k)))[0].T.astype(np.float32)
    return vocabulary, rows.astype(np.float32), np.full(d, 0.05, np.float32)


def test_four_bits_in_a_few_directions_keep_what_was_put_in():
    vocabulary, rows, mean = small()
    made = StaticVectors.from_bytes(StaticVectors.to_bytes(rows, mean, vocabulary, {"hello": rows[5]}, 8), "f")
    texts = ["w1 w2 w3", "w7 w7 w7", "w30"]
    exact = np.stack([rows[5:8].sum(0), rows[11], rows[34]])
    exact = exact / np.linalg.norm(exact, axis=1, keepdims=True) + mean
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    assert (made.encode(texts) * exact).sum(axis=1).min() > 0.97
    assert made.id.startswith(f"{SPACE}::static-")
    np.testing.assert_allclose(made.probes["hello"], rows[5], atol=2e-3)


def test_another_content_has_another_name():
    vocabulary, rows, mean = small()
    data = [StaticVectors.to_bytes(rows, shift * mean, vocabulary, {}, 8) for shift in (1.0, 1.0, 2.0)]
    first, same, other = (StaticVectors.from_bytes(d, "f").id for d in data)
    assert first == same != other


def test_a_torn_or_altered_file_is_refused():
    vocabulary, rows, mean = small()
    data = bytearray(StaticVectors.to_bytes(rows, mean, vocabulary, {}, 8))
    with pytest.raises(ModelFileError, match="is torn"):
        StaticVectors.from_bytes(bytes(data[:-40]), FILE)
    data[-7] ^= 1
    with pytest.raises(ModelFileError, match="does not match its checksum"):
        StaticVectors.from_bytes(bytes(data), FILE)
