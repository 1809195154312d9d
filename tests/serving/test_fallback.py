"""The chain always has an answer, and says why it is not the model's."""

import numpy as np
import pytest

from shgat import SHGAT, Catalog
from shgat.errors import InputError
from shgat.graph import Tool
from shgat.model.lexical import Bm25, Descriptions
from shgat.model.words import asked, terms
from shgat.registry import ServedVersion
from shgat.serving.fallback import Chain, PlainRanking, Request
from worlds import cosine64


@pytest.fixture(scope="module")
def served(catalog):
    return ServedVersion("v7", 7, SHGAT.from_catalog(catalog))


@pytest.fixture(scope="module")
def chain(catalog):
    return Chain.of(catalog)


def asked_for(intent, k=5, kind="tools", text=None, context=(), candidates=None):
    return Request(intent, k, kind, text, context, candidates)


@pytest.mark.parametrize("kind", ["tools", "capabilities"])
def test_the_model_answers_where_it_can(chain, served, people, kind):
    x, text, _ = people[0]
    found = chain.answer(served, asked_for(x, kind=kind, text=text))
    expected = served.model.rank(x, 5, kind, text=text)
    assert (found.ids, found.scores) == (expected.ids, tuple(expected.scores.tolist()))
    assert (found.version, found.by, found.why) == ("v7", "model", ())
    np.testing.assert_array_equal(found.intent, x)


@pytest.mark.parametrize("kind", ["tools", "capabilities"])
def test_what_the_model_cannot_rank_is_ranked_by_cosine(chain, catalog, people, kind):
    broken = SHGAT.from_catalog(catalog)
    broken.params.buffer[:] = np.nan
    broken.invalidate()
    found = chain.answer(ServedVersion("v9", 9, broken), asked_for(people[0][0], kind=kind))
    rows = catalog.tool_embeddings if kind == "tools" else catalog.capability_embeddings
    nodes = catalog.tools if kind == "tools" else catalog.capabilities
    cosine = cosine64(people[0][0], rows)
    best = np.argsort(-cosine, kind="stable")[:5]
    assert found.ids == tuple(nodes[i].id for i in best)
    np.testing.assert_allclose(found.scores, cosine[best], atol=1e-5)
    assert (found.version, found.by) == ("cosine", "cosine")
    assert found.why[0].startswith("model: ")


@pytest.mark.parametrize("intent", [None, [1.0], "text", np.full(384, np.nan), np.zeros((384, 384)), [None] * 384, object()])
def test_an_intent_that_cannot_be_used_leaves_its_text_and_then_the_catalogue(chain, served, catalog, intent):
    found = chain.answer(served, asked_for(intent, 3, text="post a message to the chat"))
    assert (found.by, found.version, len(found.ids), found.intent) == ("lexical", "lexical", 3, None)
    assert found.ids[0].startswith("chat.")
    assert len(found.why) == 1
    for text, why in ((None, "the intent has no text"), ("zzzz", "no item shares a word")):
        found = chain.answer(served, asked_for(intent, 3, text=text))
        assert (found.by, found.version) == ("catalogue", "catalogue")
        assert found.ids == tuple(t.id for t in catalog.tools[:3])
        assert found.scores == (0.0, 0.0, 0.0)
        assert why in found.why[-1]


def test_an_intent_beyond_what_can_be_used_is_named(chain, served):
    found = chain.answer(served, asked_for(np.full(384, 1e38, np.float32), 3))
    assert found.by == "catalogue"
    assert found.why[0] == "the intent has an entry of size 1e+38 at position 0, at most 1e+15 can be used"


@pytest.mark.parametrize("value", [1e15, 1e-44, 0.0])
def test_extreme_intents_are_answered(chain, served, value):
    found = chain.answer(served, asked_for(np.full(384, value, np.float32), 3, text="mail"))
    assert len(found.ids) == 3
    assert np.isfinite(found.scores).all()


def test_what_the_catalogue_does_not_know_comes_last_in_the_order_of_the_request(chain, served, people):
    x, tools = people[0][0], ("mine.one", "chat.post_message", "mine.two")
    found = chain.answer(served, asked_for(x, candidates=tools, context=("mine.one",)))
    assert found.ids == ("chat.post_message", "mine.one", "mine.two")
    assert found.scores[1:] == (0.0, 0.0)
    assert found.why == ("2 candidates are not in the catalogue, among them 'mine.one'",)
    assert chain.answer(served, asked_for(x, 2, candidates=tools)).ids == ("chat.post_message", "mine.one")
    assert chain.answer(served, asked_for(x, 1, candidates=tools)).ids == ("chat.post_message",)
    for intent in (x, None):
        assert chain.answer(served, asked_for(intent, candidates=("mine.one",))).ids == ("mine.one",)
        assert chain.answer(served, asked_for(intent, candidates=())).ids == ()


@pytest.mark.parametrize("text", [None, "read a file"])
def test_every_way_chooses_among_the_candidates(chain, served, people, text):
    candidates = ("mail.send_message", "files.read_file", "files.read_file")
    for intent in (people[0][0], None):
        assert sorted(chain.answer(served, asked_for(intent, text=text, candidates=candidates)).ids) == sorted(set(candidates))


# ---------------------------------------------------------------- without a model
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


def test_words_are_ranked_by_the_bm25_that_is_there(catalog, chain, people):
    index = Bm25([terms(f"{t.id} {t.text}") for t in catalog.tools], trusted=False)
    shared = 0
    for _, text, _ in people:
        expected = index.scores(asked(text))
        if expected.any():
            np.testing.assert_allclose(chain.tools.lexical(text, None), expected, rtol=1e-5)
            shared += 1
    assert shared > 10
    assert chain.tools.said is Descriptions.of(catalog, "tools")  # which the model's channels read too


def test_candidates_that_share_no_word_are_not_ranked_by_words(chain, served):
    found = chain.answer(
        served, asked_for(None, text="post a message to the chat", candidates=("files.read_file", "calendar.book_room"))
    )
    assert found.by == "catalogue"
    assert "no item shares a word" in found.why[-1]
    found = chain.answer(
        served, asked_for(None, text="post a message to the chat", candidates=("files.read_file", "chat.post_message"))
    )
    assert (found.by, found.ids[0]) == ("lexical", "chat.post_message")


def test_ties_stand_in_catalogue_order():
    assert RANKING.best(np.zeros(3, np.float32), 2, None) == (("read", "write"), (0.0, 0.0))
    assert RANKING.best(np.array([0, 1, 1], np.float32), 9, [2, 0, 1, 1]) == (("write", "list", "read"), (1.0, 1.0, 0.0))
