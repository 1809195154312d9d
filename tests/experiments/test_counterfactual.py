"""A model's value on logged decisions: against simulated logs whose truth is known, and bad logs refused by name."""

import re

import numpy as np
import orjson
import pytest

from shgat.errors import InputError
from shgat.experiments.counterfactual import DecisionLog, value_on_log
from shgat.metrics.off_policy import LoggedDecisions, ips, snips
from shgat.serving import Exploration, Ranker
from shgat.serving.exploration import Explorer
from shgat.store import Decision, Ranked, Store
from shgat.traces import Trace


def simulated(trained, rng, n, path):
    """Logs of a ranker that explores among five offered tools; an offered tool works if the trace ran it, seldom otherwise."""
    ids = trained.model.tool_ids
    lines = []
    for i in range(n):
        row = i % len(trained.test)
        right = trained.test.tools.row(row).tolist()
        others = np.setdiff1d(np.arange(len(ids)), right)
        offered = [*right[:2], *rng.choice(others, 5 - len(right[:2]), replace=False).tolist()]
        propensities = rng.dirichlet(np.full(5, 3.0))
        propensities = 0.9 * propensities + 0.02
        pick = rng.choice(5, p=propensities / propensities.sum())
        lines.append({
            "id": f"d{i}", "intent": trained.test.texts[row], "embedding": trained.test.vectors(np.array([row]))[0].tolist(),
            "ranked": [ids[t] for t in offered], "propensities": propensities.tolist(), "chosen": ids[offered[pick]],
            "outcome": float(rng.random() < (0.9 if offered[pick] in right else 0.1)),
        })  # fmt: skip
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return DecisionLog.load(path, trained.catalog)


def truth(trained, log, greedy):
    """The policy's expected outcome over the same decisions."""
    total = 0.0
    for i in range(len(log)):
        offered = log.offered.row(i).tolist()
        x = log.traces.vectors(np.array([i]))[0]
        ranking = trained.model.rank(x, 5, text=log.traces.texts[i], candidates=[trained.model.tool_ids[t] for t in offered])
        p = ranking.probabilities.astype(float)
        p = np.eye(5)[0] if greedy else p / p.sum()
        right = {trained.model.tool_ids[t] for t in trained.test.tools.row(i % len(trained.test)).tolist()}
        total += sum(q * (0.9 if key in right else 0.1) for key, q in zip(ranking.ids, p, strict=True))
    return total / len(log)


@pytest.mark.parametrize("greedy", [False, True])
def test_estimates_surround_the_truth(trained, tmp_path, greedy):
    log = simulated(trained, np.random.default_rng(0), 500, tmp_path / "log.jsonl")
    found = value_on_log(trained.model, log, rng=np.random.default_rng(0), greedy=greedy, clip=1000.0)
    value = truth(trained, log, greedy)
    assert value > found.logged.value + 0.1  # the model knows better than the explorer
    assert found.logged.value == pytest.approx(log.traces.outcome.mean())
    for name in ("ips", "clipped ips", "snips", "doubly robust", "switch-dr"):
        e = found.estimates[name]
        assert abs(e.value - value) < 3.0 * e.standard_error, name
        assert e.mean_weight == pytest.approx(1.0, abs=0.25)
    assert found.estimates["doubly robust"].standard_error < found.estimates["ips"].standard_error


def test_results_reproduce_by_seed(trained, tmp_path):
    log = simulated(trained, np.random.default_rng(1), 100, tmp_path / "log.jsonl")
    first, again = (value_on_log(trained.model, log, rng=np.random.default_rng(2)) for _ in range(2))
    assert first.estimates == again.estimates


GOOD = {
    "id": "d1", "ranked": ["mail.send_message", "chat.post_message"], "propensities": [0.7, 0.3], "chosen": "chat.post_message",
    "outcome": 1, "embedding": [0.05] * 384,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcome": None}, "'d1' has no outcome"),
        ({"outcome": 2}, "outcome lies in"),
        ({"propensities": [1.0, 0.0]}, r"propensity of the chosen 'chat.post_message' lies in \(0, 1\], not 0"),
        ({"propensities": [0.7, 1.3]}, r"propensities\[1\] lies in \[0, 1\]"),
        ({"propensities": [0.7, 0.7]}, "add up to 1.4"),
        ({"propensities": [0.7]}, "propensities are 2 numbers"),
        ({"chosen": "sheets.lock_range"}, "'sheets.lock_range' is not among ranked"),
        ({"ranked": ["a", "a"]}, "ranked names a tool twice"),
        ({"ranked": ["nothing", "chat.post_message"]}, "unknown tool 'nothing'"),
        ({"id": ""}, "line 1: the id is a non-empty string"),
        ({"embedding": [1.0]}, r"has shape \(1,\), expected \(384,\)"),
    ],
)
def test_bad_decisions_are_refused_by_name(trained, tmp_path, change, message):
    path = tmp_path / "log.jsonl"
    path.write_bytes(orjson.dumps({**GOOD, **change}))
    with pytest.raises(InputError, match=message):
        DecisionLog.load(path, trained.catalog)


def test_a_decision_logged_twice_is_refused(trained, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(orjson.dumps(GOOD) + b"\n" + orjson.dumps(GOOD))
    with pytest.raises(InputError, match="'d1' occurs twice"):
        DecisionLog.load(path, trained.catalog)


# ---------------------------------------------------------------- from a store
OFFERED = ("mail.send_message", "chat.post_message", "files.read_file")


@pytest.fixture
def store(sqlite_url):
    with Store.open(sqlite_url, 384) as store:
        yield store


def decide(store, key, chosen=None, *, offered=OFFERED, propensities=(1.0, 1.0, 1.0), outcome=1.0, **options):
    """A stored decision over tools, and where `chosen` is given, the feedback that these tools were run."""
    ranked = [Ranked(t, place, p) for place, (t, p) in enumerate(zip(offered, propensities, strict=True), 1)]
    given = {"intent": f"intent of {key}", "embedding": np.full(384, 0.05, np.float32)} | options
    assert store.add_decision(Decision(id=key, model_version="v1", ranked=ranked, **{"intent_hash": "none"} | given))
    if chosen is not None:
        assert store.add_trace(Trace(id=f"t {key}", decision_id=key, tools=chosen, outcome=outcome, intent="said later"))


def test_a_store_says_what_was_decided_and_what_followed(store, trained):
    x = np.random.default_rng(0).standard_normal(384).astype(np.float32)
    decide(store, "a", [OFFERED[1]], outcome=0.25, embedding=x, context_tools=("sheets.lock_range",))
    decide(store, "b", ["sheets.lock_range", OFFERED[2], OFFERED[0]], offered=OFFERED[::-1], intent=None)
    log = DecisionLog.from_store(store, trained.catalog)
    column = trained.catalog.tool_column
    assert len(log) == 2
    assert log.chosen.tolist() == [column[OFFERED[1]], column[OFFERED[2]]]  # the first tool run that was offered
    assert [log.offered.row(i).tolist() for i in range(2)] == [sorted(column[t] for t in OFFERED)] * 2
    assert log.traces.outcome.tolist() == [0.25, 1.0]
    assert list(log.traces.texts) == ["intent of a", ""]
    assert [log.traces.context.row(i).tolist() for i in range(2)] == [[column["sheets.lock_range"]], []]
    np.testing.assert_array_equal(log.traces.intents[0], x)
    assert (log.traces.capability == -1).all()
    assert log.skipped == []


def test_propensities_follow_the_shares_of_the_places_with_one_added_for_each(store, trained):
    places = [0] * 5 + [1] * 3 + [2]
    for i, place in enumerate(places):
        decide(store, f"d{i}", [OFFERED[place]], propensities=(0.5, 0.4, 0.1) if i % 2 else (1.0, 1.0, 1.0))
    log = DecisionLog.from_store(store, trained.catalog)
    share = np.array([5 + 1, 3 + 1, 1 + 1]) / (9 + 3)
    own = [(0.5, 0.4, 0.1)[place] if i % 2 else 1.0 for i, place in enumerate(places)]
    np.testing.assert_allclose(log.propensity, share[places] * own)


def test_a_place_that_was_offered_and_never_chosen_has_its_one_too(store, trained):
    for i in range(4):
        decide(store, f"d{i}", [OFFERED[0]])
    np.testing.assert_allclose(DecisionLog.from_store(store, trained.catalog).propensity, (4 + 1) / (4 + 3))


UNUSABLE = {
    "no feedback": ({}, "has no feedback"),
    "no embedding": ({"chosen": [OFFERED[0]], "embedding": None}, "has no embedding"),
    "a stranger offered": (
        {"chosen": [OFFERED[0]], "offered": (OFFERED[0], "gone", OFFERED[1])}, "names 'gone', which is no tool of the catalogue",
    ),
    "a stranger before": ({"chosen": [OFFERED[0]], "context_tools": ("gone",)}, "names 'gone', which is no tool of the catalogue"),
    "something else was run": ({"chosen": ["sheets.lock_range"]}, "was followed by tools that were not offered"),
    "nothing was run": ({"chosen": []}, "was followed by tools that were not offered"),
    "never to be chosen": (
        {"chosen": [OFFERED[1]], "propensities": (1.0, 0.0, 0.0)}, "has propensity 0.0 for the chosen 'chat.post_message'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", UNUSABLE)
def test_a_decision_that_cannot_be_used_is_named_and_alone_it_is_an_error(store, trained, what):
    options, reason = UNUSABLE[what]
    decide(store, "bad", **options)
    with pytest.raises(InputError, match=re.escape(f"{store.url} holds no decision that can be used: 'bad' {reason}")):
        DecisionLog.from_store(store, trained.catalog)
    decide(store, "good", [OFFERED[2]])
    log = DecisionLog.from_store(store, trained.catalog)
    assert log.chosen.tolist() == [trained.catalog.tool_column[OFFERED[2]]]
    assert log.skipped == [("bad", reason)]


def test_an_empty_store_holds_no_decision(store, trained):
    with pytest.raises(InputError, match="holds no decision that can be used: there is none"):
        DecisionLog.from_store(store, trained.catalog)


def test_what_a_ranker_recorded_can_be_valued(trained, sqlite_url):
    rng = np.random.default_rng(0)
    with Ranker.open(sqlite_url, trained.catalog, mode="off") as ranker:
        for i in range(40):
            x = trained.test.vectors(np.array([i]))[0]
            answer = ranker.rank(x, 5, text=str(trained.test.texts[i]), context_tools=["chat.post_message"])
            ranker.feedback(answer.decision_id, tools=[answer.ids[rng.integers(5)]], outcome=float(rng.random() < 0.5))
        ranker.rank(trained.test.vectors(np.array([50]))[0], 5)  # nobody said what came of it
    with Store.open(sqlite_url) as store:
        log = DecisionLog.from_store(store, trained.catalog)
    assert (len(log), [why for _, why in log.skipped]) == (40, ["has no feedback"])
    assert (log.traces.context.degrees == 1).all()
    found = value_on_log(trained.model, log, rng=rng)
    assert found.logged.value == pytest.approx(log.traces.outcome.mean())
    assert all(np.isfinite(e.value) for e in found.estimates.values())


def test_a_tool_that_may_stand_at_several_places_is_chosen_at_any_of_them(store, trained):
    drawn = [
        Ranked(OFFERED[0], 1),
        Ranked(OFFERED[1], 2, 0.7, ((2, 0.7), (3, 0.2))),
        Ranked(OFFERED[2], 3, 0.6, ((2, 0.2), (3, 0.6))),
        Ranked("sheets.lock_range", 0, 0.0, ((2, 0.1), (3, 0.2))),
    ]
    for i, place in enumerate([0, 0, 1, 2]):
        decision = Decision(id=f"d{i}", model_version="v1", ranked=drawn, intent="i", embedding=np.full(384, 0.05, np.float32))
        assert store.add_decision(decision)
        assert store.add_trace(Trace(id=f"t{i}", decision_id=f"d{i}", tools=[OFFERED[place]], outcome=1.0))
    log = DecisionLog.from_store(store, trained.catalog)
    share = np.array([3, 2, 2]) / 7
    second, third = 0.7 * share[1] + 0.2 * share[2], 0.2 * share[1] + 0.6 * share[2]
    np.testing.assert_allclose(log.propensity, [share[0], share[0], second, third])
    assert [len(log.offered.row(i)) for i in range(4)] == [4] * 4  # what was not drawn could have been


@pytest.mark.slow
def test_replays_of_an_exploring_ranker_cover_the_truth_at_their_level():
    """400 logs of 400 decisions, drawn by `Explorer`, chosen by place; 95 % intervals of another policy's value."""
    rng, n, pool, attention = np.random.default_rng(7), 400, 6, np.array([0.5, 0.3, 0.2])
    explorer = Explorer(Exploration(share=0.8, places=2, pool=pool - 1, temperature=0.3, loss=1.0, seed=7))
    scores = np.sort(rng.uniform(0.2, 0.9, (40, pool)), axis=1)[:, ::-1]
    worth = np.clip(scores[:, ::-1] * 0.6 + 0.2, 0.0, 1.0)  # the ranking is wrong: the target knows better
    target = np.exp(3.0 * worth) / np.exp(3.0 * worth).sum(axis=1, keepdims=True)
    truth = float((target * worth).sum(axis=1).mean())
    covered = {"ips": 0, "snips": 0}
    for _ in range(400):
        kind = rng.integers(40, size=n)
        place = rng.choice(3, size=n, p=attention)
        share = (np.bincount(place, minlength=3) + 1.0) / (n + 3.0)  # as `DecisionLog.from_store` counts it
        chosen, propensity = np.empty(n, np.int64), np.empty(n)
        for i, k in enumerate(kind):
            draw = explorer.draw(scores[k, 1:].tolist(), 2)
            chosen[i] = 0 if place[i] == 0 else 1 + draw.order[place[i] - 1]
            chances = draw.chances @ share[1:]
            propensity[i] = share[0] if chosen[i] == 0 else chances[chosen[i] - 1]
        reward = (rng.random(n) < worth[kind, chosen]).astype(float)
        log = LoggedDecisions(list(range(n)), propensity, reward, target[kind, chosen])
        for name, estimate in (("ips", ips(log)), ("snips", snips(log))):
            covered[name] += estimate.ci_low <= truth <= estimate.ci_high
    assert {name: 0.93 <= hits / 400 <= 0.97 for name, hits in covered.items()} == {"ips": True, "snips": True}, covered


def test_what_an_exploring_ranker_recorded_can_be_valued(trained, sqlite_url):
    rng = np.random.default_rng(0)
    explore = Exploration(share=0.5, places=2, loss=1.0, seed=0)
    with Ranker.open(sqlite_url, trained.catalog, mode="off", explore=explore) as ranker:
        for i in range(30):
            answer = ranker.rank(trained.test.vectors(np.array([i]))[0], 4)
            assert answer.propensities[:2] == (1.0, 1.0)
            assert all(0.0 < p < 1.0 for p in answer.propensities[2:])
            ranker.feedback(answer.decision_id, tools=[answer.ids[rng.integers(4)]], outcome=float(rng.random() < 0.5))
    with Store.open(sqlite_url) as store:
        log = DecisionLog.from_store(store, trained.catalog)
    assert (len(log), log.skipped) == (30, [])
    assert {len(log.offered.row(i)) for i in range(30)} == {10}  # the two certain ones and a pool of eight
    assert (log.propensity < 1.0).all()
    found = value_on_log(trained.model, log, rng=rng)
    assert found.estimates["snips"].ci_low < found.estimates["snips"].value < found.estimates["snips"].ci_high
