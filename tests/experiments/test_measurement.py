"""Measuring a model: the ranks are those that `rank` gives, and blocks change nothing."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import SHGAT
from shgat.errors import InputError
from shgat.executor import Processes
from shgat.experiments.measurement import Measurement, measure, measure_cosine
from shgat.graph import Incidence


def test_ranks_are_those_of_rank(trained):
    found = measure(trained.model, trained.test)
    n = len(trained.catalog.tools)
    for row in (0, 17, 63, 99):
        x, text = trained.test.vectors(np.array([row]))[0], trained.test.texts[row]
        context = [trained.catalog.tools[t].id for t in trained.test.context.row(row)]
        order = trained.model.rank(x, n, text=text, context_tools=context).ids
        expected = [1 + order.index(trained.catalog.tools[t].id) for t in trained.test.tools.row(row)]
        assert found.ranks[found.relevance.indptr[row] : found.relevance.indptr[row + 1]].tolist() == expected


def test_blocks_change_nothing(trained):
    whole, blocked = (measure(trained.model, trained.test, block=block) for block in (512, 7))
    assert np.array_equal(whole.ranks, blocked.ranks)


def test_context_is_that_of_each_intent(trained):
    """With a trained context map, the intent's own context tools count and nobody else's."""
    model = SHGAT.load(trained.path)
    d = model.dimension
    model.params["w_context"][:] = np.eye(d, dtype=np.float32)
    model.invalidate()
    with_context = trained.test.context.degrees > 0
    assert with_context.any()
    assert not with_context.all()
    context = Incidence.from_rows([] for _ in range(len(trained.test)))
    mixed, bare = (measure(model, t) for t in (trained.test, replace(trained.test, context=context)))
    changed = mixed.metrics["mrr"] != bare.metrics["mrr"]
    assert changed.any()
    assert not changed[~with_context].any()


def test_failed_traces_need_nothing(trained):
    found = measure(trained.model, trained.train)
    failed = trained.train.outcome < 0.5
    assert failed.any()
    assert np.isnan(found.metrics["mrr"][failed]).all()
    assert int(found.parts["all"].sum()) == int((~failed).sum())
    with pytest.raises(InputError, match="none of the 38 traces succeeded"):
        measure(trained.model, trained.train.take(np.flatnonzero(failed)))


def test_cold_intents_need_a_tool_without_traces(trained):
    found = measure(trained.model, trained.test)
    assert {part: int(rows.sum()) for part, rows in found.parts.items()} == {"all": 100, "warm": 88, "cold": 12}
    assert set(measure(SHGAT.from_catalog(trained.catalog), trained.test).parts) == {"all"}


def test_an_untrained_model_ranks_as_cosine_does(trained):
    untrained = measure(SHGAT.from_catalog(trained.catalog), trained.test)
    assert np.array_equal(untrained.ranks, measure_cosine(trained.catalog, trained.test).ranks)


def test_pooled_is_the_same_as_at_once(trained):
    parts = [measure(trained.model, trained.test.take(rows)) for rows in np.array_split(np.arange(100), 3)]
    pooled, whole = Measurement.pooled(parts), measure(trained.model, trained.test)
    assert np.array_equal(pooled.ranks, whole.ranks)
    assert np.array_equal(pooled.cold, whole.cold)
    assert np.array_equal(pooled.metrics["ndcg@5"], whole.metrics["ndcg@5"])


def test_two_processes_find_the_ranks_of_one(trained):
    with Processes(2) as executor:
        spread = measure(trained.model, trained.test, block=16, executor=executor)
    assert np.array_equal(spread.ranks, measure(trained.model, trained.test, block=16).ranks)
