"""What a principal ran itself moves the shared ranking by no more than its cap, and by nothing where it never was."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat import SHGAT
from shgat.graph import Incidence
from shgat.model import explanation, scoring, unit_scores
from shgat.model.evidence import Evidence
from shgat.model.own import TRUSTS, Own, Trust
from training import planted

D, N = 6, 7


def unit(x):
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


def an_own(rng, n, trust=TRUSTS[2], failing=0.3):
    tools = Incidence.from_rows(sorted(rng.choice(N, int(rng.integers(1, 4)), replace=False).tolist()) for _ in range(n))
    return Own(unit(rng.standard_normal((n, D))), tools, rng.random(n) >= failing, trust)


def softmax(z):
    p = np.exp(z.astype(np.float64) - z.max())
    return p / p.sum()


def by_the_formula(own, z, x):
    """P' of one intent, as the module says it."""
    cosine = own.vectors.astype(np.float64) @ unit(x).astype(np.float64)
    like = 1.0 / (1.0 + np.exp(-20.0 * (cosine - 0.6)))
    good, (k, cap) = like * own.worked, own.trust
    m = good.sum()
    ran = np.zeros((len(like), N))
    ran[own.tools.row_of_entry, own.tools.indices] = 1.0
    plus, minus = good @ ran, (like * ~own.worked) @ ran
    p = softmax(z) * (1.0 - cap * minus / (minus + plus + k))
    if m < 1e-3:
        return p
    votes = (np.exp(20.0 * cosine) * good) @ ran
    w = cap * m / (m + k)
    return (1.0 - w) * p + w * votes / votes.sum()


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40), trust=st.sampled_from(TRUSTS))
def test_it_is_the_posterior_mean_of_the_formula(seed, n, trust):
    rng = np.random.default_rng(seed)
    own, z, x = (
        an_own(rng, n, trust),
        (4.0 * rng.standard_normal((3, N))).astype(np.float32),
        rng.standard_normal((3, D)).astype("f4"),
    )
    got = own.mixed(z, x)
    for row, one, intent in zip(got, z, x, strict=True):
        np.testing.assert_allclose(np.exp(row), by_the_formula(own, one, intent), rtol=2e-4, atol=1e-6)
        np.testing.assert_allclose(own.mixed(one[None], intent[None])[0], row, rtol=1e-5, atol=1e-5)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 128), prior=st.floats(0.01, 100.0), cap=st.floats(0.0, 0.95))
def test_no_flood_moves_a_share_beyond_the_cap(seed, n, prior, cap):
    rng = np.random.default_rng(seed)
    own, z, x = (
        an_own(rng, n, Trust(prior, cap), rng.random()),
        (9.0 * rng.standard_normal((1, N))).astype("f4"),
        rng.standard_normal((1, D)),
    )
    own = replace(
        own, vectors=np.where(rng.random((n, 1)) < 0.7, unit(x), own.vectors).astype(np.float32)
    )  # nearly all ask the same
    before, after = softmax(z[0]), np.exp(own.mixed(z, x.astype("f4"))[0].astype(np.float64))
    assert (after <= before + cap + 1e-5).all()
    assert (after >= (1.0 - cap) ** 2 * before * (1.0 - 1e-4)).all()
    assert 0.0 <= own.weight(x[0].astype("f4")) <= cap


def test_it_says_nothing_of_intents_that_are_unlike_its_own():
    rng = np.random.default_rng(0)
    x = unit(rng.standard_normal((2, 64)))
    x[1] = unit(x[1] - (x[1] @ x[0]) * x[0])  # no cosine at all
    own = Own(np.repeat(x[:1], 50, axis=0), Incidence.from_rows([[3]] * 50), np.ones(50, bool), TRUSTS[2])
    z = rng.standard_normal((2, N)).astype(np.float32)
    near, far = own.mixed(z, x)
    assert near.argmax() == 3
    np.testing.assert_allclose(np.exp(far), softmax(z[1]), atol=1e-3)
    assert own.weight(x[0]) > 0.8
    assert own.weight(x[1]) < 1e-3


def test_an_execution_speaks_only_of_those_after_it():
    rng = np.random.default_rng(1)
    own, z, x = an_own(rng, 10), rng.standard_normal((11, N)).astype("f4"), rng.standard_normal((11, D)).astype("f4")
    got = own.mixed(z, x, range(11))
    for i in range(11):
        first = Own(own.vectors[:i], own.tools.take(np.arange(i)), own.worked[:i], own.trust)
        np.testing.assert_allclose(got[i], first.mixed(z[i : i + 1], x[i : i + 1])[0], rtol=1e-5, atol=1e-6)


# ------------------------------------------------------------------ in a model
@pytest.fixture(scope="module", params=["untrained", "trained"])
def index(request):
    catalog, records, _ = planted.rotated(np.random.default_rng(1), n_traces=120)
    model = SHGAT.from_catalog(catalog)
    if request.param == "trained":
        model.partial_fit(records[:60])
    return model.index()


def ran(index, x, *tools, n=20, worked=True):
    columns = sorted(index.tools.column[t] for t in tools)
    own = Own(np.repeat(unit(x)[None], n, axis=0), Incidence.from_rows([columns] * n), np.full(n, worked), TRUSTS[2])
    return replace(Evidence.of(index), own=own)


def test_what_a_principal_ran_stands_first_for_it_and_scores_stay_on_their_scale(index):
    x = np.random.default_rng(2).standard_normal(index.dimension).astype(np.float32)
    shared = scoring.rank(index, x, 30, "tools", None, (), None, None)
    last = shared.ids[-1]
    mine = scoring.rank(index, x, 30, "tools", None, (), None, None, ran(index, x, last))
    assert mine.ids[0] == last
    assert [i for i in mine.ids if i != last] == list(shared.ids[:-1])  # the others stand as they stood
    scores, _ = unit_scores.of_ranking(index, mine)
    assert ((scores > 0.0) & (scores <= 1.0)).all()
    assert (np.diff(scores) <= 1e-6).all()
    if index.learned is None:  # for the others it is the similarity that it was
        before = dict(zip(shared.ids, unit_scores.of_ranking(index, shared)[0].tolist(), strict=True))
        np.testing.assert_allclose(scores[1:], [before[i] for i in mine.ids[1:]], atol=1e-4)
    many = scoring.rank_many(index, np.stack([x, -x]), 30, "tools", None, (), None, None, ran(index, x, last))
    assert many[0].ids == mine.ids
    failed = scoring.rank(index, x, 30, "tools", None, (), None, None, ran(index, x, shared.ids[0], worked=False))
    assert failed.ids[0] != shared.ids[0]


def test_it_speaks_of_tools_alone(index):
    x = np.random.default_rng(3).standard_normal(index.dimension).astype(np.float32)
    mine = ran(index, x, index.tools.ids[4])
    for evidence in (None, mine):
        found = scoring.rank(index, x, 5, "capabilities", None, (), None, None, evidence)
        assert found.ids == scoring.rank(index, x, 5, "capabilities", None, (), None, None).ids


def test_an_explanation_says_what_it_adds(index):
    x = np.random.default_rng(4).standard_normal(index.dimension).astype(np.float32)
    evidence = ran(index, x, index.tools.ids[7])
    ranking = scoring.rank(index, x, 30, "tools", None, (), None, None, evidence)
    why = explanation.explain(index, ranking, x, None, (), evidence).explanations
    assert ranking.ids[0] == index.tools.ids[7]
    assert why[0].channels["own"] > 0.0 > why[1].channels["own"]
    assert {e.weights["own"] for e in why} == {1.0}
    assert "own" not in explanation.explain(index, ranking, x, None, ()).explanations[0].channels
