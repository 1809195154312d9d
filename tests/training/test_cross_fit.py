"""How traces are held out, and that nothing of the held-out part reaches the models that score it."""

import dataclasses

import numpy as np
import pytest

from shgat import SHGAT, Traces
from shgat.model.channels import CHANNELS
from shgat.training import Examples
from shgat.training.cross_fit import CrossFit, Folds, Runs
from shgat.training.selection import Variant
from shgat.training.validation import popularity, unseen_tools
from training import planted

QUICK = planted.settled(epochs=2, lr=1e-2)


def some_traces(n, n_tools=30, seed=0):
    of, records, _ = planted.rotated(np.random.default_rng(seed), n_tools=n_tools, n_traces=n, d=8)
    return Traces.from_records(records, of)


@pytest.mark.parametrize(("n", "k"), [(16, 5), (199, 5), (200, 3), (500, 3), (2999, 3), (3000, 1)])
def test_folds_do_not_overlap_and_hold_everything_out_once(n, k):
    traces = some_traces(n)
    folds = Folds().split(traces, 30, np.random.default_rng(0))
    assert len(folds) == k
    for training, held in folds:
        assert not np.intersect1d(training, held).size
        assert len(np.unique(training)) == len(training)
        assert len(np.unique(held)) == len(held)
        assert len(training) > n / 2
    everything = np.concatenate([held for _, held in folds])
    assert len(np.unique(everything)) == (n if k > 1 else len(everything))
    assert k > 1 or 1000 <= len(everything) <= 1100


@pytest.mark.parametrize("n", [100, 600, 4000])
def test_some_held_out_traces_need_a_tool_that_no_training_trace_has(n):
    traces = some_traces(n)
    for training, held in Folds().split(traces, 30, np.random.default_rng(1)):
        unseen = unseen_tools(traces.tools, training, 30)
        cold = [unseen[traces.tools.row(i)].any() for i in held]
        assert 1 <= unseen.sum() <= 3
        assert 0.02 <= np.mean(cold) <= 0.5
        for t in np.flatnonzero(unseen):
            assert not any(t in traces.tools.row(i) for i in training)


def test_with_time_stamps_a_fold_is_a_stretch_of_time():
    traces = some_traces(180)
    rng = np.random.default_rng(2)
    moments = rng.permutation(180).astype(float)
    timed = dataclasses.replace(traces, timestamp=moments)
    folds = Folds(cold_share=0.0).split(timed, 30, rng)
    assert [len(held) for _, held in folds] == [36] * 5
    assert all(np.ptp(moments[held]) == 35 for _, held in folds)
    for training, held in Folds().split(timed, 30, rng):
        unseen = unseen_tools(timed.tools, training, 30)
        stretch = np.median(moments[held])
        others = held[np.abs(moments[held] - stretch) > 36]
        assert all(unseen[timed.tools.row(i)].any() for i in others)  # from other times there are cold ones only
    moments[7] = np.nan
    mixed, _ = Folds(cold_share=0.0).split(dataclasses.replace(traces, timestamp=moments), 30, rng)[0]
    assert np.ptp(np.setdiff1d(np.arange(180), mixed)) > 120
    same = dataclasses.replace(traces, timestamp=np.zeros(180))
    assert len(Folds().split(same, 30, rng)) == 5


def test_of_many_traces_with_time_stamps_the_latest_are_held_out():
    moments = np.random.default_rng(2).permutation(3000).astype(float)
    ((training, held),) = Folds(cold_share=0.0).split(
        dataclasses.replace(some_traces(3000), timestamp=moments), 30, np.random.default_rng(3)
    )
    assert len(held) == 1000
    assert moments[training].max() < moments[held].min()


def test_the_same_generator_gives_the_same_folds():
    traces = some_traces(200)
    a, b = (Folds().split(traces, 30, np.random.default_rng(5)) for _ in range(2))
    for (t, h), (u, i) in zip(a, b, strict=True):
        np.testing.assert_array_equal(t, u)
        np.testing.assert_array_equal(h, i)


def runs(of, records, config=None, **options):
    traces = Traces.from_records(records, of)
    return Runs(SHGAT.from_catalog(of).state, Examples.build(of, traces), config or QUICK, 0, None, None, 1, **options)


def test_what_only_held_out_traces_vouch_for_does_not_reach_what_is_predicted_of_them():
    of, records = planted.mined(np.random.default_rng(0))
    folds = Folds().split(Traces.from_records(records, of), 20, np.random.default_rng(0))[:1]
    ((training, rows),) = folds
    clean = runs(of, records)
    unknown = np.flatnonzero(clean.examples.capabilities.origins.unknown(np.isin(np.arange(90), training))).tolist()
    assert unknown
    dirty = runs(planted.poisoned(of, unknown, np.random.default_rng(1)), records)
    a, b = (CrossFit(r, folds, CHANNELS).candidate(Variant(message_passing=True, node_offsets=False)).held for r in (clean, dirty))
    assert list(a.scores) == list(CHANNELS)
    for name, scores in a.scores.items():
        np.testing.assert_array_equal(scores, b.scores[name], err_msg=name)
    assert a.wanted.n_rows == len(rows)


def test_every_held_out_trace_is_scored_by_its_own_fold():
    of, records, _ = planted.rotated(np.random.default_rng(0), n_tools=12, n_traces=60)
    own, n = runs(of, records), np.arange(60)
    folds = [(n[n % 3 != i], n[n % 3 == i]) for i in range(3)]
    whole = CrossFit(own, folds, ("memory",))
    found = whole.candidate(Variant(False, False)).held
    assert set(found.scores) == {"memory", "cosine"}  # cosine is what every result is compared with
    for i, (training, rows) in enumerate(folds):
        part, place = whole.held[i], slice(20 * i, 20 * (i + 1))
        assert not set(part.channels.memory.ids) & set(part.traces.ids.tolist())
        np.testing.assert_array_equal(found.scores["memory"][place], part.channels.memory.votes(part.traces.intents, 12))
        np.testing.assert_array_equal(found.unseen[place], np.tile(unseen_tools(own.examples.traces.tools, training, 12), (20, 1)))
        np.testing.assert_array_equal(whole.popularity[place], popularity(own.examples.traces, training, rows, 12))
    assert own.seconds.keys() == {f"plain, fold {i}/3" for i in (1, 2, 3)}
    assert [e.stage for e in own.epochs] == [s for s in own.seconds for _ in range(QUICK.epochs)]


def test_no_run_starts_from_what_another_one_learned():
    of, records, _ = planted.rotated(np.random.default_rng(0), n_tools=12, n_traces=60)
    one, two = runs(of, records), runs(of, records)
    two.state.params.buffer[:] = 7.0
    rows = np.arange(40)
    two.train("before", Variant(True, True), rows)
    a, b = (r.train("all traces", Variant(False, False), rows).result() for r in (one, two))
    assert a.buffer.tobytes() == b.buffer.tobytes()
