"""Readout and its backward against the float64 twin."""

import numpy as np
import pytest

from reference import model as twin
from shgat.graph import Incidence
from shgat.model import readout
from shgat.model.params import Layout, Params

CONTEXTS = Incidence.from_rows([[0, 3], [], [2], [1, 3, 6]])
INDPTR_INDICES = CONTEXTS.indptr, CONTEXTS.indices


def problem(similarity):
    """Parameters, nodes (7, 12), intents (4, 12), and the twin's settings."""
    rng = np.random.default_rng(0)
    params = Params(Layout(d=12, n_heads=2, d_head=5, n_message_heads=1, n_levels=0, attention="gatv2"))
    params.buffer[:] = 0.4 * rng.standard_normal(params.buffer.shape)
    x, intents = (rng.standard_normal((n, 12)).astype(np.float32) for n in (7, 4))
    return params, x, intents, twin.Settings(heads=1, similarity=similarity)


def forward(params, x, intents, similarity, *, context=True):
    k = readout.keys(x, params, similarity)
    q = readout.queries(intents, readout.context_mean(x, CONTEXTS) if context else None, params, similarity)
    return k, q, readout.scores(q.q.rows, k.rows, readout.scale(params, similarity))


def double(params):
    return {name: view.astype(np.float64) for name, view in params.items()}


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_scores_match_the_twin(similarity):
    params, x, intents, settings = problem(similarity)
    expected, _ = twin.score(double(params), x.astype(float), intents.astype(float), INDPTR_INDICES, settings)
    np.testing.assert_allclose(forward(params, x, intents, similarity)[2], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("context", [False, True], ids=["", "context"])
@pytest.mark.parametrize("intent_map", [False, True], ids=["", "intent map"])
def test_the_backward_matches_the_twin(similarity, context, intent_map):
    params, x, intents, settings = problem(similarity)
    k, q, z = forward(params, x, intents, similarity, context=context)
    d_z = np.random.default_rng(1).standard_normal(z.shape).astype(np.float32)
    wide, wide_x, wide_intents = double(params), x.astype(float), intents.astype(float)
    heard = INDPTR_INDICES if context else (np.zeros(5, int), np.zeros(0, int))
    _, cache = twin.score(wide, wide_x, wide_intents, heard, settings)
    expected = {name: np.zeros_like(view) for name, view in wide.items()}
    expected_d_x = twin.score_backward(d_z.astype(float), wide, wide_x, wide_intents, cache, expected)
    if not intent_map:
        expected["w_intent"][:] = 0.0

    gradient = params.gradient()
    gradient.begin()
    d_q, d_k, d_x = np.zeros_like(q.q.rows), np.empty_like(k.rows), np.empty_like(x)
    readout.scores_backward(d_z, z, q.q.rows, k.rows, params, gradient, similarity, d_q, d_k)
    readout.keys_backward(d_k, k, x, params, gradient, similarity, d_x)
    d_context = readout.queries_backward(d_q, q, params, gradient, similarity, intent_map)
    assert (d_context is not None) == context
    if d_context is not None:
        readout.context_mean_backward(d_context, CONTEXTS, d_x)
    gradient.finish()
    np.testing.assert_allclose(d_x, expected_d_x, rtol=1e-4, atol=2e-5)
    for name, view in gradient.items():
        np.testing.assert_allclose(view, expected[name], rtol=1e-4, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_z_is_the_mean_of_its_heads(similarity):
    params, x, intents, _ = problem(similarity)
    k, q, z = forward(params, x, intents, similarity)
    for row, query in zip(z, q.q.rows, strict=True):
        heads = readout.head_scores(query, k.rows, readout.scale(params, similarity), 2)
        assert heads.shape == (7, 2)
        np.testing.assert_allclose(heads.mean(axis=1), row, rtol=1e-4, atol=1e-5)


def test_an_identity_can_be_left_out():
    params, _, intents, _ = problem("cosine")
    params["w_intent"][:] = np.eye(12)
    with_product, without = (readout.queries(intents, None, params, "cosine", identity) for identity in (False, True))
    np.testing.assert_allclose(without.q.rows, with_product.q.rows, rtol=1e-5, atol=1e-6)
    assert without.u is not intents


def test_no_context_is_zero():
    _, x, _, _ = problem("cosine")
    mean = readout.context_mean(x, CONTEXTS)
    np.testing.assert_array_equal(mean[1], 0.0)
    np.testing.assert_allclose(mean[3], x[[1, 3, 6]].mean(axis=0), rtol=1e-5)
