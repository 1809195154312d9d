"""Memory and word channels against plain NumPy."""

import collections

import bm25s
import numpy as np
import pytest

from shgat.graph import Incidence
from shgat.model.channels import Channels
from shgat.model.lexical import Bm25, words
from shgat.model.memory import Memory
from training import planted

TEXTS = ["send a mail to Anna", "archive the mail", "open the page", "sendMail to bob_smith", "", "the the the"]


def some_memory(rng, n=50, d=8, n_tools=9):
    rows = [rng.choice(n_tools, int(rng.integers(1, 4)), replace=False).tolist() for _ in range(n)]
    texts = [" ".join(rng.choice(["mail", "page", "send", "open", "anna", "file"], 4)) for _ in range(n)]
    vectors = planted.unit(rng.standard_normal((n, d))).astype(np.float32)
    return Memory(tuple(map(str, range(n))), vectors, texts, Incidence.from_rows(rows)), rows


def bm25(documents, query, k1=1.5, b=0.75):
    """Lucene's BM25, by its formula."""
    n, mean = len(documents), np.mean([len(d) for d in documents])
    scores = np.zeros(n)
    for word in query:
        containing = sum(word in d for d in documents)
        idf = np.log(1.0 + (n - containing + 0.5) / (containing + 0.5))
        for i, d in enumerate(documents):
            tf = collections.Counter(d)[word]
            scores[i] += idf * tf / (tf + k1 * (1.0 - b + b * len(d) / mean))
    return scores


@pytest.mark.parametrize("n", [1, 5, 50])
def test_memory_votes(n):
    rng = np.random.default_rng(0)
    memory, rows = some_memory(rng, n)
    x = rng.standard_normal((7, 8)).astype(np.float32) * 3.0
    expected = np.zeros((7, 9))
    for i, v in enumerate(planted.unit(x.astype(float))):
        cosine = memory.vectors.astype(float) @ v
        near = np.argsort(-cosine)[:20]
        weight = np.exp(20.0 * (cosine[near] - 1.0))
        fade = 1.0 / (1.0 + np.exp(-10.0 * (cosine[near].max() - 0.5)))
        for at, w in zip(near, weight / (weight.sum() + 1e-9), strict=True):
            expected[i, rows[at]] += fade * w
    np.testing.assert_allclose(memory.votes(x, 9), np.log(expected + 1e-3), rtol=1e-3, atol=1e-3)


def test_an_empty_memory_says_nothing():
    memory = Memory((), np.zeros((0, 8), np.float32), [], Incidence.from_rows([]))
    np.testing.assert_allclose(memory.votes(np.ones((2, 8), np.float32), 3), np.log(1e-3), rtol=1e-5)
    np.testing.assert_allclose(memory.word_votes(["a", "b"], 3), np.log(1e-3), rtol=1e-5)


def test_words():
    assert words("sendMail to bob_smith2, ÜBER 3.5") == ["send", "mail", "to", "bob", "smith2", "ü", "ber", "3", "5"]
    assert words("") == []


def test_bm25_is_the_formula():
    documents = [words(t) for t in TEXTS]
    index = Bm25(documents)
    for query in ("send mail", "the", "page mail page", "nobody", ""):
        np.testing.assert_allclose(index.scores(words(query)), bm25(documents, words(query)), rtol=1e-4, atol=1e-6, err_msg=query)
    relative = index.relative([words("send mail"), words("nobody"), []])
    assert relative.max(axis=1) == pytest.approx([1.0, 0.0, 0.0], abs=1e-4)
    assert not Bm25([[], []]).scores(["mail"]).any()


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


def test_a_text_that_shares_no_word_has_no_votes():
    memory = Memory(("a", "b"), np.eye(2, 8, dtype=np.float32), ["send it", "open it"], Incidence.from_rows([[0], [1]]))
    np.testing.assert_allclose(memory.word_votes(["\u8bf7\u5220\u9664"], 3), np.log(1e-3), rtol=1e-5)
    assert memory.word_votes(["send"], 3).argmax() == 0
    np.testing.assert_allclose(memory.word_votes(["send"], 3)[0, 1:], np.log(1e-3), rtol=1e-5)


def test_word_votes():
    rng = np.random.default_rng(1)
    memory, rows = some_memory(rng, 15)
    documents = [words(t) for t in memory.texts]
    expected = np.zeros((2, 9))
    for i, text in enumerate(("send anna a mail", "open file")):
        s = bm25(documents, words(text))
        weight = np.exp(10.0 * (s / (s.max() + 1e-6) - 1.0))
        for at, w in enumerate(weight / weight.sum()):
            expected[i, rows[at]] += w
    np.testing.assert_allclose(
        memory.word_votes(["send anna a mail", "open file"], 9), np.log(expected + 1e-3), rtol=1e-3, atol=1e-3
    )


def test_the_channels_of_a_catalogue():
    rng = np.random.default_rng(2)
    catalog = planted.catalog(rng, 9, [((0, 1), ()), ((2,), (0,)), ((), ())], 8)
    memory, rows = some_memory(rng)
    channels = Channels.build(catalog, memory)
    x, texts = rng.standard_normal((4, 8)).astype(np.float32), ["tool 3", "mail", "", "send page 4"]
    z_tools, z_sets = rng.standard_normal((4, 9)).astype(np.float32), rng.standard_normal((4, 3)).astype(np.float32)
    found = channels.score(("semantic", "route", "cosine", "lexical", "usage"), x, texts, z_tools, z_sets)
    e = np.exp(z_tools.astype(float))
    np.testing.assert_allclose(found["semantic"], np.log(e / e.sum(axis=1, keepdims=True)), rtol=1e-4, atol=1e-5)
    p = np.exp(z_sets.astype(float))
    p /= p.sum(axis=1, keepdims=True)
    mass = np.zeros((4, 9))
    for c, tools in enumerate(((0, 1), (0, 1, 2), ())):
        mass[:, list(tools)] += p[:, [c]]
    np.testing.assert_allclose(found["route"], np.log(mass + 1e-4), rtol=1e-4, atol=1e-4)
    cosine = planted.unit(x.astype(float)) @ planted.unit(catalog.tool_embeddings.astype(float)).T
    np.testing.assert_allclose(found["cosine"], 20.0 * cosine, rtol=1e-4, atol=1e-4)
    documents = [words(t.text) for t in catalog.tools]
    usage = [2 * d for d in documents]
    for text, tools in zip(memory.texts, rows, strict=True):
        for t in tools:
            usage[t] = usage[t] + words(text)
    for name, docs in (("lexical", documents), ("usage", usage)):
        for i, text in enumerate(texts):
            s = bm25(docs, words(text))
            np.testing.assert_allclose(found[name][i], 20.0 * s / (s.max() + 1e-6), rtol=1e-3, atol=1e-3, err_msg=f"{name} {text}")


def test_the_route_is_one_function_for_few_rows_and_for_many():
    rng = np.random.default_rng(3)
    catalog = planted.catalog(rng, 5, [((0, 1), ()), ((2,), (0,)), ((3,), ())], 8)
    channels = Channels.build(catalog, some_memory(rng, n_tools=5)[0])
    z = rng.standard_normal((40, 3)).astype(np.float32)
    z[:, 2] = -1e30
    many = channels.route(z)
    few = np.concatenate([channels.route(z[i : i + 1]) for i in range(40)])
    np.testing.assert_allclose(many, few, rtol=1e-5)
    np.testing.assert_allclose(many[:, 3:], np.log(1e-4), rtol=1e-5)
