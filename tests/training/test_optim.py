"""Which parameters learn, how fast, and what Adam leaves alone; its steps themselves are tested beside the kernel."""

import numpy as np
import pytest

from shgat import SHGATConfig, TrainingConfig
from shgat.training.gates import opened
from shgat.training.optim import Adam, Group, parameter_groups
from training import planted


def some_params(offsets=False):
    model, _, _ = planted.planted_model(n_tools=6, config=SHGATConfig(node_offsets=offsets))
    return opened(model.params, planted.settled())


def random_gradient(params, size=1.0):
    gradient = params.gradient()
    gradient.buffer[:] = size * np.random.default_rng(0).standard_normal(gradient.buffer.size)
    return gradient


def trained(config, *, context=True, message_passing=True, offsets=False):
    """Names in any group."""
    groups = parameter_groups(some_params(offsets), config, context, message_passing)
    return {name for group in groups.values() for name in group.names}


def test_adam_leaves_parameters_outside_its_groups_alone():
    params = some_params()
    groups = parameter_groups(params, TrainingConfig(), context=False, message_passing=True)
    named = {name for g in groups.values() for name in g.names}
    before, gradient = params.copy(), random_gradient(params)
    norm = Adam(params, groups.values()).step(params, gradient, 1e-3, 1.0)
    assert norm == pytest.approx(np.sqrt(sum(float((gradient[n].astype(float) ** 2).sum()) for n in named)), rel=1e-4)
    assert {n for n in params if (params[n] != before[n]).any()} == named
    assert named == set(params) - {"w_intent", "w_context"}


LEVEL = {f"level0.{n}" for n in ("w_child", "w_parent", "a_up", "a_down", "gate_up", "gate_down")}


def test_what_the_loss_cannot_reach_is_in_no_group():
    everything = trained(TrainingConfig(train_intent_map=True), offsets=True)
    assert everything == set(some_params(True))
    assert everything - trained(TrainingConfig(), offsets=True) == {"w_intent"}
    assert everything - trained(TrainingConfig(train_intent_map=True, temperature=(0.1, 0.1)), offsets=True) == {"log_scale"}
    assert everything - trained(TrainingConfig(train_intent_map=True), offsets=True, context=False) == {"w_context"}
    assert everything - trained(TrainingConfig(train_intent_map=True), offsets=True, message_passing=False) == LEVEL
    assert everything - trained(TrainingConfig(train_intent_map=True)) == {"tool_offsets", "capability_offsets"}


def test_a_group_without_parameters_is_left_out():
    params = some_params()
    assert parameter_groups(params, TrainingConfig(), context=False, message_passing=False).keys() == {"readout", "scalars"}


def test_scalars_learn_faster_and_only_matrices_decay():
    config = TrainingConfig(scalar_lr_factor=7.0, weight_decay=0.2, offset_decay=0.3)
    groups = parameter_groups(some_params(True), config, context=True, message_passing=True)
    assert {name: (g.lr_factor, g.decay) for name, g in groups.items()} == {
        "readout": (1.0, 0.2), "intent": (1.0, 0.2), "attention": (1.0, 0.2), "scalars": (7.0, 0.0), "offsets": (1.0, 0.3),
    }  # fmt: skip


def test_the_first_step_is_the_learning_rate_of_the_group_against_the_sign():
    params = some_params()
    before, gradient = params.copy(), random_gradient(params)
    Adam(params, [Group(("w_q",)), Group(("w_k",), lr_factor=3.0)]).step(params, gradient, 1e-2, clip=1e6)
    for name, lr in (("w_q", 1e-2), ("w_k", 3e-2)):
        np.testing.assert_allclose(params[name] - before[name], -lr * np.sign(gradient[name]), rtol=1e-3, atol=1e-6)


def test_a_gradient_is_clipped_to_one_length_whatever_it_was():
    runs = []
    for size in (1.0, 1000.0):
        params = some_params()
        adam = Adam(params, [Group(("w_q", "w_k"))])
        norms = [adam.step(params, random_gradient(params, size), 1e-2, clip=1e-3) for _ in range(2)]
        assert norms[0] == norms[1]
        runs.append((norms[0] / size, params.buffer, np.linalg.norm(adam.m)))
    assert runs[0][0] == pytest.approx(runs[1][0], rel=1e-5)
    np.testing.assert_allclose(runs[0][1], runs[1][1], rtol=1e-4, atol=1e-7)
    assert runs[0][2] == pytest.approx(1e-3 * (1.0 - 0.9**2), rel=1e-3)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_changes_nothing(wrong):
    params = some_params()
    adam, gradient = Adam(params, [Group(("w_q", "log_scale"))]), random_gradient(params)
    gradient["log_scale"][:] = wrong
    before = params.buffer.tobytes()
    with pytest.raises(FloatingPointError, match="not finite"):
        adam.step(params, gradient, 1e-2, clip=1.0)
    assert params.buffer.tobytes() == before
    assert (adam.step_count, adam.m.any(), adam.v.any()) == (0, False, False)
    gradient["w_context"][:], gradient["log_scale"][:] = wrong, 1.0
    adam.step(params, gradient, 1e-2, clip=1.0)  # what is in no group is not looked at
    assert np.isfinite(params.buffer).all()
