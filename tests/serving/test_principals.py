"""Teams on one ranker: each has its own habits and sessions, nobody moves another's ranking, and whoever names nobody sees what all share."""

import asyncio
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from people import until, use, written
from shgat.errors import InputError
from shgat.serving import Receipt
from shgat.traces import read_traces, write_traces


def kin(catalog, tool, n, seed=0, noise=0.4):
    """n requests near a tool's own embedding (n, d)."""
    base = catalog.tool_embeddings[tool] / np.linalg.norm(catalog.tool_embeddings[tool])
    return (base + noise / np.sqrt(len(base)) * np.random.default_rng(seed).standard_normal((n, len(base)))).astype(np.float32)


def habit(ranker, principal, x, tool, outcome=1.0, text="do the thing"):
    """A principal runs one tool for each of some intents (n, d)."""
    for row in x:
        answer = ranker.rank(row, 5, text=text, principal=principal)
        ranker.feedback(answer.decision_id, tools=[tool], outcome=outcome)
    ranker.principals.settle()


def said(answers):
    return [(a.ids, a.scores, a.ranked_by, a.degraded, a.calibrated) for a in answers]


def asked(ranker, people, **options):
    return said([ranker.rank(x, 10, text=text, **options) for x, text, _ in people])


def test_one_principal_alone_has_what_a_ranker_without_principals_has_bit_for_bit(open_ranker, people, tmp_path):
    plain, named = open_ranker(), open_ranker(url=f"sqlite:///{tmp_path}/named.db")
    for ranker, who in ((plain, None), (named, "team-a")):
        for x, text, tools in people[:15]:
            key = ranker.rank(x, 5, text=text, principal=who).decision_id
            ranker.feedback(key, tools=tools, outcome=1.0)
    assert asked(named, people[10:40], principal="team-a") == asked(plain, people[10:40])
    for ranker in (plain, named):
        written(ranker)
        assert ranker.maybe_train().traces == 15  # nobody is held back
    assert asked(named, people[10:40], principal="team-a") == asked(plain, people[10:40]) == asked(named, people[10:40])


def test_a_flood_moves_no_score_of_another_before_all_have_learned_from_it(open_ranker, catalog, people):
    ranker, target = open_ranker(), catalog.tools[7].id
    use(ranker, people[:20])
    habit(ranker, "calm", kin(catalog, 3, 10), catalog.tools[3].id)
    before = [asked(ranker, people[20:40], principal=p) for p in (None, "calm", "new")]

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.tuples(st.integers(0, 399), st.sampled_from([target, catalog.tools[3].id, "unknown"]), st.floats(0, 1)), max_size=12
        )
    )
    def flood(executions):
        for i, tool, outcome in executions:
            x, text, _ = people[i]
            key = ranker.rank(x, 5, text=text, principal="flood").decision_id
            ranker.feedback(key, tools=[tool], outcome=outcome)
        assert [asked(ranker, people[20:40], principal=p) for p in (None, "calm", "new")] == before

    flood()
    habit(ranker, "flood", np.stack([p[0] for p in people[20:120]]), target)
    assert [asked(ranker, people[20:40], principal=p) for p in (None, "calm", "new")] == before
    assert asked(ranker, people[20:40], principal="flood") != before[2]


def test_two_teams_with_opposite_habits_each_have_their_own(open_ranker, catalog):
    ranker, (one, other) = open_ranker(), (catalog.tools[5].id, catalog.tools[17].id)
    for seed in range(30):  # by turns
        habit(ranker, "a", kin(catalog, 5, 1, seed), one)
        habit(ranker, "b", kin(catalog, 5, 1, 100 + seed), other)
    unheard = kin(catalog, 5, 20, 999)
    answers = {p: [ranker.rank(x, 5, text="do the thing", principal=p) for x in unheard] for p in ("a", "b", None)}
    assert [a.ids[0] for a in answers["a"]].count(one) >= 18
    assert [b.ids[0] for b in answers["b"]].count(other) >= 18
    assert min(b.own_weight for b in answers["b"]) > 0.5
    assert {n.own_weight for n in answers[None]} == {0.0}
    why = ranker.rank(unheard[0], 3, text="do the thing", principal="b", explain=True)
    assert why.explanations[0].channels["own"] > 0.0
    assert (why.to_dict()["principal"], why.principal) == ("b", "b")
    many = ranker.rank_many(list(unheard), 5, texts=["do the thing"] * 20, principal="b")
    assert [m.ids for m in many] == [b.ids for b in answers["b"]]
    assert asyncio.run(ranker.arank(unheard[0], 5, text="do the thing", principal="b")).ids == answers["b"][0].ids
    assert ranker.why_not(unheard[0], one, text="do the thing", principal="b").gaps["own"] > 0.0
    assert ranker.why_not(unheard[0], one, text="do the thing").rank == 1
    stats = ranker.stats()["principals"]
    assert (stats["in_memory"], stats["counting"] >= 1) == (2, True)
    assert "principal" not in answers[None][0].to_dict()


def test_there_is_a_way_back_and_it_can_be_taken_back(open_ranker, catalog):
    ranker, other = open_ranker(), open_ranker()
    wanted, unheard = catalog.tools[17].id, kin(catalog, 5, 1, 999)[0]
    habit(ranker, "b", kin(catalog, 5, 40), wanted)
    written(ranker)
    shared = ranker.rank(unheard, 5).ids
    assert ranker.rank(unheard, 5, principal="b").ids[0] == wanted
    assert other.principals.about("b")["counts"]
    ranker.principals.pin("b", "off", who="ann", why="odd")
    assert ranker.rank(unheard, 5, principal="b").own_weight == 0.0
    ranker.principals.undo("b")
    assert ranker.rank(unheard, 5, principal="b").ids[0] == wanted
    ranker.principals.reset("b", who="ann", why="a flood")
    assert ranker.rank(unheard, 5, principal="b").ids == shared
    assert other.principals.about("b")["executions"] == 0
    ranker.principals.undo("b")
    assert ranker.rank(unheard, 5, principal="b").ids[0] == wanted
    moves = ranker.principals.history("b")
    assert [(m.action, m.who) for m in moves] == [("pin", "ann"), ("undo", "operator"), ("reset", "ann"), ("undo", "operator")]


def test_who_comes_back_after_a_restart_has_its_habits(open_ranker, catalog):
    ranker, wanted = open_ranker(), catalog.tools[17].id
    habit(ranker, "b", kin(catalog, 5, 40), wanted)
    ranker.close()
    again, x = open_ranker(), kin(catalog, 5, 1, 999)[0]
    again.rank(x, 5, principal="b")
    again.principals.settle()
    assert again.rank(x, 5, principal="b").ids[0] == wanted


def test_a_session_belongs_to_its_principal(open_ranker, people):
    ranker = open_ranker()
    (x, text, _), (y, other, _) = people[:2]

    def shown(rank, principal, *query):
        return rank.rank(query[0], 5, text=query[1], session="s", order="stable", principal=principal).ids

    first = shown(ranker, "a", x, text)
    assert shown(ranker, "b", y, other) == shown(ranker, "c", y, other)
    assert shown(ranker, "a", y, other)[:5] == first
    written(ranker)
    ranker.close()
    again = open_ranker()
    assert shown(again, "a", y, other)[:5] == first
    assert set(shown(again, "b", y, other)) < set(shown(again, "a", y, other))


def test_feedback_is_that_of_its_decisions_principal(open_ranker, people):
    one, other = open_ranker(), open_ranker()
    x, text, tools = people[0]
    key = one.rank(x, 5, text=text, principal="a").decision_id
    with pytest.raises(InputError, match="another principal"):
        one.feedback(key, tools=tools, outcome=1.0, principal="b")
    assert one.feedback(key, tools=tools, outcome=1.0, principal="a") is Receipt.DURABLE
    assert one.feedback(key, tools=tools, outcome=1.0) is Receipt.KNOWN  # once
    assert one.stats()["principals"]["in_memory"] == 1
    elsewhere = one.rank(x, 5, text=text, principal=7).decision_id
    assert other.feedback(elsewhere, tools=tools, outcome=1.0)
    nameless = one.rank(x, 5, text=text).decision_id
    assert one.feedback(nameless, tools=tools, outcome=1.0, principal="c")
    unknown = "0" * 31 + "1"
    assert asyncio.run(one.afeedback(unknown, tools=tools, outcome=1.0, principal="d"))
    written_by = {key: "a", elsewhere: "7", nameless: "c"}
    store = one._journal.store
    until(lambda: len(store.traces_of(list(written_by))) == 3)
    found = store.traces_of(list(written_by))
    assert {k: t.principal for k, t in found.items()} == written_by
    assert store.decision(key).principal == "a"


def test_replayed_feedback_counts_once_for_a_principal(open_ranker, catalog):
    ranker, x, wanted = open_ranker(), kin(catalog, 5, 1)[0], catalog.tools[17].id
    key = ranker.rank(x, 5, principal="a").decision_id
    taken = [ranker.feedback(key, tools=[wanted], outcome=1.0) for _ in range(200)]
    assert [bool(t) for t in taken] == [True] + [False] * 199
    ranker.principals.settle()
    assert ranker.principals.about("a")["executions"] == 1
    written(ranker)
    assert len(ranker._journal.store.traces_of_principal("a", 0.0, 99)) == 1


@pytest.mark.parametrize("wrong", ["a\0b", 1.5, b"a", ["a"], True, object()])
def test_what_is_no_principal_is_refused(ranker, people, wrong):
    with pytest.raises(InputError, match="principal"):
        ranker.rank(people[0][0], principal=wrong)
    with pytest.raises(InputError, match="principal"):
        ranker.why_not(people[0][0], "chat.post_message", principal=wrong)
    with pytest.raises(InputError, match="principal"):
        ranker.feedback("0" * 32, tools=["chat.post_message"], outcome=1.0, principal=wrong)


@pytest.mark.slow
def test_a_flood_is_a_bounded_share_of_what_all_learn_and_comes_back_when_there_is_room(open_ranker, catalog, people):
    ranker, target = open_ranker(), catalog.tools[7].id

    def teach(principal, some, tools=None):
        for x, text, right in some:
            key = ranker.rank(x, 5, text=text, principal=principal).decision_id
            ranker.feedback(key, tools=tools or right, outcome=1.0)
        written(ranker)

    teach("calm", people[:60])
    teach("flood", people[:250], [target])
    learned = 0
    while (training := ranker.maybe_train()) is not None:
        learned += training.traces
        assert len(training.ids) <= 130
    portions = ranker._journal.store.portions()
    assert portions["calm"] == (60, 0, 0)
    assert portions["flood"].learned == 60  # half of two
    assert portions["flood"].held == 190
    assert "share" in ranker.stats()["set_aside"]["latest"][0]["reason"]
    teach("calm", people[60:100])
    ranker.maybe_train()
    while ranker.maybe_train() is not None:
        pass
    assert ranker._journal.store.portions()["flood"].learned == 100


def test_a_store_that_is_locked_holds_nobody_up(open_ranker, catalog, people, tmp_path):
    import sqlite3

    ranker = open_ranker(url=f"sqlite:///{tmp_path}/s.db")
    written(ranker)
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        done = threading.Event()

        def ask():
            for i in range(20):
                x, text, tools = people[i]
                ranker.feedback(ranker.rank(x, 5, text=text, principal=f"p{i}").decision_id, tools=tools, outcome=1.0)
            done.set()

        threading.Thread(target=ask, daemon=True).start()
        assert done.wait(1.5)  # the store's own patience is longer
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_files_of_traces_know_who_asked(open_ranker, people, tmp_path):
    ranker = open_ranker()
    x, text, tools = people[0]
    for principal in ("team ä", None):
        ranker.feedback(ranker.rank(x, 5, text=text, principal=principal).decision_id, tools=tools, outcome=1.0)
    written(ranker)
    for name in ("t.jsonl", "t.parquet"):
        write_traces(tmp_path / name, ranker._journal.store.traces(), 384)
        assert sorted(t.principal for _, t in read_traces(tmp_path / name)) == ["", "team ä"]
    assert (tmp_path / "t.jsonl").read_text().count('"principal"') == 1


def test_after_close_it_answers_for_a_principal_too(open_ranker, people):
    ranker = open_ranker()
    ranker.close()
    assert ranker.rank(people[0][0], 5, principal="a").ids
