"""Metrics against ir-measures and scikit-learn, their laws, ties, and what is refused."""

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, R, Success, nDCG

from shgat.errors import InputError
from shgat.graph import Incidence
from shgat.metrics import ranking
from shgat.metrics.ranking import (
    coverage,
    criterion,
    gini,
    per_query,
    per_query_from_ranks,
    ranks_of_relevant,
    summarize,
)

KS = (1, 3, 5, 10)
SCORES = np.zeros((1, 3), np.float32)


def unchecked(starts, columns):
    """An incidence of arrays as they are."""
    return Incidence(np.array(starts, np.int32), np.array(columns, np.int32))


def random_case(rng, n_rows=60, n=40, most=6, levels=None):
    """Scores, distinct or of few levels, and 0 to `most` relevant columns a row."""
    scores = rng.standard_normal((n_rows, n)).astype(np.float32)
    if levels is not None:
        scores = rng.integers(0, levels, (n_rows, n)).astype(np.float32)
    rows = [rng.choice(n, rng.integers(0, most + 1), replace=False).tolist() for _ in range(n_rows)]
    return scores, Incidence.from_rows(rows)


def ranks_by_sorting(scores, relevance):
    ranks = []
    for row in range(relevance.n_rows):
        order = np.argsort(-scores[row], kind="stable").tolist()
        columns = relevance.indices[relevance.indptr[row] : relevance.indptr[row + 1]]
        ranks += [order.index(c) + 1 for c in columns]
    return np.array(ranks, np.int64)


@pytest.mark.parametrize("levels", [None, 1, 2, 5])
def test_ranks_are_those_of_a_stable_sort(levels):
    scores, relevance = random_case(np.random.default_rng(0), levels=levels)
    assert np.array_equal(ranks_of_relevant(scores, relevance), ranks_by_sorting(scores, relevance))


def test_ties_go_to_the_lower_column():
    relevance = Incidence.from_rows([[0, 2, 3], [1]])
    scores = np.array([[1, 1, 1, 2], [-np.inf, -np.inf, 0, -np.inf]], np.float32)
    assert ranks_of_relevant(scores, relevance).tolist() == [2, 4, 1, 3]


@pytest.mark.parametrize("levels", [None, 3])
def test_sorting_and_counting_agree(levels):
    scores, relevance = random_case(np.random.default_rng(5), n_rows=30, n=200, most=120, levels=levels)
    assert (relevance.degrees > 64).any()
    expected = ranks_by_sorting(scores, relevance)
    assert np.array_equal(ranks_of_relevant(scores, relevance), expected)
    assert np.array_equal(ranks_of_relevant(scores.astype(np.float64), relevance), expected)
    assert np.array_equal(ranks_of_relevant(np.asfortranarray(scores), relevance), expected)


def test_rows_with_many_relevant_items_are_sorted_alike(monkeypatch):
    scores, relevance = random_case(np.random.default_rng(2), levels=7, most=30)
    counted = ranks_of_relevant(scores, relevance)
    monkeypatch.setattr(ranking, "_SORT_ABOVE", 3)
    assert np.array_equal(ranks_of_relevant(scores, relevance), counted)


def test_streamed_blocks_of_rows_give_the_whole():
    scores, relevance = random_case(np.random.default_rng(3))
    parts = [np.arange(0, 25), np.arange(25, 26), np.arange(26, 60)]
    ranks = np.concatenate([ranks_of_relevant(scores[rows], relevance.take(rows)) for rows in parts])
    whole, streamed = per_query(scores, relevance, KS), per_query_from_ranks(ranks, relevance, KS)
    assert whole.keys() == streamed.keys()
    for name, values in whole.items():
        np.testing.assert_array_equal(values, streamed[name])


def test_against_ir_measures():
    scores, relevance = random_case(np.random.default_rng(4), n_rows=200)
    qrels, run = {}, {}
    for row in range(relevance.n_rows):
        mine = relevance.indices[relevance.indptr[row] : relevance.indptr[row + 1]]
        if mine.size:
            qrels[str(row)] = {str(c): 1 for c in mine}
            run[str(row)] = {str(c): float(s) for c, s in enumerate(scores[row])}
    theirs = {"mrr": RR, "map": AP}
    for k in KS:
        theirs |= {f"hit@{k}": Success @ k, f"recall@{k}": R @ k, f"ndcg@{k}": nDCG @ k}
    ours = per_query(scores, relevance, KS)
    names = {measure: name for name, measure in theirs.items()}
    seen = 0
    for metric in ir_measures.iter_calc(list(theirs.values()), qrels, run):
        assert ours[names[metric.measure]][int(metric.query_id)] == pytest.approx(metric.value, abs=1e-6)
        seen += 1
    assert seen == len(theirs) * len(qrels)


def test_comp_is_the_whole_set_in_the_top_k():
    scores = np.array([[4, 3, 2, 1]], np.float32)
    values = per_query(scores, Incidence.from_rows([[0, 2]]), (1, 2, 3))
    assert [values[f"comp@{k}"][0] for k in (1, 2, 3)] == [0.0, 0.0, 1.0]


def test_a_row_without_relevant_items_has_no_value():
    scores = np.zeros((3, 4), np.float32)
    values = per_query(scores, Incidence.from_rows([[], [0], []]))
    assert all(np.isnan(v[[0, 2]]).all() and v[1] == 1.0 for v in values.values())
    summary = summarize(values)
    assert summary.pop("n") == 1.0
    assert set(summary.values()) == {1.0}


def test_nothing_relevant_at_all():
    for n_rows in (0, 2):
        values = per_query(np.zeros((n_rows, 3), np.float32), Incidence.from_rows([[]] * n_rows))
        summary = summarize(values)
        assert summary["n"] == 0.0
        assert np.isnan(summary["mrr"])


def test_the_criterion_is_the_mean_of_its_three_and_nothing_where_there_is_nothing_to_find():
    scores, relevance = random_case(np.random.default_rng(6))
    values = per_query(scores, relevance)
    np.testing.assert_allclose(
        criterion(values), np.mean([values["recall@5"], values["ndcg@5"], values["comp@5"]], axis=0), rtol=1e-12
    )
    np.testing.assert_array_equal(np.isnan(criterion(values)), relevance.degrees == 0)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_laws(seed):
    rng = np.random.default_rng(seed)
    scores, relevance = random_case(rng, n_rows=12, n=15, most=5)
    values = per_query(scores, relevance, (1, 3, 15, 99))
    some = relevance.degrees > 0

    rows, columns = rng.permutation(12), rng.permutation(15)
    where = np.argsort(columns)
    lists = [where[relevance.indices[relevance.indptr[r] : relevance.indptr[r + 1]]].tolist() for r in rows]
    moved = per_query(scores[np.ix_(rows, columns)], Incidence.from_rows(lists), (1, 3, 15, 99))
    scaled = per_query(scores * 4.0 - 1.0, relevance, (1, 3, 15, 99))
    for name, v in values.items():
        np.testing.assert_allclose(moved[name], v[rows], rtol=1e-12)  # neither rows nor columns have an order
        np.testing.assert_array_equal(scaled[name], v)  # only the order of scores counts
        assert ((v[some] >= 0.0) & (v[some] <= 1.0 + 1e-12)).all()
    for k in (1, 3, 15):
        hit, recall, comp, ndcg = (values[f"{m}@{k}"][some] for m in ("hit", "recall", "comp", "ndcg"))
        assert (comp <= recall + 1e-12).all()
        assert (recall <= hit + 1e-12).all()
        assert ((ndcg > 0) == (hit > 0)).all()
    assert (values["recall@15"][some] == 1.0).all()
    np.testing.assert_allclose(values["ndcg@15"], values["ndcg@99"])
    assert (values["map"][some] <= 1.0 + 1e-12).all()
    assert (values["mrr"][some] >= values["hit@1"][some]).all()


def test_coverage_and_gini():
    assert coverage(np.array([[0, 1], [1, -1]]), 4) == 0.5
    assert gini(np.array([[0, 1], [2, 3]]), 4) == pytest.approx(0.0)
    assert gini(np.zeros((7, 1), int), 4) == pytest.approx(0.75)
    assert gini(np.full((2, 2), -1), 4) == 0.0
    shown = np.random.default_rng(0).integers(0, 30, (50, 5))
    x = np.bincount(shown.ravel(), minlength=30)
    by_pairs = np.abs(x[:, None] - x).sum() / (2 * 30 * x.sum())  # half the relative mean absolute difference
    assert gini(shown, 30) == pytest.approx(by_pairs)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ranks_of_relevant(SCORES, unchecked([0, 2], [1, 1])), "columns of row 0"),
        (lambda: ranks_of_relevant(SCORES, unchecked([0, 1], [-1])), "columns of row 0"),
        (lambda: ranks_of_relevant(SCORES, unchecked([0, 1], [1, 2])), "rises from 0"),
        (lambda: ranks_of_relevant(SCORES, Incidence(np.array([0.0, 1.0]), np.array([1], np.int32))), "indptr"),
        (lambda: per_query_from_ranks(np.array([1, 2]), unchecked([0, 2], [2, 1])), "columns of row 0"),
        (lambda: ranks_of_relevant(np.zeros((2, 3), np.float32), Incidence.from_rows([[0]])), r"\(1, n\)"),
        (lambda: ranks_of_relevant(np.zeros((1, 3), np.float32), Incidence.from_rows([[3]])), "column 3"),
        (
            lambda: ranks_of_relevant(np.full((1, 3), np.nan, np.float32), Incidence.from_rows([[0]])),
            "row 0 holds NaN",
        ),
        (lambda: per_query_from_ranks(np.array([0]), Incidence.from_rows([[3]])), "from 1"),
        (lambda: per_query(np.zeros((1, 3), np.float32), Incidence.from_rows([[0]]), (0,)), "cut-off"),
        (lambda: coverage(np.array([4]), 4), "below n = 4"),
    ],
)
def test_refusals_name_the_item(make, message):
    with pytest.raises(InputError, match=message):
        make()
