"""Feedback: to any process, before or after the decision is in the store, with a receipt that says how safe it is, and nobody waits."""

import asyncio
import hashlib
import sqlite3

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from people import until, use, written
from shgat.errors import InputError, ShgatError, TraceError
from shgat.serving import Receipt
from shgat.store import Store


@pytest.mark.parametrize(
    "key",
    [
        "nothing",
        "",
        "d" * 31,
        "d" * 33,
        "D" * 32,
        "g" * 32,
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "d" * 31 + "\n",
        7,
        None,
        b"d" * 32,
    ],
)
def test_what_is_no_decision_id_is_refused_at_once(open_ranker, key):
    ranker = open_ranker()
    with pytest.raises(InputError, match="decision"):
        ranker.feedback(key, tools=["chat.post_message"], outcome=1.0)
    with pytest.raises(InputError, match="decision"):
        asyncio.run(ranker.afeedback(key, tools=["chat.post_message"], outcome=1.0))
    assert ranker.stats()["waiting_for_store"] == 0


def test_no_text_but_an_id_is_taken(open_ranker):
    ranker = open_ranker()

    @given(text=st.text(max_size=40) | st.text("0123456789abcdefABCDEF-", min_size=30, max_size=36))
    def refused(text):
        assume(not (len(text) == 32 and set(text) <= set("0123456789abcdef")))
        with pytest.raises(InputError):
            ranker.feedback(text, tools=["chat.post_message"], outcome=1.0)

    refused()


@pytest.mark.parametrize(
    "wrong", [{"outcome": 2.0}, {"outcome": float("nan")}, {"outcome": 1.0, "duration_ms": -1.0}, {"outcome": 1.0, "tools": "mail"}]
)
def test_feedback_that_makes_no_sense_is_refused_and_the_right_one_still_taken(open_ranker, people, wrong):
    ranker = open_ranker()
    key = ranker.rank(people[0][0]).decision_id
    with pytest.raises((InputError, TraceError)):
        ranker.feedback(key, **({"tools": ["chat.post_message"]} | wrong))
    assert ranker.feedback(key, tools=["chat.post_message"], outcome=1.0) is Receipt.DURABLE


def test_a_receipt_says_how_safe_it_is(open_ranker, people):
    ranker, memory = open_ranker(), open_ranker(journal=None)
    x, text, tools = people[0]
    for one, first in ((ranker, Receipt.DURABLE), (memory, Receipt.WAITING)):
        key = one.rank(x, 5, text=text).decision_id
        assert one.feedback(key, tools=tools, outcome=1.0) is first
        assert one.feedback(key, tools=tools, outcome=1.0) is Receipt.KNOWN
        assert asyncio.run(one.afeedback(key, tools=tools, outcome=1.0)) is Receipt.KNOWN
        key = one.rank(x, 5, text=text).decision_id
        assert asyncio.run(one.afeedback(key, tools=tools, outcome=1.0)) is first


def test_a_disk_that_is_slow_makes_it_wait_and_not_the_caller(open_ranker, people, monkeypatch):
    from shgat.serving import intake

    monkeypatch.setattr(intake, "ACKNOWLEDGED", 0.05)
    ranker = open_ranker()
    keys = [ranker.rank(people[0][0]).decision_id for _ in range(2)]
    with ranker._journal._ledger._io:
        assert ranker.feedback(keys[0], tools=["chat.post_message"], outcome=1.0) is Receipt.WAITING
        assert asyncio.run(ranker.afeedback(keys[1], tools=["chat.post_message"], outcome=1.0)) is Receipt.WAITING
    written(ranker)
    assert all(ranker._journal.store.traces_of(keys))


def test_a_disk_that_is_full_is_named(open_ranker, people, tmp_path):
    folder = tmp_path / "journal"
    ranker = open_ranker(journal=folder)
    folder.rmdir()
    folder.touch()
    key = ranker.rank(people[0][0]).decision_id
    assert ranker.feedback(key, tools=["chat.post_message"], outcome=1.0) is Receipt.WAITING
    assert any("in memory alone" in trouble for trouble in ranker.stats()["trouble"])
    written(ranker)
    folder.unlink()


def test_a_ranker_takes_feedback_to_the_decisions_of_another(open_ranker, people, catalog):
    one, other = open_ranker(), open_ranker()
    x, text, tools = people[0]
    answer = one.rank(x, 5, text=text, context_tools=["chat.post_message"])
    assert other.feedback(answer.decision_id, tools=tools, outcome=0.5) is Receipt.DURABLE
    capability = next(c for c in catalog.capabilities if c.tools and not c.capabilities)
    by_capability = one.rank(x, 5, "capabilities").decision_id
    assert other.feedback(by_capability, capability.id, outcome=1.0) is Receipt.DURABLE
    written(other)
    found = other._journal.store.traces_of([answer.decision_id, by_capability])
    trace = found[answer.decision_id]
    assert (trace.intent, trace.tools, trace.outcome, trace.context_tools) == (text, tuple(tools), 0.5, ("chat.post_message",))
    np.testing.assert_array_equal(trace.embedding, x)
    assert set(found[by_capability].tools) == set(capability.tools)


def test_feedback_is_learned_by_the_model_of_its_decisions_user(open_ranker, people):
    alice, bob = open_ranker(user_id="alice"), open_ranker(user_id="bob")
    keys = [bob.rank(x, 5, text=text).decision_id for x, text, _ in people[:20]]
    for key, (_, _, tools) in zip(keys, people, strict=False):
        assert alice.feedback(key, tools=tools, outcome=1.0)  # it came to her gateway
    use(alice, people[20:25])
    written(bob)
    assert (alice.maybe_train().traces, bob.maybe_train().traces) == (5, 20)
    assert (alice.maybe_train(), bob.maybe_train()) == (None, None)
    assert alice.model_version != bob.model_version


@pytest.mark.timeout(60)
def test_nothing_waits_for_a_store_that_another_process_has_locked(open_ranker, people, tmp_path):
    """Neither threads nor an event loop, nor its executor."""
    ranker = open_ranker(mode="live", debounce=0.0)
    x, text, tools = people[0]
    first = ranker.rank(x, 5, text=text)
    written(ranker)
    until(lambda: not ranker.training)
    lock = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    assert ranker.feedback(first.decision_id, tools=tools, outcome=1.0) is Receipt.DURABLE

    async def main():
        import threading

        before = threading.active_count()
        answers = [ranker.rank(x, 5, text=text) for x, text, _ in people[:200]]
        receipts = await asyncio.gather(
            *(ranker.afeedback(a.decision_id, tools=p[2], outcome=1.0) for a, p in zip(answers, people, strict=False))
        )
        assert threading.active_count() <= before + 2
        return receipts

    assert set(asyncio.run(main())) == {Receipt.DURABLE}
    assert ranker.stats()["waiting_for_store"] >= 400
    lock.execute("ROLLBACK")
    lock.close()
    written(ranker)


def test_feedback_to_a_decision_that_waits_and_is_not_among_the_latest_is_taken(open_ranker, people, tmp_path, sqlite_url):
    ranker = open_ranker()
    x, text, tools = people[0]
    written(ranker)
    lock = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    mine = ranker.rank(x, 5, text=text)
    for i in range(4200):
        ranker.rank(people[i % 400][0], 3)
    assert ranker.feedback(mine.decision_id, tools=tools, outcome=1.0) is Receipt.DURABLE
    lock.execute("ROLLBACK")
    lock.close()
    written(ranker)
    with Store.open(sqlite_url) as store:
        assert store.trace(mine.decision_id).intent == text


def test_after_closing_it_answers_without_a_record_and_refuses_everything_else(open_ranker, people, sqlite_url):
    ranker = open_ranker(mode="live", debounce=0.0)
    x, text, tools = people[0]
    key = ranker.rank(x, 5, text=text).decision_id
    ranker.close()
    ranker.close()
    answer = ranker.rank(x, 5, text=text)
    assert (answer.decision_id, len(answer)) == ("", 5)
    assert "closed: not recorded" in answer.degraded
    for refused in (
        lambda: ranker.feedback(key, tools=tools, outcome=1.0),
        lambda: asyncio.run(ranker.afeedback(key, tools=tools, outcome=1.0)),
        ranker.maybe_train,
        ranker.refresh,
    ):
        with pytest.raises(ShgatError, match="the ranker is closed"):
            refused()
    assert ranker.stats()["waiting_for_store"] == 0
    with Store.open(sqlite_url) as store:
        assert store.decision(key) is not None


def test_another_execution_after_a_decision_has_a_decision_of_its_own(open_ranker, people, sqlite_url):
    ranker = open_ranker()
    x, text, right = people[0]
    first = ranker.rank(x, 3, text=text, session="s").decision_id
    again = ranker.once_more(first)
    assert ranker.feedback(first, tools=right, outcome=0.0)
    assert ranker.feedback(again, tools=right, outcome=1.0)
    ranker.close()
    with Store.open(sqlite_url) as store:
        one, other = (store.decision(key) for key in (first, again))
        assert [t.outcome for t in store.traces()] == [0.0, 1.0]
    assert (one.ranked, one.intent, one.session) == (other.ranked, other.intent, other.session)
    assert other.created_at >= one.created_at


def test_once_more_of_a_decision_that_nobody_knows(open_ranker):
    with pytest.raises(InputError, match="is no decision that was made here lately"):
        open_ranker().once_more("0" * 32)


def test_texts_are_not_written_down_where_nobody_wants_them_and_words_are_learned_all_the_same(open_ranker, sqlite_url):
    ranker = open_ranker()
    numbers = {"zapp": "1234567", "zopp": "7654321"}
    ranker.blind = lambda text: " ".join(numbers.get(word, "0000000") for word in text.split())
    for _ in range(3):
        assert ranker.feedback(ranker.rank("zapp zopp", 5).decision_id, tools=["payments.cancel_subscription"], outcome=1.0)
    answer = ranker.rank("zopp zapp", 3)
    assert (answer.ranked_by, answer.ids[0]) == ("words", "payments.cancel_subscription")
    assert ranker.rank("archive a message", 1).ids == ("mail.archive_message",)  # descriptions are read as they are
    ranker.close()
    with Store.open(sqlite_url) as store:
        decisions = list(store.decisions())
        assert {t.intent for t in store.traces()} == {"1234567 7654321"}
    assert decisions[0].intent == "1234567 7654321"
    assert decisions[0].intent_hash == hashlib.sha256(b"zapp zopp").hexdigest()
