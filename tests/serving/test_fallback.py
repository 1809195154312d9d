"""The chain always has an answer, and says why it is not the model's."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shgat import SHGAT, Catalog
from shgat.features import IntentEncoder, OwnEncoder
from shgat.model.lexical import Bm25, Descriptions
from shgat.model.words import asked, terms
from shgat.registry import ServedVersion
from shgat.serving.fallback import Chain
from shgat.serving.filters import Filters, Membership
from shgat.serving.plain import PlainRanking
from shgat.serving.request import Request
from shgat.serving.session import Sessions
from worlds import cosine64


@pytest.fixture(scope="module")
def served(catalog):
    return ServedVersion("v7", 7, SHGAT.from_catalog(catalog))


@pytest.fixture(scope="module")
def chain(catalog):
    return Chain.of(catalog)


def asked_for(intent, k=5, kind="tools", text=None, context=(), candidates=None):
    return Request(intent, k, kind, text, context, Filters(candidates))


def in_unit(scores):
    """On the scale of an untrained model's answers."""
    return pytest.approx((1.0 + np.asarray(scores, np.float64) / 20.0) / 2.0, abs=1e-6)


@pytest.mark.parametrize("kind", ["tools", "capabilities"])
def test_the_model_answers_where_it_can(chain, served, people, kind):
    x, text, _ = people[0]
    found = chain.answer(served, asked_for(x, kind=kind, text=text))
    expected = served.model.rank(x, 5, kind, text=text)
    assert (found.items.ids, found.items.calibrated) == (expected.ids, False)
    assert found.items.scores == in_unit(expected.scores)
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
    assert found.items.ids == tuple(nodes[i].id for i in best)
    np.testing.assert_allclose(found.items.scores, (1.0 + cosine[best]) / 2.0, atol=1e-5)
    assert (found.version, found.by) == ("cosine", "cosine")
    assert found.why[0].startswith("model: ")


@pytest.mark.parametrize(
    "intent",
    [None, [1.0], b"text", {"a": 1}, np.full(384, np.nan), np.zeros((384, 384)), np.zeros(384), [None] * 384, object(), True],
)
def test_an_intent_that_cannot_be_used_leaves_its_text_and_then_the_catalogue(chain, served, catalog, intent):
    found = chain.answer(served, asked_for(intent, 3, text="post a message to the chat"))
    assert (found.by, found.version, len(found.items.ids), found.intent) == ("lexical", "lexical", 3, None)
    assert found.items.ids[0].startswith("chat.")
    assert len(found.why) == 1
    for text, why in ((None, "the intent has no text"), ("zzzz", "no item shares a word")):
        found = chain.answer(served, asked_for(intent, 3, text=text))
        assert (found.by, found.version) == ("catalogue", "catalogue")
        assert found.items.ids == tuple(t.id for t in catalog.tools[:3])
        assert found.items.scores == pytest.approx((1e-6,) * 3)
        assert why in found.why[-1]


def test_an_intent_beyond_what_can_be_used_is_named(chain, served):
    found = chain.answer(served, asked_for(np.full(384, 1e38, np.float32), 3))
    assert found.by == "catalogue"
    assert found.why[0] == "the intent has an entry of size 1e+38 at position 0, at most 1e+15 can be used"


@pytest.mark.parametrize("value", [1e15, 1e-44, 0.0])
def test_extreme_intents_are_answered(chain, served, value):
    found = chain.answer(served, asked_for(np.full(384, value, np.float32), 3, text="mail"))
    assert len(found.items.ids) == 3
    assert np.isfinite(found.items.scores).all()


def test_what_the_catalogue_does_not_know_comes_last_in_the_order_of_the_request(chain, served, people):
    x, tools = people[0][0], ("mine.one", "chat.post_message", "mine.two")
    found = chain.answer(served, asked_for(x, candidates=tools))
    assert found.items.ids == ("chat.post_message", "mine.one", "mine.two")
    assert found.items.scores[1:] == (0.0, 0.0) < (found.items.scores[0],) * 2
    assert found.why == ("2 candidates are not in the catalogue, among them 'mine.one'",)
    assert chain.answer(served, asked_for(x, 2, candidates=tools)).items.ids == ("chat.post_message", "mine.one")
    assert chain.answer(served, asked_for(x, 1, candidates=tools)).items.ids == ("chat.post_message",)
    for intent in (x, None):
        assert chain.answer(served, asked_for(intent, candidates=("mine.one",))).items.ids == ("mine.one",)
        assert chain.answer(served, asked_for(intent, candidates=())).items.ids == ()


@pytest.mark.parametrize("text", [None, "read a file"])
def test_every_way_chooses_among_the_candidates(chain, served, people, text):
    candidates = ("mail.send_message", "files.read_file", "files.read_file")
    for intent in (people[0][0], None):
        assert sorted(chain.answer(served, asked_for(intent, text=text, candidates=candidates)).items.ids) == sorted(
            set(candidates)
        )


# ---------------------------------------------------------------- scores, sessions, many at once
def test_scores_of_a_trained_model_are_its_probabilities(chain, trained, people):
    x, text, _ = people[0]
    expected = trained.model.rank(x, 5, text=text, explain=True)
    request = Request(x, 5, text=text, explain=True)
    found = chain.answer(ServedVersion("v7", 7, trained.model), request)
    assert found.items.calibrated
    assert found.items.scores == tuple(np.maximum(expected.probabilities, np.float32(1e-6)).tolist())
    assert found.items.explanations == expected.explanations


@pytest.mark.parametrize("intent", ["vector", None])
@pytest.mark.parametrize("least", [0.0, 0.4, 0.6, 1.0])
def test_min_score_leaves_out_what_is_seen_with_less(chain, served, trained, people, intent, least):
    x, text, _ = people[0]
    for version in (served, ServedVersion("v7", 7, trained.model)):
        everything = chain.answer(version, Request(intent and x, 83, text=text)).items
        found = chain.answer(version, Request(intent and x, 83, text=text, min_score=least))
        assert found.items.scores == tuple(s for s in everything.scores if s >= least)
        assert any("min_score" in why for why in found.why) != found.items.calibrated
        with_mine = chain.answer(version, Request(intent and x, 83, text=text, filters=Filters(("mine",)), min_score=least))
        assert with_mine.items.ids == (("mine",) if least == 0.0 or with_mine.by == "catalogue" else ())


def test_a_threshold_takes_no_tool_away_where_nothing_could_be_scored(chain, served):
    found = chain.answer(served, Request(None, 4, min_score=0.9))
    assert (found.by, len(found.items.ids)) == ("catalogue", 4)
    assert "nothing could be scored" in found.why[-1]


def test_a_session_is_scored_for_what_it_was_shown_before(chain, served, people):
    sessions = Sessions()
    first, second = ([Request(people[i][0], k, session="s", order="stable", explain=True) for k in (4, 83)] for i in (0, 1))
    shown = chain.in_order_of(sessions, served, first[0], chain.answer(served, first[0]))
    found = chain.in_order_of(sessions, served, second[0], chain.answer(served, second[0]))
    assert found.items.ids[:4] == shown.items.ids
    everything = chain.answer(served, second[1]).items
    assert dict(found.items.each()) == {i: pytest.approx(pair) for i, pair in everything.each() if i in found.items.ids}


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 7), st.none() | st.lists(st.sampled_from([*"abcdefgh", "X", "Y"]), max_size=8), st.integers(1, 5)),
        max_size=10,
    )
)
def test_no_session_gets_what_its_request_may_not_have(asked_for):
    catalog = Catalog.from_records([{"id": i, "embedding": e} for i, e in zip("abcdefgh", np.eye(8), strict=True)], [])
    chain, version, sessions = Chain.of(catalog), ServedVersion("untrained", 0, SHGAT.from_catalog(catalog)), Sessions()
    place: dict[tuple[str, str], bool] = {}
    for axis, candidates, k in asked_for:
        allowed = None if candidates is None else tuple(dict.fromkeys(candidates))
        request = Request(np.eye(8)[axis], k, filters=Filters(allowed), session="s", order="stable")
        fresh = chain.answer(version, request)
        ids = chain.in_order_of(sessions, version, request, fresh).items.ids
        assert set(fresh.items.ids) <= set(ids) <= set(catalog.tool_column if allowed is None else allowed)
        for n, one in enumerate(ids):
            assert not any((other, one) in place for other in ids[n + 1 :])
            place.update({(one, other): True for other in ids[n + 1 :]})


@pytest.mark.parametrize("kind", ["tools", "capabilities"])
@pytest.mark.parametrize(
    "options", [{}, {"filters": Filters(("mail.send_message", "mine", "files.read_file"))}, {"min_score": 0.5}]
)
def test_many_at_once_are_answered_as_one_by_one(chain, served, trained, people, kind, options):
    requests = [Request(x, 6, kind, text, **options) for x, text, _ in people[:5]]
    requests += [
        Request(people[5][0], 6, kind, **options),
        Request(None, 6, kind, "mail", **options),
        Request(None, 6, kind, **options),
    ]
    for version in (served, ServedVersion("v7", 7, trained.model)):
        for found, request in zip(chain.answers(version, requests), requests, strict=True):
            alone = chain.answer(version, request)
            assert found.items.scores == pytest.approx(alone.items.scores, abs=1e-5)
            assert (found.items.ids, found.by, found.why) == (alone.items.ids, alone.by, alone.why)
    assert chain.answers(served, []) == []


def test_many_at_once_that_the_model_cannot_rank_are_ranked_by_cosine(chain, catalog, people):
    broken = SHGAT.from_catalog(catalog)
    broken.params.buffer[:] = np.nan
    broken.invalidate()
    found = chain.answers(ServedVersion("v9", 9, broken), [Request(x, 3) for x, _, _ in people[:3]])
    assert [f.by for f in found] == ["cosine"] * 3
    assert all(f.why[0].startswith("model: ") for f in found)


def test_where_texts_can_be_encoded_the_model_ranks_them(catalog, served, people):
    vectors = {text: x for x, text, _ in people[:3]}
    encoder = OwnEncoder(lambda texts: np.stack([vectors[text] for text in texts]), "spoken", 384)
    chain = replace(Chain.of(catalog), encoder=IntentEncoder(encoder))
    for text, x in vectors.items():
        found = chain.answer(served, Request(None, 5, text=text))
        assert (found.by, found.why) == ("model", ())
        assert found.encoder == "spoken"
        np.testing.assert_allclose(found.intent, x / np.linalg.norm(x), atol=1e-6)
    unusable = chain.answer(served, Request(np.zeros(384), 5, text=text))
    assert (unusable.by, unusable.items, len(unusable.why)) == ("model", found.items, 1)
    unheard = chain.answer(served, Request(None, 5, text="mail"))  # the encoder fails: words are left
    assert (unheard.by, unheard.why) == ("lexical", ("the text cannot be encoded: spoken: KeyError: 'mail'",))


def test_an_empty_catalogue_gives_empty_answers_and_says_so():
    nothing = Catalog.from_records([])
    chain = Chain(nothing, PlainRanking((), None, Descriptions(())), PlainRanking((), None, Descriptions(())), Membership(nothing))
    catalog = Catalog.from_records([{"id": "a", "embedding": np.ones(8)}], [])
    found = chain.answer(ServedVersion("untrained", 0, SHGAT.from_catalog(catalog)), Request(None, 5, "capabilities", "anything"))
    assert found.items.ids == ()
    assert "the catalogue holds no capabilities" in found.why


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


def test_what_was_prepared_is_not_built_in_a_request(catalog):
    fresh = Catalog.from_records(*catalog.records())
    Chain.of(fresh).prepare()
    assert all("index" in vars(Descriptions.of(fresh, kind)) for kind in ("tools", "capabilities"))


def test_candidates_that_share_no_word_are_not_ranked_by_words(chain, served):
    found = chain.answer(
        served, asked_for(None, text="post a message to the chat", candidates=("files.read_file", "calendar.book_room"))
    )
    assert found.by == "catalogue"
    assert "no item shares a word" in found.why[-1]
    found = chain.answer(
        served, asked_for(None, text="post a message to the chat", candidates=("files.read_file", "chat.post_message"))
    )
    assert (found.by, found.items.ids[0]) == ("lexical", "chat.post_message")
