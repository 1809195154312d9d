"""What a gateway asks for: text, thresholds, sets, many at once; one scale of scores whoever ranks."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import SHGAT
from shgat.errors import InputError
from shgat.registry import ServedVersion


def test_text_alone_is_ranked_by_words_and_says_so(open_ranker, catalog):
    ranker = open_ranker()
    answer = ranker.rank("post a message to the chat", 3)
    assert (answer.ranked_by, answer.calibrated) == ("lexical", False)
    assert answer.ids[0].startswith("chat.")
    assert "no encoder is at hand" in answer.degraded[0]
    assert (answer.ids, answer.scores) == (ranker.rank(None, 3, text="post a message to the chat").ids, answer.scores)
    nothing = ranker.rank("zzzz", 3)  # never silently in the order of the catalogue
    assert nothing.ranked_by == "catalogue"
    assert any("shares a word" in why for why in nothing.degraded)


def test_answers_are_on_one_scale_before_and_after_a_training(open_ranker, trained, people):
    ranker = open_ranker()
    x, text, _ = people[0]
    before = ranker.rank(x, 5, text=text, candidates=["mine", *ranker.catalog.tool_column])
    ranker.slots.put(ServedVersion("v1", 1, trained.model))
    after = ranker.rank(x, 5, text=text, explain=True)
    assert (before.calibrated, before.probabilities, after.calibrated) == (False, None, True)
    assert after.probabilities == after.scores
    for answer in (before, after, ranker.rank(None, 5, text=text), ranker.rank(x, 5, "capabilities")):
        assert all(0.0 < s <= 1.0 for s in answer.scores)
        assert list(answer.scores) == sorted(answer.scores, reverse=True)
    for key, why in zip(after.ids, after.explanations, strict=True):
        fused = sum(why.weights[name] * s for name, s in why.channels.items()) + why.weights["bonus"]
        scores = trained.model.score(x, texts=[text])[0]
        assert fused == pytest.approx(scores[trained.model.tool_ids.index(key)], rel=1e-4, abs=1e-4)


def test_what_the_catalogue_does_not_know_scores_below_all_that_it_knows(open_ranker, people, catalog):
    ranker = open_ranker()
    answer = ranker.rank(-people[0][0], 100, candidates=["mine.one", *catalog.tool_column, "mine.two"])
    assert answer.ids[-2:] == ("mine.one", "mine.two")
    assert answer.scores[-2:] == (0.0, 0.0) < (min(answer.scores[:-2]),) * 2
    assert "2 candidates are not in the catalogue" in answer.degraded[0]


def test_sets_bring_the_tools_they_need(open_ranker, people, catalog):
    ranker = open_ranker()
    answer, expected = ranker.rank_sets(people[0][0], 4), SHGAT.from_catalog(catalog).rank_sets(people[0][0], 4)
    assert (answer.kind, answer.ids) == ("capabilities", tuple(s.id for s in expected))
    assert answer.tools == tuple(s.tools for s in expected)
    assert ranker.feedback(answer.decision_id, answer.ids[0], outcome=True)


def test_many_intents_have_a_decision_each(open_ranker, people):
    ranker = open_ranker()
    vectors, texts = np.stack([x for x, _, _ in people[:6]]), [text for _, text, _ in people[:6]]
    answers = ranker.rank_many(vectors, 3, texts=texts, context_tools=iter(["chat.post_message"]))
    for answer, x, text in zip(answers, vectors, texts, strict=True):
        assert answer.ids == ranker.rank(x, 3, text=text, context_tools=["chat.post_message"]).ids
    for answer in answers:
        assert ranker.feedback(answer.decision_id, tools=answer.ids[:1], outcome=1.0)
    assert ranker.stats()["answers"]["all"] == 12
    assert [a.ranked_by for a in ranker.rank_many([vectors[0], "mail", None], 3)] == ["model", "words", "catalogue"]
    for bad in (vectors[0], "mail", None, 7):
        with pytest.raises(InputError, match="intents is a list"):
            ranker.rank_many(bad)
    with pytest.raises(InputError, match="texts: 1 for 6"):
        ranker.rank_many(vectors, texts=["a"])


# ------------------------------------------------------------------ before any training
def test_what_came_of_an_answer_moves_its_tool_and_leaves_the_scale(open_ranker, people):
    ranker = open_ranker()
    x, text, _ = people[0]
    before = ranker.rank(x, 83, text=text)
    worked = before.ids[3]
    for _ in range(3):
        assert ranker.feedback(ranker.rank(x, 5, text=text).decision_id, tools=[worked], outcome=1.0)
    after = ranker.rank(x, 83, text=text, explain=True)
    moved = {i: dict(after)[i] - s for i, s in before}
    assert (after.calibrated, np.median(list(moved.values()))) == (False, pytest.approx(0.0, abs=1e-5))
    assert moved[worked] == max(moved.values()) > 0.01
    assert list(after.scores) == sorted(after.scores, reverse=True)
    total = [sum(w.weights[name] * s for name, s in w.channels.items()) + w.weights["bonus"] for w in after.explanations]
    assert total == sorted(total, reverse=True)
    many = ranker.rank_many([x, x], 83, texts=[text, text])
    assert [a.scores for a in many] == [pytest.approx(after.scores, abs=1e-5)] * 2


def test_words_that_people_used_find_their_tool_without_an_embedding(open_ranker):
    ranker = open_ranker()
    assert ranker.rank("zapp zopp", 3).ranked_by == "catalogue"
    for _ in range(3):
        assert ranker.feedback(ranker.rank("zapp zopp", 5).decision_id, tools=["payments.cancel_subscription"], outcome=1.0)
    answer = ranker.rank("zapp zapp", 3)
    assert (answer.ranked_by, answer.ids[0]) == ("words", "payments.cancel_subscription")
    assert answer.degraded
    assert list(answer.scores) == sorted(answer.scores, reverse=True)
    assert ranker.rank("zapp zapp", 3, candidates=["files.read_file"]).ids == ("files.read_file",)


def test_how_near_the_nearest_tools_are_whatever_was_learned(open_ranker, catalog):
    ranker = open_ranker(catalog=replace(catalog, encoder="all-MiniLM-L6-v2"), encoder="static")
    near, far = ranker.nearest("archive e-mails of the inbox"), ranker.nearest("zxcv")
    assert near.cosine > far.cosine
    assert near.words > 0.0 == far.words
    assert near.servers[0] == "mail"
    assert near.vector.shape == (catalog.dimension,)
    assert ranker.nearest("archive e-mails", ["chat"]).servers == ("chat",)
    assert ranker.nearest("archive e-mails", ["nobody"])[1:] == (-1.0, 0.0, ())
    assert ranker.stats()["answers"]["all"] == 0


def test_how_near_by_words_alone(open_ranker):
    found = open_ranker().nearest("archive the message")
    assert (found.vector, found.cosine, found.servers) == (None, -1.0, ())
    assert found.words > 0.0


def test_what_to_use_next(open_ranker, people, catalog):
    ranker, model = open_ranker(), SHGAT.from_catalog(catalog)
    used = [model.tool_ids[3], "mine", model.tool_ids[5]]
    answer = ranker.suggest(used, None, 4)
    assert answer.ids == model.suggest([used[0], used[2]], None, 4).ids
    x, _, _ = people[0]
    assert ranker.suggest(used, x, 4).ids == model.suggest([used[0], used[2]], x, 4).ids
    first = model.tool_ids[-1]
    assert ranker.suggest(used, None, 4, followers=["mine", first, used[2]]).ids[0] == first
    with pytest.raises(InputError, match="or an intent"):
        ranker.suggest(["mine"])
