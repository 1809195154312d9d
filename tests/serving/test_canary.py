"""A ranker with a canary and a shadow in its store: who answers, what is counted, and that a shadow changes no answer."""

import pytest

from people import until
from shgat import SHGAT
from shgat.registry import StoreRegistry, Terms, facts_of
from shgat.store import Store


@pytest.fixture
def registry(catalog, sqlite_url):
    with Store.open(sqlite_url, catalog.dimension, timeout=20.0) as store:
        registry = StoreRegistry(store)
        for seed in (1, 2):
            model = SHGAT.from_catalog(catalog, seed=seed)
            registry.add(model.to_bytes(), facts_of(model, 1.0))
        registry.move("production", 1)
        yield registry


def test_a_canary_answers_its_sessions_and_its_feedback_is_counted(open_ranker, registry, people):
    registry.move("canary", 2, terms=Terms(percent=50.0).to_dict())
    ranker = open_ranker()
    ranker.refresh()
    x, _, tools = people[0]
    for i in range(20):
        answer = ranker.rank(x, 5, session=f"s{i}")
        assert answer.model_version == ranker.rank(x, 5, session=f"s{i}").model_version
        assert ranker.rank_many([x], 5, session=f"s{i}")[0].model_version == answer.model_version
        ranker.feedback(answer.decision_id, tools=tools, outcome=1.0)
    assert ranker.rank(x, 5).model_version == "v1"
    counted = ranker.stats()["canary"]
    assert (counted["version"], counted["percent"]) == ("v2", 50.0)
    assert counted["answers"]["canary"] + counted["answers"]["production"] == 61
    assert 9 < counted["answers"]["canary"] < 51
    assert counted["success rate"]["difference"] == counted["error rate"]["difference"] == 0.0
    for i in range(100, 201):
        answer = ranker.rank(x, 5, session=f"s{i}")
        ranker.feedback(answer.decision_id, tools=tools, outcome=answer.model_version != "v2")
        if ranker.stats()["canary"] is None:
            break
    ranker.refresh()
    assert "canary" not in registry.aliases()
    assert registry.moves("canary", 1)[0].why == "worse than production: success rate"
    assert {ranker.rank(x, 5, session=f"s{i}").model_version for i in range(20)} == {"v1"}


def test_a_canary_never_offers_what_the_catalogue_no_longer_has(open_ranker, registry, people):
    registry.move("canary", 2, terms=Terms(percent=50.0).to_dict())
    ranker = open_ranker()
    ranker.refresh()
    x, _, _ = people[0]
    sessions = [f"s{i}" for i in range(20)]
    first = ranker.rank(x, 1).ids[0]
    counted = ranker.stats()["canary"]["answers"]["production"]
    ranker.remove(first)
    assert all(first not in ranker.rank(x, 10, session=s).ids for s in sessions)
    ranker.refresh()  # the canary is moved to the catalogue of now, and what was counted stays
    answers = [ranker.rank(x, 10, session=s) for s in sessions]
    assert {a.model_version for a in answers} == {"v1", "v2"}
    assert all(first not in a.ids for a in answers)
    assert ranker.stats()["canary"]["answers"]["production"] > counted


def test_a_shadow_is_compared_and_changes_no_answer(open_ranker, registry, people):
    ranker = open_ranker()
    ranker.refresh()
    asked = [(x, {"text": text}) for x, text, _ in people[:20]]
    before = [ranker.rank(x, 5, **options) for x, options in asked]
    registry.move("shadow", 2)
    ranker.refresh()
    after = [ranker.rank(x, 5, **options) for x, options in asked]
    assert [(a.ids, a.scores, a.model_version) for a in after] == [(b.ids, b.scores, b.model_version) for b in before]
    until(lambda: ranker.stats()["shadow"]["compared"] == 20)
    found = ranker.stats()["shadow"]
    assert (found["version"], found["overlap"], found["first"], found["failed"]) == ("v2", 1.0, 1.0, 0)  # both rank as cosine does
    registry.rollback("shadow", who="ann")
    ranker.refresh()
    assert ranker.stats()["shadow"] is None
