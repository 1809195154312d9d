"""Protocols are run on what the candidate may know, and one that is worse than cosine refuses."""

import pytest

from pipeline import town
from shgat.store import Decision, Ranked, Store
from shgat.traces import Trace


def test_each_protocol_says_what_it_found(trained, up_to):
    facts = up_to(trained(evaluation={"temporal_train": "8d", "temporal_test": "4d"}), "evaluate").facts("evaluate")["protocols"]
    assert list(facts) == ["holdout", "temporal", "counterfactual"]
    for name in ("holdout", "temporal"):
        value, low, high = facts[name]["metrics"]["recall@5"]["difference"]
        assert 0.2 < low <= value <= high
        assert facts[name]["passed"]
    assert "no decision" in facts["counterfactual"]["reason"]


def test_too_few_days_for_windows_refuse_nothing(trained, up_to):
    run = up_to(trained(evaluation={"protocols": ["temporal"], "temporal_train": "60d"}), "evaluate")
    assert run.done("evaluate")
    assert "no window of 60d" in run.facts("evaluate")["protocols"]["temporal"]["reason"]


def test_no_protocol(trained, up_to):
    assert up_to(trained(evaluation={"protocols": []}), "evaluate").steps["evaluate"].reason == "no protocol was asked for"


def test_the_candidate_is_weighed_on_logged_decisions(trained, up_to, rng, sqlite_url):
    pipeline = trained(evaluation={"protocols": ["counterfactual"]})
    asked = town.asked(rng, 60)
    with Store.open(sqlite_url) as store:
        for i, a in enumerate(asked):
            shown = [f"t{a.wish}", f"t{town.good(a.wish)}"][:: 1 if i % 2 else -1]
            ranked = [Ranked(shown[0], 1, 1.0, ((1, 0.5), (2, 0.5))), Ranked(shown[1], 2, 1.0, ((1, 0.5), (2, 0.5)))]
            store.add_decision(Decision(id=f"d{i}", model_version="v0", intent="i", embedding=a.embedding, ranked=ranked))
            worked = float(shown[0] == f"t{town.good(a.wish)}")
            store.add_traces([Trace(id=f"f{i}", decision_id=f"d{i}", tools=(shown[0],), outcome=worked, timestamp=1.0)])
    found = up_to(pipeline, "evaluate").facts("evaluate")["protocols"]["counterfactual"]
    assert found["decisions"] == 60
    assert found["logged"]["value"] == 0.5
    assert found["estimates"]["snips"]["value"] < 0.2  # it has learned where to look for what works, and puts what fits first


@pytest.mark.slow
def test_a_recipe_that_is_worse_than_cosine_is_refused(make, rng, sqlite_url):
    """The habit has changed: what a window teaches is not so in the days after it."""
    shuffled, true = (
        town.lived(rng, 200, town.former, end=-8.0, name="w"),
        town.lived(rng, 100, lambda wish: wish, begin=-7.9, name="x"),
    )
    town.fill(sqlite_url, [*shuffled, *true])
    run = make(evaluation={"protocols": ["temporal"], "temporal_train": "10d", "temporal_test": "10d"}).run()
    assert (run.status, list(run.steps)[-1]) == ("refused", "evaluate")
    assert run.reason.startswith("temporal: worse than cosine")
    assert not run.steps["evaluate"].facts["protocols"]["temporal"]["passed"]
