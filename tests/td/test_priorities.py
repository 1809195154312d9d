"""TD errors of traces: where they come from, and what learns from them."""

import numpy as np
import pytest

from shgat import SHGAT, Catalog, Trace
from shgat.errors import InputError
from shgat.model.session_state import N_FACTS
from shgat.model.value_network import ValueLayout, ValueNetwork
from shgat.td import TDConfig
from shgat.td.logged import episodes_of
from shgat.td.priorities import TraceErrors
from shgat.td.trainer import value_targets
from shgat.traces import Reward, Sessions, Traces
from shgat.training import Examples, Trainer, TrainingConfig

EYE = np.eye(8, dtype=np.float32)
CATALOG = Catalog.from_records([{"id": f"t{i}", "embedding": EYE[i]} for i in range(6)], [])
NETWORK = ValueNetwork.initial(ValueLayout(24 + N_FACTS, 8, (16, 8, 4)), np.random.default_rng(0))
TRACES = [
    Trace(id="a#1", embedding=EYE[7], tools=["t4", "t3"], outcome=0.0, session="s", step=0),
    Trace(id="b", embedding=EYE[6], tools=["t0"], outcome=1.0, session="s", step=1),
    Trace(id="c", embedding=EYE[5], tools=["t2"], outcome=1.0, session="u", step=0),
]
SESSIONS = Sessions.of(TRACES, CATALOG)
FOUND = TraceErrors.of(NETWORK, SESSIONS, EYE[:6], Reward())


def test_a_trace_has_the_largest_error_of_its_steps():
    q, target = value_targets(NETWORK, episodes_of(SESSIONS, Reward(), 6, ids_alone=True), EYE[:6], TDConfig())
    error = np.abs(target - q)
    assert FOUND.ids == ("a#1", "b", "c")
    np.testing.assert_allclose(FOUND.td, [error[:2].max(), error[2], error[3]])


def test_replay_begins_with_what_is_known():
    other = Trace(id="d", embedding=EYE[4], tools=["t1"])
    traces = FOUND.prioritized(Traces.from_records([other, *TRACES], CATALOG))
    np.testing.assert_array_equal(traces.td, [np.nan, *FOUND.td])
    np.testing.assert_array_equal(traces.take([2, 0]).td, [FOUND.td[1], np.nan])
    assert traces.fingerprint != Traces.from_records([other, *TRACES], CATALOG).fingerprint
    state, rows = SHGAT.from_catalog(CATALOG).state, np.arange(4)
    config = TrainingConfig.for_fit(4, TrainingConfig(replay="prioritized"))
    trainer = Trainer(Examples.build(CATALOG, traces), None, state.config, state.params, config, rows, 0)
    expected = (np.array([FOUND.td.max(), *FOUND.td]) + config.priority_eps) ** config.alpha
    np.testing.assert_allclose(trainer.progress.replay.priorities, expected)


def test_weights_follow_the_advantage():
    by_step = FOUND.weighted(SESSIONS.asked)
    whole = FOUND.weighted(Traces.from_records(TRACES, CATALOG))
    np.testing.assert_allclose(by_step.weight, whole.weight[[0, 0, 1, 2]])
    assert whole.weight.mean() == pytest.approx(1.0)
    assert (np.argsort(whole.weight) == np.argsort(FOUND.advantage)).all()
    assert FOUND.weighted(whole, temperature=1e-3, most=2.0).weight.max() <= 2.0 / (2.0 / 3.0) * whole.weight.max()


def test_traces_of_other_sessions_are_refused():
    with pytest.raises(InputError, match="none of the traces"):
        FOUND.weighted(Traces.from_records([Trace(id="z", embedding=EYE[4], tools=["t1"])], CATALOG))
    with pytest.raises(InputError, match="temperature"):
        FOUND.weighted(SESSIONS.traces(), temperature=0.0)
