"""What an intent is wanted to find, and that nothing of the held-out part reaches the training."""

import dataclasses

import numpy as np
import pytest

from shgat import SHGAT, Catalog, SHGATConfig, Traces, TrainingConfig
from shgat.graph import Incidence
from shgat.model.channels import CHANNELS
from shgat.training import Examples, Trainer
from shgat.training.fit import _Plan, _settings
from shgat.training.selection import Variant
from shgat.training.targets import CapabilityTargets, Targets, tool_targets
from training import planted


def as_rows(targets):
    rows = targets.incidence
    return [
        {int(c): round(float(v), 5) for c, v in zip(rows.row(i), targets.values[rows.indptr[i] : rows.indptr[i + 1]], strict=True)}
        for i in range(rows.n_rows)
    ]


def some():
    """Capabilities {0,1}, {2} + c0, {}, {0,1} again, {3,4,5}; five traces."""
    members = [((0, 1), ()), ((2,), (0,)), ((), ()), ((1, 0), ()), ((3, 4, 5), ())]
    catalog = planted.catalog(np.random.default_rng(0), 7, members, 8)
    runs = [([0, 1], None), ([0, 1, 2], None), ([5, 6], "c4"), ([6], None), ([3, 4], None), ([], "c2"), ([0, 3], None)]
    records = [planted.record(i, np.ones(8), tools, **({"capability": c} if c else {})) for i, (tools, c) in enumerate(runs)]
    traces = Traces.from_records(records, catalog)
    return catalog, traces, CapabilityTargets.build(traces, catalog)


def test_capability_targets():
    _, traces, targets = some()
    assert as_rows(tool_targets(traces))[:3] == [{0: 0.5, 1: 0.5}, {0: 0.33333, 1: 0.33333, 2: 0.33333}, {5: 0.5, 6: 0.5}]
    assert as_rows(targets.exact) == [{0: 0.5, 3: 0.5}, {1: 1.0}, {4: 1.0}, {}, {}, {2: 1.0}, {}]
    j = np.array([1.0, (2 / 3) ** 4, 1.0])
    assert as_rows(targets.overlapping)[0] == {c: round(float(v), 5) for c, v in zip((0, 1, 3), j / j.sum(), strict=True)}
    assert as_rows(targets.overlapping)[3:6] == [{}, {4: 1.0}, {}]
    assert as_rows(targets.overlapping)[6].keys() == {0, 1, 3, 4}


def test_support_and_the_unknown():
    _, _, targets = some()
    assert [targets.support.row(c).tolist() for c in range(5)] == [[0], [1], [5], [0], [2]]  # c4 is named by trace 2
    training = np.array([False, True, False, True, True, True, True])
    np.testing.assert_array_equal(targets.unknown(training), [True, False, False, True, True])
    assert not targets.unknown(np.ones(7, bool)).any()


def test_hidden_targets_leave_distributions():
    _, _, targets = some()
    hidden = np.array([True, False, False, False, True])
    seen = as_rows(targets.visible(np.arange(7), hidden))
    assert seen[0] == {3: 1.0}
    assert seen[2] == seen[4] == {}
    assert all(not row or sum(row.values()) == pytest.approx(1.0, abs=1e-4) for row in seen)
    everything = as_rows(targets.visible(np.arange(7), np.zeros(5, bool)))
    assert everything[4] == {4: 1.0}  # overlapping where nothing is exact


def test_take_without_and_merged():
    t = Targets(Incidence.from_rows([[0, 2], [1], []]), np.array([0.25, 0.75, 1.0], np.float32))
    assert as_rows(t.take(np.array([2, 0, 0]))) == [{}, {0: 0.25, 2: 0.75}, {0: 0.25, 2: 0.75}]
    assert as_rows(t.without(np.array([True, True, False]))) == [{2: 1.0}, {}, {}]
    other = Targets(Incidence.from_rows([[1], [0], [0, 1]]), np.array([1.0, 1.0, 0.5, 0.5], np.float32))
    assert as_rows(t.merged(other, np.array([False, False, True]))) == [{0: 0.25, 2: 0.75}, {1: 1.0}, {0: 0.5, 1: 0.5}]


def mined(rng, n_tools=20, n_traces=90, d=16, *, named=False):
    """Every trace runs a random pair or triple; the catalogue holds each such set as a capability, some in others."""
    sets = [tuple(sorted(rng.choice(n_tools, int(rng.integers(2, 4)), replace=False).tolist())) for _ in range(n_traces)]
    unique = list(dict.fromkeys(sets))
    members = [(s, ()) for s in unique] + [((1,), (0, 3, 5)), ((2,), (len(unique),))]
    catalog = planted.catalog(rng, n_tools, members, d)
    records = [
        planted.record(i, rng.standard_normal(d), s, **({"capability": f"c{unique.index(s)}"} if named else {}))
        for i, s in enumerate(sets)
    ]
    return catalog, records


def poisoned(catalog, columns, rng):
    """The catalogue with other texts and embeddings of some capabilities."""
    embeddings = catalog.capability_embeddings.copy()
    embeddings[columns] = planted.unit(rng.standard_normal((len(columns), embeddings.shape[1])))
    capabilities = tuple(dataclasses.replace(c, text="poison") if i in columns else c for i, c in enumerate(catalog.capabilities))
    return Catalog(catalog.tools, capabilities, catalog.tool_embeddings, embeddings)


@pytest.mark.parametrize("named", [False, True], ids=["", "named"])
@pytest.mark.parametrize("offsets", [False, True], ids=["", "offsets"])
@pytest.mark.parametrize("negatives", ["all", "semi-hard"])
def test_a_capability_that_only_held_out_traces_vouch_for_influences_nothing(negatives, offsets, named):
    catalog, records = mined(np.random.default_rng(0), named=named)
    rows = np.arange(60)
    config = TrainingConfig(epochs=3, batch_size=16, lr=1e-2, negatives=negatives, n_negatives=4)

    def trainer(of):
        model, traces = SHGAT.from_catalog(of, SHGATConfig(node_offsets=offsets)), Traces.from_records(records, of)
        return Trainer(Examples.build(of, traces), None, model.config, model.params, config, rows, 0)

    a = trainer(catalog)
    assert a.unknown.sum() > 20
    b = trainer(poisoned(catalog, np.flatnonzero(a.unknown).tolist(), np.random.default_rng(1)))
    clean, dirty = a.run(), b.run()
    assert clean.losses == dirty.losses
    assert a.result().buffer.tobytes() == b.result().buffer.tobytes()


def test_nor_does_it_influence_what_is_predicted_of_held_out_traces():
    catalog, records = mined(np.random.default_rng(0))
    settings = _settings(TrainingConfig(epochs=2, lr=1e-2), 90, None, None, None)

    def plan(of):
        return _Plan(SHGAT.from_catalog(of), Traces.from_records(records, of), settings, 0, CHANNELS, lambda epoch: None)

    clean = plan(catalog)
    (training, rows), *_ = clean.folds
    clean.folds = clean.folds[:1]
    inside = np.zeros(90, bool)
    inside[training] = True
    unknown = np.flatnonzero(clean.examples.capabilities.unknown(inside)).tolist()
    assert unknown
    dirty = plan(poisoned(catalog, unknown, np.random.default_rng(1)))
    dirty.folds = dirty.folds[:1]
    a, b = (p.validate(Variant(message_passing=True, node_offsets=False)).held for p in (clean, dirty))
    for name, scores in a.scores.items():
        np.testing.assert_array_equal(scores, b.scores[name], err_msg=name)
    assert len(rows) == len(a.wanted)


def test_where_every_capability_is_hidden_the_route_says_nothing():
    from shgat.model.channels import Channels
    from shgat.traces.columns import remembered

    catalog, traces, _ = some()
    channels = Channels.build(catalog, remembered(traces, np.arange(7)))
    z = np.full((2, 5), -1e30, np.float32)
    np.testing.assert_allclose(channels.route(z), np.log(1e-4), rtol=1e-5)
    z[:, 1] = 3.0
    np.testing.assert_allclose(channels.route(z)[0, :3], np.log(1.0 + 1e-4), atol=1e-5)
    np.testing.assert_allclose(channels.route(z)[0, 3:], np.log(1e-4), rtol=1e-5)
