"""One run: what it keeps, when it stops, what it touches."""

import numpy as np
import pytest

from shgat import SHGAT, SHGATConfig, ShgatError, Traces
from shgat.model.channels import Channels
from shgat.model.memory import Memory
from shgat.training import Examples, Trainer
from shgat.training.validation import Held, Score, unseen_tools
from training import planted


class Scripted(Held):
    """A held-out part whose scores are given: (criterion of every intent, Hit@1) after each epoch."""

    def score(self, objective, params, unknown):
        values.append(next(self.script))
        value, hit = values[-1]
        rows = np.full(8, value) + 1e-3 * np.arange(8)
        return Score(rows, {}, hit)


values = []


def trainer(config, script=None, *, n_traces=80, seed=0, model_config=None, **options):
    model, traces, _ = planted.planted_model(n_traces=n_traces, n_tools=10, config=model_config, **options)
    rows = np.arange(n_traces - 16)
    held = None
    if script is not None:
        unseen = unseen_tools(traces.tools, rows, 10)
        last = np.arange(n_traces - 16, n_traces)
        channels = Channels.build(model.catalog, Memory.of(traces, rows))
        held = Scripted(traces.take(last), last, np.zeros(16, bool), unseen, channels)
        object.__setattr__(held, "script", iter(script))
    examples = Examples.build(model.catalog, traces)
    return model, Trainer(examples, None, model.config, model.params, config, rows, seed, held=held)


def test_the_best_parameters_are_a_copy():
    script = [(0.5, 0.5), (0.8, 0.8), (0.2, 0.75), (0.2, 0.75)]
    model, run = trainer(planted.settled(epochs=4, lr=1e-2, patience=10), script)
    before, seen = model.params.buffer.tobytes(), []
    state = run.run(lambda p: seen.append((p.params.buffer.copy(), p.best.buffer.copy())))
    assert state.best_epoch == 2
    assert not np.shares_memory(state.best.buffer, state.params.buffer)
    np.testing.assert_array_equal(state.best.buffer, seen[1][0])
    for now, best in seen[2:]:
        assert (best == seen[1][0]).all()
        assert (now != best).any()
    state.params.buffer[:] = np.nan
    assert np.isfinite(run.result().buffer).all()
    assert model.params.buffer.tobytes() == before


def test_it_stops_early_where_nothing_gets_better():
    script = [(0.5, 0.5), *[(0.4, 0.45)] * 20]
    _, run = trainer(planted.settled(epochs=20, patience=3), script)
    state = run.run()
    assert (state.epoch, state.best_epoch) == (4, 1)
    assert state.stopped == "no improvement for 3 epochs"


def test_it_stops_at_once_and_restores_where_hit_at_1_falls():
    script = [(0.5, 0.60), (0.7, 0.80), (0.6, 0.71), (0.5, 0.69), *[(0.9, 0.9)] * 20]
    _, run = trainer(planted.settled(epochs=20, patience=10, lr=1e-2), script)
    kept = []
    state = run.run(lambda p: kept.append(p.params.buffer.copy()))
    assert (state.epoch, state.best_epoch) == (4, 2)
    assert state.stopped == "Hit@1 fell from 0.800 to 0.690"
    np.testing.assert_array_equal(state.best.buffer, kept[1])


def test_a_later_epoch_within_the_noise_is_taken():
    _, run = trainer(planted.settled(epochs=3), [(0.5, 0.5), (0.5, 0.5), (0.6, 0.5)])
    assert run.run().best_epoch == 3


def test_without_a_held_out_part_the_last_epoch_is_kept():
    _, run = trainer(planted.settled(epochs=3, lr=1e-2))
    state = run.run()
    assert state.best is None
    np.testing.assert_array_equal(run.result().buffer, state.params.buffer)
    assert state.best_epoch == 3


@pytest.mark.parametrize("context", [False, True])
@pytest.mark.parametrize("offsets", [False, True])
def test_what_the_loss_cannot_reach_is_not_touched(context, offsets):
    more = {"context_tools": ["t1"]} if context else {}
    config = planted.settled(epochs=2, lr=1e-2, weight_decay=0.5, leave_batch_out=False)
    _, run = trainer(config, model_config=SHGATConfig(node_offsets=offsets), **more)
    before = {name: view.copy() for name, view in run.progress.params.items()}
    state = run.run()
    still = {name for name, view in state.params.items() if (view == before[name]).all()}
    assert still == {"w_intent", "residual_logit", "temperature_logit"} | (set() if context else {"w_context"})
    for name in still:
        span = state.params.layout.slices[name]
        assert not state.optimizer.m[span].any(), name
        assert name in ("residual_logit", "temperature_logit") or not state.optimizer.v[span].any(), name


def test_a_given_temperature_is_that_of_the_cosines_and_leaves_the_scale_alone():
    def losses(kappa, temperature, epochs=3):
        config = planted.settled(epochs=epochs, lr=1e-2, batch_size=64, temperature=temperature)
        _, run = trainer(config, model_config=SHGATConfig(log_scale=float(np.log(kappa))))
        state = run.run()
        return state.losses, float(np.exp(state.params["log_scale"][0]))

    given, kappa = losses(20.0, (0.1, 0.1))
    assert kappa == pytest.approx(20.0)
    np.testing.assert_allclose(losses(5.0, (0.1, 0.1))[0], given, rtol=1e-3)
    learned, kappa = losses(10.0, None)
    assert learned[0] == pytest.approx(given[0], rel=1e-5)  # one step from 1 / kappa = 0.1 on
    assert abs(kappa - 10.0) > 0.1
    annealed, _ = losses(20.0, (0.1, 0.06))
    assert annealed[0] == given[0]
    assert annealed[-1] != pytest.approx(given[-1], rel=1e-2)


def test_divergence_is_an_error_that_says_what_to_do():
    model, traces, _ = planted.planted_model(n_traces=64, n_tools=10)
    model.params["log_scale"][:] = np.inf
    run = Trainer(Examples.build(model.catalog, traces), None, model.config, model.params, planted.settled(), np.arange(64), 0)
    with np.errstate(all="ignore"), pytest.raises(ShgatError, match="diverged at step 1"):
        run.run()


def test_failed_executions_push_their_tools_down():
    of, records, _ = planted.rotated(np.random.default_rng(0), n_traces=200, n_tools=10, noise=0.05)
    wrong = [{**r, "id": f"w{i}", "tools": ["t9"], "outcome": 0.0} for i, r in enumerate(records) if r["tools"] != ["t9"]]
    rng = np.random.default_rng(1)
    with_failures, without = SHGAT.from_catalog(of), SHGAT.from_catalog(of)
    good = [r for r in records if r["tools"] != ["t9"]]
    both = [(good + wrong)[i] for i in rng.permutation(2 * len(good))]
    options = {"validation": "none", "epochs": 5, "lr": 3e-3, "batch_size": 32}
    with_failures.fit(Traces.from_records(both, of), **options)
    without.fit(Traces.from_records(good, of), **options)
    x = np.stack([r["embedding"] for r in good])
    assert with_failures.score(x)[:, 9].mean() < without.score(x)[:, 9].mean() - 1.0


@pytest.mark.parametrize("named", [False, True], ids=["", "named"])
@pytest.mark.parametrize("offsets", [False, True], ids=["", "offsets"])
@pytest.mark.parametrize("negatives", ["all", "semi-hard"])
def test_a_capability_that_only_held_out_traces_vouch_for_influences_nothing(negatives, offsets, named):
    catalog, records = planted.mined(np.random.default_rng(0), named=named)
    rows = np.arange(60)
    config = planted.settled(epochs=3, batch_size=16, lr=1e-2, negatives=negatives, n_negatives=4)

    def trainer(of):
        model, traces = SHGAT.from_catalog(of, SHGATConfig(node_offsets=offsets)), Traces.from_records(records, of)
        return Trainer(Examples.build(of, traces), None, model.config, model.params, config, rows, 0)

    a = trainer(catalog)
    assert a.unknown.sum() > 20
    b = trainer(planted.poisoned(catalog, np.flatnonzero(a.unknown).tolist(), np.random.default_rng(1)))
    clean, dirty = a.run(), b.run()
    assert clean.losses == dirty.losses
    assert a.result().buffer.tobytes() == b.result().buffer.tobytes()
