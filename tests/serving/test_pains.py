"""What people complain of in public about rankers of tools, a test each."""

from itertools import pairwise

import numpy as np
import pytest

from people import until
from shgat import SHGAT, Catalog
from shgat.model.evidence import Execution
from shgat.registry import ServedVersion
from shgat.store import Store
from worlds import Counting

TOOLS = [{"id": f"s{i % 4}.tool{i}", "text": f"does the thing number {i}", "server": f"s{i % 4}"} for i in range(24)]


def test_a_filter_that_matches_nothing_says_so_and_one_that_cannot_be_read_takes_nothing_away(open_ranker, people):
    ranker = open_ranker()
    x = people[0][0]
    answer = ranker.rank(x, 5, servers=["filse"])
    assert answer.ids == ()
    assert any("nothing has 'filse'" in why for why in answer.degraded)
    assert any("leave none of 83 tools" in why for why in answer.degraded)
    assert len(ranker.rank(x, 5, servers=["filse", "files"])) == len(ranker.rank(x, 5, servers=["files"]).ids) > 0
    broken = SHGAT.from_catalog(ranker.catalog)
    broken.params.buffer[:] = np.nan
    broken.invalidate()
    ranker.slots.put(ServedVersion("v9", 9, broken))  # what ranks fails: the filters hold all the same
    allowed = {t.id for t in ranker.catalog.tools if t.server == "chat"}
    assert set(ranker.rank(x, 99, servers=["chat"]).ids) == set(ranker.rank(None, 99, text="zzz", servers=["chat"]).ids) == allowed


def test_a_catalogue_is_encoded_once_and_not_for_each_session(open_ranker):
    counting = Counting()
    ranker = open_ranker(catalog=Catalog.from_records(TOOLS), encoder=counting)
    before = len(counting.texts)
    for n in range(20):
        ranker.rank("the thing number 3", 5, session=f"s{n}", order="stable")
    assert len(counting.texts) == before + 1  # the intent, once


def test_the_beginning_of_a_prompt_stays_while_rankings_churn(open_ranker, people):
    ranker, prompts = open_ranker(), []
    for x, text, tools in people[:12]:
        answer = ranker.rank(x, 4, text=text, session="s", order="stable")
        prompts.append(answer.ids)
        ranker.feedback(answer.decision_id, tools=tools, outcome=float(len(prompts) % 2))  # scores move meanwhile
    assert len({tuple(sorted(p)) for p in prompts}) > 3
    for before, after in pairwise(prompts):
        assert after[: len(before)] == before
    same = [ranker.rank(people[0][0], 9, text="the same").ids for _ in range(5)]
    assert same == same[:1] * 5  # nothing but time went by


@pytest.mark.parametrize(
    "options",
    [{"servers": ["s1", "s3"]}, {"candidates": [t["id"] for t in TOOLS[1::2]]}, {"exclude": [t["id"] for t in TOOLS[::2]]}],
)
def test_permissions_filter_before_the_best_k_so_that_k_come(open_ranker, options):
    ranker = open_ranker(catalog=Catalog.from_records(TOOLS))
    everything = [i for i in ranker.rank("the thing number 8", 24).ids if i in {t["id"] for t in TOOLS[1::2]}]
    assert list(ranker.rank("the thing number 8", 10, **options).ids) == everything[:10]


def test_a_sticky_set_offers_nothing_that_was_revoked(open_ranker):
    ranker = open_ranker(catalog=Catalog.from_records(TOOLS))

    def shown(**options):
        return ranker.rank("the thing number 8", 4, session="s", order="stable", **options).ids

    first = shown()
    assert not {first[0]} & set(shown(exclude=[first[0]]))
    assert not {first[1]} & set(shown(rules={"block": [first[1]]}))
    assert all(i.startswith("s1.") for i in shown(servers=["s1"]))
    ranker.remove(first[2])
    assert first[2] not in shown()
    assert shown()[:3] == (first[0], first[1], first[3])  # the others are back in their places


def test_a_sticky_set_survives_a_restart(open_ranker, sqlite_url):
    ranker = open_ranker(catalog=Catalog.from_records(TOOLS))
    shown = [ranker.rank(f"the thing number {n}", 3, session="s", order="stable").ids for n in (8, 3, 15)]
    ranker.rank("the thing number 20", 3, session="other", order="stable")
    ranker.close()
    again = open_ranker(catalog=Catalog.from_records(TOOLS))
    after = again.rank("the thing number 21", 3, session="s", order="stable").ids
    assert after[: len(shown[-1])] == shown[-1]
    assert len(after) > len(shown[-1])
    with Store.open(sqlite_url) as store:
        assert [session for _, session, _ in store.shown(9)][:4] == ["s", "s", "s", "other"]


def test_a_ranking_says_why(open_ranker, people):
    ranker = open_ranker(rules={"pin": ["chat.post_message"], "block": ["files.write_file"]})
    answer = ranker.rank(people[0][0], 5, text=people[0][1], explain=True, exclude=["files.read_file"])
    assert all(why is not None and -1.0 <= why.cosine <= 1.0 for why in answer.explanations)
    assert answer.rules == (("chat.post_message", "pinned"), ("files.write_file", "blocked"), ("files.read_file", "excluded"))
    assert ranker.why_not(people[0][0], answer.ids[-1]).rank >= 1
    assert answer.latency_ms > 0.0
    assert answer.propensities == (1.0,) * 5


def test_a_generic_tool_does_not_dominate(open_ranker):
    rng = np.random.default_rng(0)
    groups = np.eye(24, dtype=np.float32)
    tools = [{"id": f"t{i}", "embedding": e} for i, e in enumerate(groups)]
    generic = {"id": "generic", "embedding": groups.sum(axis=0) / 24**0.5}
    ranker = open_ranker(catalog=Catalog.from_records([*tools, generic]))

    def intent(i):
        return 0.25 * groups[i] + 0.9 * generic["embedding"] + 0.05 * rng.standard_normal(24).astype(np.float32)

    before = [ranker.rank(intent(i), 1).ids[0] for i in range(24)]
    assert before.count("generic") > 12
    for i in range(200):  # it never worked, and the others did
        x, n = intent(i % 24), i % 24
        done = Execution(f"e{i}", x, "", (f"t{n}",), 1.0, f"s{i}", float(i))
        ranker._answering.recent.add(done, ranker.slots.production.model.index())
    after = [ranker.rank(intent(i), 1).ids[0] for i in range(24)]
    assert after.count("generic") < before.count("generic") / 2
    assert sum(a == f"t{i}" for i, a in enumerate(after)) > 12


def test_a_catalogue_may_change_while_it_serves(open_ranker, sqlite_url):
    ranker = open_ranker(catalog=Catalog.from_records(TOOLS))
    answer = ranker.rank("the thing number 8", 3)
    ranker.remove(answer.ids[0])
    assert ranker.feedback(answer.decision_id, tools=[answer.ids[0]], outcome=1.0)  # of a tool that went meanwhile
    assert answer.ids[0] not in ranker.rank("the thing number 8", 24).ids
    until(lambda: not ranker.stats()["waiting_for_store"])
    with Store.open(sqlite_url) as store:
        assert store.feedback_to([answer.decision_id])[answer.decision_id].tools == answer.ids[:1]
