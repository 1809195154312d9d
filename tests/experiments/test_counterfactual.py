"""A model's value on logged decisions: against simulated logs whose truth is known, and bad logs refused by name."""

import numpy as np
import orjson
import pytest

from shgat.errors import InputError
from shgat.experiments.counterfactual import DecisionLog, value_on_log


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
        offered = log.traces.tools.row(i).tolist()
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
