"""The whole-model twin against central differences, over every parameter."""

import dataclasses

import numpy as np
import pytest

from reference import model as twin
from reference.gradients import assert_gradient

D, N_TOOLS, N_INTENTS = 6, 6, 5


def flat_graph(rng):
    """Tools only in capabilities; one capability is empty, tool 5 is in none."""
    return _graph(rng, [0, 0, 0], [[0, 1, 2], [], [4, 1, 3]])


def deep_graph(rng):
    """Three levels; capabilities of the upper ones also list tools and lower levels."""
    return _graph(rng, [0, 0, 1, 1, 2, 2], [[0, 1], [2, 1, 4], [6, 7], [7, 1], [8, 6, 5], [5, 9, 8, 0]])


def _graph(rng, level, members):
    indptr = np.concatenate([[0], np.cumsum([len(m) for m in members])])
    embeddings = rng.standard_normal((N_TOOLS + len(level), D))
    return twin.Graph(embeddings, N_TOOLS, np.array(level), indptr, np.concatenate(members).astype(int))


def with_cooccurrence(rng, graph):
    indptr, indices = np.array([0, 2, 3, 3, 6, 7, 8]), np.array([1, 3, 0, 0, 4, 2, 3, 0])
    return dataclasses.replace(graph, cooccurrence=(indptr, indices, rng.uniform(0.5, 2.0, len(indices))))


def some_batch(rng, n_capabilities, outcome=(1.0, 0.0, 0.3, 1.0, 0.6)):
    """Five traces: with and without context, tools, capabilities; partial outcomes."""
    return twin.Batch(
        rng.standard_normal((N_INTENTS, D)),
        rng.uniform(0.3, 1.0, N_INTENTS),
        np.array(outcome),
        context=(np.array([0, 2, 2, 3, 3, 6]), np.array([0, 3, 5, 1, 1, 2])),
        tools=(np.array([0, 2, 3, 3, 4, 7]), np.array([1, 4, 0, 2, 5, 3, 0])),
        capabilities=(
            np.array([0, 1, 1, 3, 4, 4]),
            np.array([0, 1, 2, n_capabilities - 1]),
            np.array([1, 0.25, 0.75, 1]),
        ),
    )


def some_params(rng, graph, attention, offsets):
    shapes = twin.parameter_shapes(
        D, graph.level.max() + 1, heads=3, readout_heads=2, d_head=4, attention=attention,
        offsets=(N_TOOLS, len(graph.level)) if offsets else None,
    )  # fmt: skip
    return {name: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}


def check(graph, batch, params, settings):
    total, gradient = twin.loss_and_gradient(params, graph, batch, settings)
    assert np.isfinite(total)
    assert list(gradient) == list(params)

    def loss():
        x, _ = twin.forward(params, graph, settings)
        z, _ = twin.score(params, x, batch.intents, batch.context, settings)
        return twin.loss(z, batch, graph, settings.tau)[0]

    assert loss() == total
    for name, value in params.items():
        assert_gradient(loss, value, gradient[name], name=name, directions=4)
    return gradient


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("attention", ["gat", "gatv2"])
@pytest.mark.parametrize("mixing", [False, True], ids=["", "v2v"])
@pytest.mark.parametrize(("shape", "offsets"), [(flat_graph, False), (deep_graph, True)])
def test_gradient(shape, offsets, mixing, attention, similarity):
    rng = np.random.default_rng(3)
    graph = shape(rng)
    if mixing:
        graph = with_cooccurrence(rng, graph)
    batch, params = some_batch(rng, len(graph.level)), some_params(rng, graph, attention, offsets)
    gradient = check(graph, batch, params, twin.Settings(heads=3, similarity=similarity, tau=0.7))
    silent = {"dot": {"log_scale"}, "cosine": set()}[similarity]
    silent |= set() if mixing else {"residual_logit", "temperature_logit"}
    assert {name for name, value in gradient.items() if not value.any()} == silent


@pytest.mark.parametrize("outcome", [0.0, 0.5, 1.0])
def test_gradient_for_one_outcome(outcome):
    rng = np.random.default_rng(4)
    graph = flat_graph(rng)
    batch = some_batch(rng, 3, outcome=(outcome,) * N_INTENTS)
    check(graph, batch, some_params(rng, graph, "gatv2", offsets=False), twin.Settings(heads=3))


def test_a_batch_without_capabilities_or_context():
    rng = np.random.default_rng(5)
    graph = flat_graph(rng)
    none = np.zeros(N_INTENTS + 1, dtype=int)
    batch = dataclasses.replace(
        some_batch(rng, 3),
        context=(none, np.zeros(0, dtype=int)),
        capabilities=(none, np.zeros(0, dtype=int), np.zeros(0)),
    )
    gradient = check(graph, batch, some_params(rng, graph, "gatv2", offsets=True), twin.Settings(heads=3))
    assert not gradient["w_context"].any()


def test_without_capabilities_the_model_is_the_readout():
    rng = np.random.default_rng(6)
    graph = twin.Graph(rng.standard_normal((N_TOOLS, D)), N_TOOLS, np.zeros(0, int), np.zeros(1, int), np.zeros(0, int))
    params = {
        name: rng.standard_normal(shape) for name, shape in twin.parameter_shapes(D, 0, heads=3, readout_heads=1, d_head=D).items()
    }
    x, _ = twin.forward(params, graph, twin.Settings(heads=3))
    np.testing.assert_array_equal(x, graph.embeddings)


def test_an_untrained_model_scores_cosine():
    rng = np.random.default_rng(7)
    graph = deep_graph(rng)
    params = some_params(rng, graph, "gatv2", offsets=False)
    orthonormal = np.linalg.qr(rng.standard_normal((D, D)))[0].reshape(2, D // 2, D)
    params |= {"w_intent": np.eye(D), "w_context": np.zeros((D, D)), "w_q": orthonormal, "w_k": orthonormal}
    for name in params:
        if "gate" in name:
            params[name][0] = 0.0
    settings = twin.Settings(heads=3)
    intents = rng.standard_normal((4, D))
    x, _ = twin.forward(params, graph, settings)
    z, _ = twin.score(params, x, intents, (np.zeros(5, int), np.zeros(0, int)), settings)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (intents, graph.embeddings)]
    np.testing.assert_allclose(z, np.exp(params["log_scale"]) * unit[0] @ unit[1].T)
