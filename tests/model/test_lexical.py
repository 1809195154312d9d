"""BM25 against its formula in float64, and what counts as a word."""

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.model.lexical import Bm25, words

K1, B = 1.5, 0.75
WORDS = st.lists(st.sampled_from(["mail", "send", "file", "the", "a", "7"]), max_size=12)
QUERIES = st.lists(st.sampled_from(["mail", "send", "file", "the", "unknown", "another"]), max_size=8)


def bm25(documents, query):
    """Lucene's variant, (n,) float64."""
    n = len(documents)
    mean = sum(map(len, documents)) / max(n, 1)
    scores = np.zeros(n)
    for word in query:
        holding = sum(word in document for document in documents)
        for i, document in enumerate(documents):
            f = document.count(word)
            if f:
                rarity = np.log(1 + (n - holding + 0.5) / (holding + 0.5))
                scores[i] += rarity * f / (f + K1 * (1 - B + B * len(document) / mean))
    return scores


@given(st.lists(WORDS, max_size=8), QUERIES)
def test_scores_are_the_formula(documents, query):
    found = Bm25(documents).scores(query)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, bm25(documents, query), rtol=2e-6, atol=1e-7)


@given(st.lists(WORDS, max_size=8), st.lists(QUERIES, max_size=5))
def test_relative_to_the_best_of_each_query(documents, queries):
    exact = np.array([bm25(documents, query) for query in queries]).reshape(len(queries), len(documents))
    best = exact.max(axis=1, initial=0.0, keepdims=True)
    found = Bm25(documents).relative(queries)
    assert (found.shape, found.dtype) == (exact.shape, np.float32)
    np.testing.assert_allclose(found, exact / (best + 1e-6), rtol=5e-6, atol=1e-6)


def test_a_word_that_a_query_repeats_counts_each_time():
    index = Bm25([["mail", "mail", "send"], ["mail"], ["file"]])
    np.testing.assert_allclose(index.scores(["mail"] * 3), 3 * index.scores(["mail"]), rtol=1e-6)


@pytest.mark.parametrize("documents", [[], [[]], [[], [], []]], ids=["none", "one that is empty", "all are empty"])
def test_where_nothing_is_written_nothing_is_found(documents):
    index = Bm25(documents)
    np.testing.assert_array_equal(index.scores(["mail"]), np.zeros(len(documents)))
    np.testing.assert_array_equal(index.relative([["mail"], []]), np.zeros((2, len(documents))))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sendMail to bob_smith2, ÜBER 3.5", ["send", "mail", "to", "bob", "smith2", "ü", "ber", "3", "5"]),
        ("files.readFile", ["files", "read", "file"]),
        ("HTTPServer v2Beta", ["httpserver", "v2", "beta"]),
        ("请删除", ["请", "删", "除"]),
        ("-- \t\n", []),
        ("", []),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


def test_bm25_is_the_librarys_bit_for_bit():
    rng = np.random.default_rng(3)
    vocabulary = [f"w{i}" for i in range(300)]
    documents = [rng.choice(vocabulary[: 30 + i], int(rng.integers(0, 40))).tolist() for i in range(200)]
    theirs, ours = bm25s.BM25(k1=1.5, b=0.75), Bm25(documents)
    theirs.index(documents, show_progress=False)
    for _ in range(50):
        query = rng.choice(vocabulary, int(rng.integers(1, 12))).tolist()
        np.testing.assert_array_equal(ours.scores(query), theirs.get_scores(query))
    assert Bm25([]).scores(["w1"]).shape == (0,)
