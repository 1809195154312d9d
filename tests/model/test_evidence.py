"""Executions count in the next answer, in no model's place for long, and nobody's drown the others'."""

import numpy as np
import pytest

from shgat import SHGAT, Traces
from shgat.model import evidence, scoring
from shgat.model.evidence import Execution, Extended, Recent
from shgat.model.memory import Memory
from shgat.model.words import terms
from training import planted


def an_index(seed=0, n_tools=12):
    return SHGAT.from_catalog(planted.catalog(np.random.default_rng(seed), n_tools, [((0, 1), ())], 16)).index()


def done(i, x, tool, outcome=1.0, source="", timestamp=0.0, text="send the report"):
    return Execution(f"e{i}", x, text, (tool,), outcome, source, timestamp)


def ranked(index, recent, x, text=None):
    return scoring.rank(index, x, 12, "tools", text, (), None, None, recent.evidence(index)).ids


def test_what_worked_stands_higher_at_once_and_what_failed_lower():
    index, recent = an_index(), Recent()
    tools = index.catalog.tool_embeddings
    x = planted.unit(tools[3] + 0.85 * tools[9]).astype(np.float32)
    assert ranked(index, recent, x)[:2] == ("t3", "t9")
    for i in range(10):
        recent.add(done(2 * i, x, "t3", 0.0), index)
        recent.add(done(2 * i + 1, x, "t9", 1.0), index)
    assert ranked(index, recent, x)[0] == "t9"
    assert recent.evidence(index).success.overall[3] < 0.5


def test_nothing_new_changes_nothing():
    index, recent = an_index(), Recent()
    assert recent.evidence(index) is None
    recent.add(done(0, None, "nobody"), index)
    x = np.ascontiguousarray(index.catalog.tool_embeddings[3])
    assert ranked(index, recent, x) == scoring.rank(index, x, 12, "tools", None, (), None, None).ids


@pytest.mark.parametrize("texts", [None, True])
def test_a_large_memory_and_a_few_traces_vote_as_one_memory_does(texts):
    of, records, _ = planted.rotated(np.random.default_rng(1), n_traces=40)
    for i, record in enumerate(records):
        record.update(outcome=float(i % 7 > 0), intent=f"intent {i % 5}")
    traces = Traces.from_records(records, of)
    whole, before = Memory.of(traces, np.arange(40)), Memory.of(traces, np.arange(30))
    fresh = Memory.of(traces, np.arange(30, 40))
    both = Extended.by(before, fresh, [terms(text) for text in fresh.texts])
    assert len(both) == 40
    x = traces.vectors(np.arange(40))
    without = np.arange(40).tolist()
    np.testing.assert_array_equal(both.failed, whole.failed)
    np.testing.assert_allclose(both.votes(x, 30), whole.votes(x, 30), atol=1e-5)
    np.testing.assert_allclose(both.votes(x, 30, without), whole.votes(x, 30, without), atol=1e-5)
    if texts:
        assert both.word_votes(["intent 3"], 30).max() > both.word_votes(["nothing known"], 30).max()


def test_what_a_model_has_taken_in_leaves_and_what_was_refused_too():
    of, records, _ = planted.rotated(np.random.default_rng(1), n_traces=30)
    model, recent = SHGAT.from_catalog(of), Recent()
    for i, record in enumerate(records[:20]):
        execution = Execution(record["id"], record["embedding"].astype(np.float32), "", tuple(record["tools"]), 1.0, "", float(i))
        recent.add(execution, model.index())
    assert len(recent) == 20
    model.partial_fit(Traces.from_records(records[:8], of))
    assert recent.evidence(model.index(), beside=True) is not None
    assert len(recent) == 20  # production has not taken it in
    recent.add(execution, model.index())
    assert recent.evidence(SHGAT.from_catalog(of).index()) is not None
    assert len(recent) == 20
    assert recent.evidence(model.index()) is not None
    recent.forget([])
    assert recent.evidence(model.index()) is not None
    assert len(recent) == 12
    recent.forget([r["id"] for r in records[8:20]])
    assert (len(recent), recent.evidence(model.index())) == (0, None)


def test_nobody_has_more_than_a_quarter_of_the_places():
    index, recent = an_index(), Recent()
    x = np.ascontiguousarray(index.catalog.tool_embeddings[3])
    for i in range(400):
        recent.add(done(i, x, "t1"), index)
    assert len(recent) == evidence.PLACES // evidence.SHARE
    for i in range(400, 800):
        recent.add(done(i, x, f"t{2 + i % 9}", source="one client"), index)
    assert len(recent) <= 2 * evidence.PLACES // evidence.SHARE
    for i in range(800, 2000):
        recent.add(done(i, x, f"t{i % 12}", source=f"client {i}"), index)
    assert len(recent) <= evidence.PLACES


def test_what_is_old_leaves():
    index, recent = an_index(), Recent()
    x = np.ascontiguousarray(index.catalog.tool_embeddings[3])
    recent.add(done(0, x, "t1", timestamp=0.0), index)
    recent.add(done(1, x, "t2", timestamp=evidence.LONGEST + 1.0), index)
    assert len(recent) == 1


def test_failures_of_an_outage_take_nothing_off():
    index, recent = an_index(), Recent()
    x = index.catalog.tool_embeddings
    for i in range(60):
        recent.add(done(i, np.ascontiguousarray(x[i % 12]), f"t{i % 12}", 0.0), index)
    found = recent.evidence(index)
    assert len(found.memory) == 0
    assert not found.success.any_failed


def test_an_intent_with_a_text_alone_is_answered_by_words_and_by_what_worked():
    index, recent = an_index(), Recent()
    assert scoring.by_words(index, "tool 4").argmax() == 4
    with pytest.raises(ValueError, match="shares a word"):
        scoring.by_words(index, "zebra")
    for i in range(5):
        recent.add(done(i, None, "t7", text="feed the zebra"), index)
    assert scoring.by_words(index, "a zebra", recent.evidence(index)).argmax() == 7
    for i in range(5, 40):
        recent.add(done(i, None, "t7", 0.0, text="feed the zebra"), index)
        recent.add(done(100 + i, None, "t8", 1.0, text="feed the zebra"), index)
    assert scoring.by_words(index, "feed the zebra", recent.evidence(index)).argmax() == 8


def test_what_is_common_counts_beside_ones_own_and_not_the_other_way_round():
    index = an_index()
    common = Recent()
    mine, yours = Recent(common), Recent(common)
    x = np.ascontiguousarray(index.catalog.tool_embeddings[3])
    assert mine.evidence(index) is None
    common.add(done(0, x, "t1"), index)
    assert mine.evidence(index) is common.evidence(index)
    mine.add(done(1, x, "t2"), index)
    assert mine.evidence(index).fresh.ids == ("e0", "e1")
    assert mine.evidence(index) is mine.evidence(index)
    assert yours.evidence(index) is common.evidence(index)
    common.add(done(2, x, "t3"), index)
    assert mine.evidence(index).fresh.ids == ("e0", "e2", "e1")
    assert mine.evidence(index, beside=True).fresh.ids == ("e0", "e2", "e1")
    common.forget(["e0", "e2"])
    assert mine.evidence(index).fresh.ids == ("e1",)
    assert yours.evidence(index) is None
    mine.forget(["e1"])
    assert mine.evidence(index) is None
    assert mine.bytes == 0 < yours.changes + common.changes


def test_one_alone_with_nothing_in_common_has_what_all_would_have():
    index, alone, common = an_index(), Recent(), Recent()
    mine = Recent(common)
    x = np.ascontiguousarray(index.catalog.tool_embeddings[3])
    for i in range(300):  # more than there are places
        for recent in (alone, mine):
            recent.add(done(i, x, f"t{i % 12}", float(i % 3 > 0), f"s{i % 5}", float(i)), index)
    assert mine.evidence(index).fresh.ids == alone.evidence(index).fresh.ids
    assert ranked(index, mine, x) == ranked(index, alone, x)
