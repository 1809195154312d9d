"""A model passes if, and only if, every intent that may be asked has finite scores."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat import SHGAT, InputError, SHGATConfig
from shgat._check import LARGEST
from shgat.graph import Cooccurrence
from shgat.model.bounds import check
from worlds import catalog, pairs, trained, unit

X = unit(np.random.default_rng(0), 16)


@pytest.mark.parametrize("config", [{}, {"attention": "gat"}, {"similarity": "dot"}, {"node_offsets": True}])
def test_ordinary_models_pass(config):
    for model in (SHGAT.from_catalog(catalog(), SHGATConfig(**config)), trained(config=SHGATConfig(**config))):
        check(model.state)


@given(
    attention=st.sampled_from(["gatv2", "gat"]),
    similarity=st.sampled_from(["cosine", "dot"]),
    sizes=st.lists(st.sampled_from([1e-3, 1.0, 30.0, 1e2, 1e3, 1e4, 1e6, 1e12]), min_size=3, max_size=3),
    log_scale=st.sampled_from([0.0, 3.0, 20.0]),
    seed=st.integers(0, 9),
)
def test_what_passes_gives_finite_scores(attention, similarity, sizes, log_scale, seed):
    model, rng = (
        trained(config=SHGATConfig(attention=attention, similarity=similarity, node_offsets=True)),
        np.random.default_rng(seed),
    )
    model.set_cooccurrence(pairs())
    maps, attentions, offsets = sizes
    for name, view in model.params.items():
        if view.ndim > 1:
            size = offsets if "offsets" in name else attentions if ".a_" in name else maps
            view[...] = size * rng.choice([-1.0, 1.0], view.shape) if seed else size
    model.params["log_scale"][:] = log_scale
    model.invalidate()
    try:
        check(model.state)
    except InputError:
        return
    for x in (X, np.float32(LARGEST) * X / np.abs(X).max(), np.float32(1e-20) * X):
        for kind in ("tools", "capabilities"):
            assert np.isfinite(model.score(x, kind, context_tools=model.tool_ids[:2])).all()


@pytest.mark.parametrize("name", ["w_k", "log_scale", "residual_logit", "temperature_logit", "level1.gate_up", "level0.a_up"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -3e38])
def test_a_parameter_that_cannot_be_computed_with_is_named(name, value):
    model = trained()
    model.params[name].reshape(-1)[-1] = value
    with pytest.raises(InputError, match=f"its parameters .*: {name}$"):
        check(model.state)


def test_weights_of_edges_are_checked():
    model = trained()
    model.set_cooccurrence(pairs())
    edges = model.state.cooccurrence
    for wrong in (-1.0, np.nan, 3e38):
        weights = edges.weights.copy()
        weights[0] = wrong
        with pytest.raises(InputError, match="co-occurrence weights"):
            check(dataclasses.replace(model.state, cooccurrence=Cooccurrence(edges.incidence, weights)))
