"""Protocols run to the end: every test row once, and the future changes not one bit of what is trained."""

from dataclasses import replace

import numpy as np
import orjson
import pytest

from shgat import Traces
from shgat.errors import InputError
from shgat.executor import Processes
from shgat.experiments.protocols import Recipe, run_cold_tools, run_cross_validation, run_holdout, run_temporal
from shgat.graph import Incidence
from shgat.metrics import cold_tool_split, k_folds
from shgat.model import model_file
from training import planted

QUICK = Recipe(options={"epochs": 2})


def artefacts(model):
    """All that training made, as bytes; clocks are left out."""

    def without_clock(value):
        if isinstance(value, dict):
            return {key: without_clock(item) for key, item in value.items() if key != "seconds"}
        return [without_clock(item) for item in value] if isinstance(value, list) else value

    return model_file.to_bytes(replace(model.state, report=without_clock(model.report)))


def poisoned(traces, after, catalog, rng):
    """Everything that happened from `after` on is something else: intents, tools, capabilities, outcomes, weights, context."""
    later = traces.timestamp >= after
    n, n_tools = len(traces), len(catalog.tools)

    def mixed(rows, random):
        return Incidence.from_rows(random() if later[i] else rows.row(i).tolist() for i in range(n))

    def one_or_two():
        return rng.choice(n_tools, rng.integers(1, 3), replace=False).tolist()

    return replace(
        traces,
        intents=np.where(later[:, None], rng.standard_normal(traces.intents.shape), traces.intents).astype(np.float32),
        texts=type(traces.texts)(["nonsense" if gone else traces.texts[i] for i, gone in enumerate(later.tolist())]),
        tools=mixed(traces.tools, one_or_two),
        context=mixed(traces.context, one_or_two),
        capability=np.where(later, rng.integers(-1, len(catalog.capabilities), n), traces.capability).astype(np.int32),
        outcome=np.where(later, rng.random(n), traces.outcome).astype(np.float32),
        weight=np.where(later, rng.random(n), traces.weight).astype(np.float32),
    )


@pytest.mark.slow
def test_poisoning_the_future_changes_nothing_that_was_trained(trained):
    windows = {"train": "55d", "test": "20d"}
    clean = run_temporal(trained.catalog, trained.train, QUICK, **windows).trials[0]
    end = float(trained.train.timestamp[clean.split.test].min())
    traces = poisoned(trained.train, end, trained.catalog, np.random.default_rng(5))
    spoilt = run_temporal(trained.catalog, traces, QUICK, **windows).trials[0]
    assert np.array_equal(clean.split.train, spoilt.split.train)
    assert trained.train.timestamp[clean.split.train].max() < end
    assert spoilt.cosine.ranks.tolist() != clean.cosine.ranks.tolist()  # the poison reached the test
    assert artefacts(clean.model) == artefacts(spoilt.model)


@pytest.mark.slow
def test_a_holdout_reproduces_by_its_seed(trained):
    first, again = (run_holdout(trained.catalog, trained.train, QUICK).trials[0] for _ in range(2))
    assert np.array_equal(first.split.test, again.split.test)
    assert artefacts(first.model) == artefacts(again.model)
    assert np.array_equal(first.ours.ranks, again.ours.ranks)
    assert not set(first.split.train.tolist()) & set(first.split.test.tolist())


@pytest.mark.slow
def test_folds_test_every_trace_once(trained):
    told = []
    found = run_cross_validation(
        trained.catalog, trained.train.take(np.arange(120)), Recipe(options={"epochs": 1}, on_trial=told.append), k=3
    )
    assert [t.name for t in found.trials] == ["fold 1 of 3", "fold 2 of 3", "fold 3 of 3"]
    assert told == list(found.trials)
    assert sorted(np.concatenate([t.split.test for t in found.trials]).tolist()) == list(range(120))
    values = [t.means()["shgat"]["ndcg@5"] for t in found.trials]
    assert found.mean()["shgat"]["ndcg@5"] == pytest.approx(np.mean(values))
    assert found.standard_deviation()["shgat"]["ndcg@5"] == pytest.approx(np.std(values, ddof=1))
    ours, cosine = found.pooled()
    assert ours.relevance.n_rows == cosine.relevance.n_rows == 120
    orjson.dumps(found.mean())


def test_training_never_meets_a_cold_tool(trained):
    trial = run_cold_tools(trained.catalog, trained.train, QUICK, share=0.1).trials[0]
    assert trial.ours.parts.keys() == {"all", "cold"}
    columns = cold_tool_split(trained.train.relevant, 83, QUICK.rng(), share=0.1).cold
    cold = {trained.catalog.tools[c].id for c in columns}
    assert not cold & {trained.catalog.tools[c].id for c in trained.train.tools.take(trial.split.train).indices}
    assert all(cold & {trained.catalog.tools[t].id for t in trained.train.tools.row(i)} for i in trial.split.test.tolist())
    assert not any(set(c.tools) & cold for c in trial.model.catalog.capabilities)
    assert cold <= {t.id for t in trial.model.catalog.tools}


def test_time_needs_timestamps_and_enough_of_it(trained):
    timeless = replace(trained.train, timestamp=np.where(np.arange(400) == 3, np.nan, trained.train.timestamp))
    with pytest.raises(InputError, match="'t0004' has no timestamp"):
        run_temporal(trained.catalog, timeless, QUICK)
    with pytest.raises(InputError, match=r"span 72\.\d days: no window of 90d"):
        run_temporal(trained.catalog, trained.train, QUICK, train="90d")


def repeated(traces, n, texts):
    """n traces that say these texts in turn, each of its own id, and succeed with the same tool."""
    rows = traces.take(np.zeros(n, np.int64))
    said = type(traces.texts)([texts[i % len(texts)] for i in range(n)])
    return replace(rows, ids=np.array([f"r{i}" for i in range(n)]), texts=said, outcome=np.ones(n, np.float32))


@pytest.mark.parametrize("run", [run_holdout, run_cross_validation])
def test_one_intent_many_times_cannot_be_split_and_says_so(trained, run):
    with pytest.raises(
        InputError, match=r"different intents, and the 400 traces hold 1 \(the first is 'text mail it'\): bring traces"
    ):
        run(trained.catalog, repeated(trained.train, 400, ["mail it"]), QUICK)


def test_fewer_intents_than_folds_name_the_folds_that_work(trained):
    traces = repeated(trained.train, 60, ["mail it", "post it", "file it"])
    with pytest.raises(InputError, match="or ask for 3 folds"):
        run_cross_validation(trained.catalog, traces, QUICK, k=5)


def test_a_split_that_cannot_be_used_is_named(trained):
    traces = trained.train.take(np.arange(120))
    folds = list(k_folds(120, 2, QUICK.rng(), groups=[str(t) for t in traces.texts]))
    outcome = traces.outcome.copy()
    outcome[folds[1].test] = 0.0
    failed = replace(traces, outcome=outcome)
    found = run_cross_validation(trained.catalog, failed, Recipe(options={"epochs": 1}), k=2)
    n = len(folds[1].test)
    assert [t.name for t in found.trials] == ["fold 1 of 2"]
    assert found.passed_over == (("fold 2 of 2", f"no successful trace among the {n} that test"),)
    remarks = " ".join(found.remarks(failed))
    assert "fold 2 of 2 was passed over" in remarks
    assert f"{120 - n} of 120 traces were in a part that tests" in remarks


def test_every_trace_is_counted_or_its_absence_is_told(trained):
    found = run_cross_validation(trained.catalog, trained.train.take(np.arange(120)), Recipe(options={"epochs": 1}), k=2)
    traces = trained.train.take(np.arange(120))
    counted = sum(t.counted for t in found.trials)
    assert counted == int((traces.relevant.degrees > 0).sum()) < 120
    assert found.remarks(traces)[0].startswith(f"{counted} of 120 traces count in the metrics: {120 - counted} failed")


def test_trials_in_two_processes_are_those_of_one():
    rng = np.random.default_rng(0)
    catalog, records, _ = planted.rotated(rng, n_tools=20, n_traces=120, d=16)
    traces = Traces.from_records(records, catalog)
    tables = []
    for executor in (None, Processes(2)):
        told = []
        recipe = Recipe(seed=1, options={"epochs": 1}, on_trial=told.append, executor=executor)
        trials = run_cross_validation(catalog, traces, recipe, k=3)
        assert told == list(trials.trials)
        tables.append((trials.mean(), [t.model.params.buffer.tobytes() for t in trials.trials], [t.report.reason for t in told]))
        if executor is not None:
            executor.close()
    assert tables[0] == tables[1]
