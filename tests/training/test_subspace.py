"""W_child in the span of the tools: the same loss, the same gradient where there is one, and nothing moves outside."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import SHGAT, SHGATConfig, Traces
from shgat.training import Examples, Trainer, subspace
from shgat.training.objective import Masks, Objective
from shgat.training.subspace import NAME, Subspace
from training import planted

D = 24


def wide(seed=0, **options):
    """(catalogue, traces): ten tools in 24 dimensions, of which the capabilities hold nine and the last two are equal."""
    of, records, _ = planted.rotated(np.random.default_rng(seed), n_tools=10, n_traces=60, d=D, **options)
    embeddings = of.tool_embeddings.copy()
    embeddings[8] = embeddings[7]
    of = replace(of, tool_embeddings=embeddings)
    return of, Traces.from_records(records, of)


def test_the_basis_spans_the_members_and_no_more():
    of, _ = wide()
    found = Subspace.of(of, None, SHGATConfig())
    members = of.tool_embeddings[of.hierarchy.levels[0].members]
    assert found.basis.shape == (D, 9)  # ten members, two of them equal
    np.testing.assert_allclose(found.basis.T @ found.basis, np.eye(9), atol=1e-6)
    np.testing.assert_allclose(found.coordinates @ found.basis.T, members, atol=1e-6)


def test_where_it_does_not_hold_or_pay_there_is_none():
    of, _ = wide()
    edges = SHGAT.from_catalog(of)
    edges.set_cooccurrence([("t0", "t1", 1.0)])
    assert Subspace.of(of, edges.state.cooccurrence, SHGATConfig()) is None
    assert Subspace.of(of, None, SHGATConfig(node_offsets=True)) is None
    assert Subspace.of(of, None, SHGATConfig(message_passing=False)) is None
    many, _, _ = planted.rotated(np.random.default_rng(0), n_tools=20, d=D)
    assert Subspace.of(many, None, SHGATConfig()) is None


def test_loss_and_gradient_are_those_of_the_whole_map():
    of, traces = wide()
    model = planted.shaken(SHGAT.from_catalog(of), np.random.default_rng(1))
    found = Subspace.of(of, None, model.config)
    batch = Examples.build(of, traces).batch(np.arange(40), None, np.zeros(len(of.capabilities), bool))
    whole, reduced = model.params, found.reduce(model.params)
    gradients = whole.gradient(), reduced.gradient()
    losses = [
        Objective(of, None, model.config, coordinates)(params, batch, gradient, masks=Masks()).loss
        for params, gradient, coordinates in zip((whole, reduced), gradients, (None, found.coordinates), strict=True)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for name in whole:
        expected = gradients[0][name] @ found.basis if name == NAME else gradients[0][name]
        scale = np.abs(expected).max() + 1e-6
        np.testing.assert_allclose(gradients[1][name], expected, atol=2e-4 * scale, err_msg=name)
    outside = np.eye(D) - found.basis @ found.basis.T
    assert np.abs(gradients[0][NAME]).max() > 1e-4  # there is a gradient, and
    np.testing.assert_allclose(gradients[0][NAME] @ outside, 0.0, atol=1e-6)  # none of it is lost


def test_there_and_back_is_the_same():
    of, _ = wide()
    model = planted.shaken(SHGAT.from_catalog(of), np.random.default_rng(2))
    found = Subspace.of(of, None, model.config)
    back = found.expand(found.reduce(model.params), model.params)
    for name, view in model.params.items():
        np.testing.assert_allclose(back[name], view, atol=2e-6, err_msg=name)


def test_training_within_it_learns_as_much(monkeypatch):
    of, traces = wide()
    config = planted.settled(epochs=6, batch_size=16, lr=1e-2)

    def run():
        model = SHGAT.from_catalog(of)
        trainer = Trainer(Examples.build(of, traces), None, model.config, model.params, config, np.arange(60), 0)
        return trainer, trainer.run().losses

    within, inside = run()
    monkeypatch.setattr(subspace, "LARGEST_SHARE", 0.0)
    outside, whole = run()
    assert within.subspace is not None
    assert outside.subspace is None
    assert inside[0] == pytest.approx(whole[0], rel=1e-5)
    assert np.mean(inside[-4:]) == pytest.approx(np.mean(whole[-4:]), rel=0.4)  # Adam goes another way in other coordinates
    moved = (within.result()[NAME] - SHGAT.from_catalog(of).params[NAME]).astype(np.float64)
    found = within.subspace.basis.astype(np.float64)
    assert np.abs(moved).max() > 1e-3
    np.testing.assert_allclose(moved - moved @ found @ found.T, 0.0, atol=1e-6)
