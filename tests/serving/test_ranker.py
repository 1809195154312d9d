"""The ranker: answers, records, learns, swaps."""

import asyncio
import itertools
import sqlite3
import threading
import time

import numpy as np
import pytest

from people import executed, until, use, written
from shgat import SHGAT
from shgat.errors import InputError
from shgat.model import unit_scores
from shgat.registry import ServedVersion, Versions
from shgat.store import Store
from shgat.worker import train_in_child
from worlds import opened


def test_what_was_shown_and_what_came_of_it_is_recorded(open_ranker, people, sqlite_url, catalog):
    ranker = open_ranker()
    x, text, tools = people[0]
    answer = ranker.rank(x, 5, text=text, context_tools=["chat.post_message"], session="s")
    assert answer.ids == SHGAT.from_catalog(catalog).rank(x, 5).ids
    assert (answer.model_version, answer.ranked_by, answer.degraded) == ("untrained", "model", ())
    assert ranker.feedback(answer.decision_id, tools=tools, outcome=0.5, duration_ms=12.0, error="slow")
    assert not ranker.feedback(answer.decision_id, tools=["chat.post_message"], outcome=1.0)
    written(ranker)
    with Store.open(sqlite_url) as store:
        decision, trace = store.decision(answer.decision_id), store.feedback_to([answer.decision_id])[answer.decision_id]
        assert store.counts()["traces"] == 1
    assert [(r.id, r.position, r.propensity) for r in decision.ranked] == [(i, n, 1.0) for n, i in enumerate(answer.ids, 1)]
    assert (decision.model_version, decision.session, decision.intent) == ("untrained", "s", text)
    assert (trace.tools, trace.outcome, trace.duration_ms, trace.error) == (tuple(tools), 0.5, 12.0, "slow")
    assert trace.context_tools == ("chat.post_message",)
    np.testing.assert_array_equal(trace.embedding, x)


def test_feedback_is_a_step_of_the_session_that_was_asked_in(open_ranker, people, sqlite_url):
    ranker = open_ranker()
    x, text, tools = people[0]
    keys = [ranker.rank(x, 3, text=text, session="s").decision_id for _ in range(3)]
    for i, key in enumerate(keys[:2]):
        assert ranker.feedback(key, tools=tools, outcome=float(i))
    with pytest.raises(InputError, match="another session than 't'"):
        ranker.feedback(keys[2], tools=tools, outcome=1.0, session="t")
    assert ranker.feedback(keys[2], tools=tools, outcome=1.0, session="s", end="terminal", rating=5)
    other = ranker.rank(x, 3, text=text).decision_id
    assert ranker.feedback(other, tools=tools, outcome=1.0, session="later named", step=4)
    written(ranker)
    with Store.open(sqlite_url) as store:
        session = store.session("s")
        assert [(t.decision_id, t.step, t.end, t.rating) for t in session] == [
            (keys[0], 0, "", None), (keys[1], 1, "", None), (keys[2], 2, "terminal", 5.0),
        ]  # fmt: skip
        assert [(t.decision_id, t.step) for t in store.session("later named")] == [(other, 4)]


def test_context_tools_are_those_of_the_decision_also_after_a_restart(open_ranker, people, sqlite_url):
    first = open_ranker()
    x, text, tools = people[0]
    answer = first.rank(x, 3, text=text, context_tools=["chat.post_message", "files.read_file"])
    until(lambda: not first.stats()["waiting_for_store"])
    second = open_ranker()  # the decision is not at hand there
    assert second.feedback(answer.decision_id, tools=tools, outcome=1.0)
    written(second)
    with Store.open(sqlite_url) as store:
        trace = store.feedback_to([answer.decision_id])[answer.decision_id]
    assert trace.context_tools == ("chat.post_message", "files.read_file")
    assert (trace.intent, trace.tools) == (text, tuple(tools))
    np.testing.assert_array_equal(trace.embedding, x)


def test_where_there_is_no_text_none_is_stored(open_ranker, people, sqlite_url):
    ranker = open_ranker()
    keys = [ranker.rank(people[0][0], 3, text=text).decision_id for text in (None, "")]
    assert all(ranker.feedback(key, tools=people[0][2], outcome=1.0) for key in keys)
    written(ranker)
    with Store.open(sqlite_url) as store:
        assert [store.decision(key).intent for key in keys] == [None, None]
        assert {trace.intent for trace in store.feedback_to(keys).values()} == {""}
    assert ranker.maybe_train().traces == 2


def test_an_intent_that_cannot_be_used_is_answered_and_recorded_without_it(open_ranker, sqlite_url):
    ranker = open_ranker()
    answer = ranker.rank([1.0], 3, text="post a message to the chat")
    assert (answer.ranked_by, answer.model_version, len(answer)) == ("lexical", "lexical", 3)
    assert "shape (1,), expected (384,)" in answer.degraded[0]
    assert ranker.rank(None, 3).ranked_by == "catalogue"
    until(lambda: not ranker.stats()["waiting_for_store"])
    with Store.open(sqlite_url) as store:
        decision = store.decision(answer.decision_id)
    assert (decision.embedding, decision.model_version) == (None, "lexical")
    assert tuple(item.id for item in decision.ranked) == answer.ids


def test_the_store_learns_the_catalogue_and_a_worker_can_train_from_it(open_ranker, people, sqlite_url, catalog, tmp_path):
    ranker = open_ranker()
    use(ranker, people[:40])
    written(ranker)
    with Store.open(sqlite_url) as store:
        until(lambda: store.counts()["tools"] == len(catalog.tools))
        tools, capabilities = store.catalog()
        assert not store.keep_catalog(catalog)
    assert {t.id: t.text for t in tools} == {t.id: t.text for t in catalog.tools}
    assert {c.id: c.tools for c in capabilities} == {c.id: c.tools for c in catalog.capabilities}
    path = tmp_path / "trained.safetensors"
    result = train_in_child({"storeUrl": sqlite_url, "paramsPath": str(path)}, timeout=60)
    assert len(result.td_errors) == 40
    assert set(SHGAT.load(path).tool_ids) == set(catalog.tool_column)


def test_feedback_by_capability_after_a_restart_and_to_nothing(open_ranker, people, catalog):
    first = open_ranker()
    answer = first.rank(people[0][0], 3, "capabilities")
    first.close()
    second = open_ranker()
    capability = next(c for c in catalog.capabilities if c.tools and not c.capabilities)
    assert second.feedback(answer.decision_id, capability.id, outcome=1.0)
    assert not second.feedback(answer.decision_id, capability.id, outcome=1.0)
    with pytest.raises(InputError, match="which tools"):
        second.feedback(second.rank(people[1][0]).decision_id, "cap.unknown", outcome=1.0)


def test_live_training_swaps_by_itself_and_a_restart_serves_it(open_ranker, people):
    ranker = open_ranker(mode="live", debounce=0.05)
    use(ranker, people[:60])
    until(lambda: ranker.stats()["trainings"]["accepted"] >= 1)
    until(lambda: ranker.model_version != "untrained")
    until(lambda: not ranker.training)
    stats = ranker.stats()
    assert stats["trouble"] == []
    assert stats["last_training"]["traces"] <= 60
    ranker.close()
    assert open_ranker().model_version == ranker.model_version


@pytest.mark.slow
def test_batch_training_is_skipped_while_the_parameters_are_young(open_ranker, people, sqlite_url):
    ranker = open_ranker()
    use(ranker, people[:150])
    training = ranker.maybe_train()
    assert training.traces == 150
    assert training.version == 1
    assert ranker.maybe_train() is None  # nothing new
    now = time.time()
    young = open_ranker(mode="batch", clock=lambda: now + 3000)
    assert young.maybe_train() is None
    old = open_ranker(mode="batch", clock=lambda: now + 4000)
    until(lambda: old.stats()["trainings"]["accepted"] + old.stats()["trainings"]["refused"] >= 1)
    with Store.open(sqlite_url) as store:
        assert all(t.priority is not None for t in store.traces())


def test_another_process_training_is_taken_over(open_ranker, people):
    one, two = open_ranker(), open_ranker()
    use(one, people[:30])
    one.maybe_train()
    until(lambda: two.model_version == one.model_version == "v1")
    assert two.rank(people[50][0]).scores == one.rank(people[50][0]).scores


def test_a_training_that_another_process_has_claimed_is_left_to_it(open_ranker, people, sqlite_url):
    ranker = open_ranker()
    use(ranker, people[:30])
    with Store.open(sqlite_url) as store:
        assert store.claim("another", seconds=3600.0)
        assert ranker.maybe_train() is None
        assert ranker.stats()["trouble"] == []
        assert store.release("another")
    assert ranker.maybe_train().version == 1


@pytest.mark.slow
def test_two_gateways_that_learn_at_once_lose_nothing_of_each_other(open_ranker, people, sqlite_url):
    first = open_ranker()
    use(first, people[:300])
    assert first.maybe_train().accepted  # with a memory from here on
    two = [open_ranker(mode="live", debounce=0.0) for _ in range(2)]
    keys = [key for i in range(300, 360, 5) for key in use(two[(i // 5) % 2], people[i : i + 5])]
    with Store.open(sqlite_url) as store:
        until(lambda: store.counts()["traces"] == 360 and all(t.priority is not None for t in store.traces()))
        until(lambda: {r.model_version for r in two} == {f"v{store.active_model()}"})
    for ranker in two:
        assert set(keys) <= set(ranker.slots.production.model.learned.memory.ids)


def test_asyncio(open_ranker, people):
    ranker = open_ranker()

    async def main():
        answers = await asyncio.gather(*(ranker.arank(x, 3, text=text) for x, text, _ in people[:20]))
        news = await asyncio.gather(
            *(ranker.afeedback(a.decision_id, tools=p[2], outcome=1.0) for a, p in zip(answers, people, strict=False))
        )
        assert all(news)
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(main())


# ------------------------------------------------------------------ the chain
def test_what_the_model_cannot_rank_is_ranked_by_cosine(open_ranker, people, catalog):
    ranker = open_ranker()
    expected = ranker.rank(people[0][0], 5).ids
    broken = SHGAT.from_catalog(catalog)
    broken.params.buffer[:] = np.nan
    broken.invalidate()
    ranker.slots.put(ServedVersion("v9", 9, broken))
    answer = ranker.rank(people[0][0], 5)
    assert (answer.ranked_by, answer.model_version, answer.ids) == ("cosine", "cosine", expected)
    assert "model" in answer.degraded[0]
    assert ranker.stats()["answers"] == {"all": 2, "degraded": 1}


def test_text_that_cannot_be_stored_is_answered_recorded_and_flagged(open_ranker, people, sqlite_url):
    ranker = open_ranker()
    answer = ranker.rank(people[0][0], 3, text="half \ud800 a pair \0")
    assert len(answer) == 3
    assert any("U+FFFD is read instead" in why for why in answer.degraded)
    until(lambda: not ranker.stats()["waiting_for_store"])
    with Store.open(sqlite_url) as store:
        assert store.decision(answer.decision_id).intent == "half \ufffd a pair \ufffd"


def test_a_session_only_grows_and_keeps_its_order(open_ranker, people):
    ranker = open_ranker()
    shown = ()
    for x, text, _ in people[:20]:
        answer = ranker.rank(x, 4, text=text, session="s", order="stable")
        assert answer.ids[: len(shown)] == shown
        assert set(ranker.rank(x, 4, text=text).ids) <= set(answer.ids)
        shown = answer.ids
    again = open_ranker()
    assert [again.rank(x, 4, text=t, session="s", order="stable").ids for x, t, _ in people[:20]][-1] == shown
    with pytest.raises(InputError, match="session"):
        ranker.rank(people[0][0], order="stable")


@pytest.mark.parametrize("options", [{"kind": "sets"}, {"order": "best"}, {"top_k": 0}])
def test_a_request_that_makes_no_sense_is_refused(open_ranker, people, options):
    with pytest.raises(InputError):
        open_ranker().rank(people[0][0], **options)


# ------------------------------------------------------------------ swapping
def test_a_version_beside_production_answers_nothing(open_ranker, people, catalog):
    ranker = open_ranker()
    before = ranker.rank(people[0][0], 5)
    ranker.slots.put(ServedVersion("v9", 9, opened(SHGAT.from_catalog(catalog))), role="shadow")
    after = ranker.rank(people[0][0], 5)
    assert (after.ids, after.scores, after.model_version) == (before.ids, before.scores, "untrained")
    assert ranker.stats()["swaps"] == 0


def shown(model, ranking):
    """The scores of a ranking as an answer shows them."""
    return tuple(unit_scores.of_ranking(model.index(), ranking)[0].tolist())


def swaps(open_ranker, people, catalog, n):
    """Readers on several threads while the model is swapped n times: every answer is that of the model it names."""
    ranker = open_ranker()
    models = {f"v{i}": opened(SHGAT.from_catalog(catalog, seed=i), seed=i) for i in range(1, 5)}
    vectors = [x for x, _, _ in people[:8]]
    expected = {(v, i): model.rank(x, 5) for v, model in models.items() for i, x in enumerate(vectors)}
    ranker.slots.put(ServedVersion("v1", 1, models["v1"]))
    faults, done, answered = [], threading.Event(), itertools.count()

    def read(thread):
        while not done.is_set():
            i = next(answered) % len(vectors)
            answer = ranker.rank(vectors[i], 5)
            right = expected.get((answer.model_version, i))
            if (
                right is None
                or answer.ids != right.ids
                or answer.scores != shown(models[answer.model_version], right)
                or answer.degraded
            ):
                faults.append(answer)

    threads = [threading.Thread(target=read, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for i in range(n):
        version = f"v{1 + i % 4}"
        ranker.slots.put(ServedVersion(version, 1, models[version]))
        time.sleep(0.001)
    done.set()
    for thread in threads:
        thread.join()
    assert not faults
    assert next(answered) > n / 4
    assert ranker.stats()["swaps"] == n + 1


def test_hot_swaps_under_load(open_ranker, people, catalog):
    swaps(open_ranker, people, catalog, 200)


@pytest.mark.slow
def test_a_thousand_hot_swaps_under_load(open_ranker, people, catalog):
    swaps(open_ranker, people, catalog, 1000)


@pytest.mark.slow
def test_eight_threads_and_a_training_equal_a_replay(open_ranker, people, sqlite_url):
    ranker = open_ranker()
    with Store.open(sqlite_url) as store:  # as another gateway does it: what came of one's own answers moves those that follow
        store.add_traces(executed(people[:60]))
    answers, done = [], threading.Event()

    def ask(thread):
        mine = []
        for i in itertools.count(thread):
            mine.append((i % 100, ranker.rank(people[i % 100][0], 5, text=people[i % 100][1])))
            time.sleep(0.002)  # as people do; otherwise eight threads share one interpreter with the training
            if done.is_set():
                break
        answers.extend(mine)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    trainings = []
    for _ in range(2):
        trainings.append(ranker.maybe_train())
        with Store.open(sqlite_url) as store:
            store.add_traces(executed(people[60:90], 60))
    done.set()
    for thread in threads:
        thread.join()
    assert [t.version for t in trainings] == [1, 2]
    with Store.open(sqlite_url) as store:
        versions = Versions(ranker.catalog, "local")
        models = {f"v{n}": versions.open(store.model(n).data, str(n)) for n in (1, 2)}
    models["untrained"] = SHGAT.from_catalog(ranker.catalog)
    seen = set()
    for i, answer in answers:
        seen.add(answer.model_version)
        assert not answer.degraded
        right = models[answer.model_version].rank(people[i][0], 5, text=people[i][1])
        assert (answer.ids, answer.scores) == (right.ids, shown(models[answer.model_version], right))
    assert {"untrained", "v2"} <= seen


# ------------------------------------------------------------------ damaged parameters
@pytest.mark.slow
@pytest.mark.parametrize("damage", ["flip", "truncate", "empty"])
def test_damaged_parameters_are_passed_over_and_the_next_training_heals(open_ranker, people, tmp_path, damage):
    ranker = open_ranker()
    for part in (people[:30], people[30:60]):
        use(ranker, part)
        ranker.maybe_train()
    ranker.close()
    with sqlite3.connect(tmp_path / "store.db") as connection:
        (data,) = connection.execute("SELECT data FROM model_versions WHERE version = 2").fetchone()
        torn = {"flip": data[:-9] + bytes([data[-9] ^ 4]) + data[-8:], "truncate": data[: len(data) // 2], "empty": b""}[damage]
        connection.execute("UPDATE model_versions SET data = ? WHERE version = 2", (torn,))
    connection.close()
    again = open_ranker()
    answer = again.rank(people[0][0], 3)
    assert answer.model_version == "v1"
    assert any("v2 is damaged" in why for why in answer.degraded)
    use(again, people[60:90])
    assert again.maybe_train().version == 3
    assert again.rank(people[0][0], 3).degraded == ()
