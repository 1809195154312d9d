"""What was known before: what training rows vouch for, and rates counted over them."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import Catalog
from shgat.errors import CatalogError, InputError
from shgat.experiments.point_in_time import known, moved
from shgat.model.channels import tools_within


def originating(catalog, origin):
    tools, capabilities = catalog.records()
    return Catalog.from_records(tools, [replace(c, origin=origin) for c in capabilities])


def test_the_origin_of_what_is_kept_speaks_of_the_past_alone(trained):
    catalog, traces = trained.catalog, trained.train
    named = int(traces.capability[0])
    rows = np.flatnonzero(traces.capability == named)
    tools, capabilities = catalog.records()
    of = {0: tuple(traces.ids[rows].tolist()), 1: len(rows), 2: "declared"}
    for kind, origin in of.items():
        told = [replace(c, origin=origin if c.id == catalog.capabilities[named].id else None) for c in capabilities]
        before = known(Catalog.from_records(tools, told), traces, rows[:1])
        kept = before.capabilities[before.capability_column[catalog.capabilities[named].id]]
        assert kept.origin == {0: (traces.ids[rows[0]],), 1: 1, 2: "declared"}[kind]


def test_a_capability_that_only_later_traces_vouch_for_is_unknown(trained):
    catalog, traces = trained.catalog, trained.train
    train = np.arange(60)
    named = [{catalog.capabilities[c].id for c in traces.capability[rows] if c >= 0} for rows in (train, np.arange(60, 400))]
    ran = {frozenset(traces.tools.row(i).tolist()) for i in train.tolist()}
    exact = {c.id for c, tools in zip(catalog.capabilities, tools_within(catalog.hierarchy), strict=True) if tools in ran}
    vouched = {c.id for c in known(catalog, traces, train, rule="vouched").capabilities}
    assert vouched == named[0] | exact
    only_later = named[1] - vouched
    assert only_later
    mined = originating(catalog, 1)
    lenient = {c.id for c in known(mined, traces, train).capabilities}
    assert not only_later & lenient
    assert only_later <= {c.id for c in known(originating(catalog, "declared"), traces, train, rule="vouched").capabilities}
    everything = {frozenset(traces.tools.row(i).tolist()) for i in range(400)}
    used = {c.id for c, tools in zip(catalog.capabilities, tools_within(catalog.hierarchy), strict=True) if tools in everything}
    never = {c.id for c in catalog.capabilities if c.success_rate is None} - used
    assert never
    assert never <= lenient


def test_members_that_are_unknown_are_members_no_more(trained):
    before = known(trained.catalog, trained.train, np.arange(60), rule="vouched")
    left = {c.id for c in before.capabilities}
    assert len(left) < len(trained.catalog.capabilities)
    assert all(set(c.capabilities) <= left for c in before.capabilities)
    assert [t.id for t in before.tools] == [t.id for t in trained.catalog.tools]


def test_success_rates_are_those_of_the_training_rows(trained):
    rows = np.arange(0, 400, 2)
    before = known(trained.catalog, trained.train, rows)
    for c in before.capabilities:
        own = trained.train.capability[rows] == trained.catalog.capability_column[c.id]
        assert c.uses == own.sum()
        if c.uses:
            assert c.success_rate == pytest.approx(trained.train.outcome[rows][own].mean())
        else:
            assert c.success_rate is None


def test_traces_move_with_their_capabilities(trained):
    before = known(trained.catalog, trained.train, np.arange(60), rule="vouched")
    after = moved(trained.train, trained.catalog, before)
    for old, new in zip(trained.train.capability.tolist(), after.capability.tolist(), strict=True):
        name = trained.catalog.capabilities[old].id if old >= 0 else None
        assert (before.capabilities[new].id if new >= 0 else None) == (name if name in before.capability_column else None)


def test_of_a_cold_tool_nothing_is_known_but_its_text(trained):
    catalog, cold = trained.catalog, np.arange(0, 83, 5)
    gone = {catalog.tools[t].id for t in cold.tolist()}
    whole, before = (known(catalog, trained.train, np.arange(400), cold=columns) for columns in (None, cold))
    assert [(t.id, t.text) for t in before.tools] == [(t.id, t.text) for t in catalog.tools]
    assert gone & {t for c in whole.capabilities for t in c.tools}
    for own, c in zip(whole.capabilities, before.capabilities, strict=True):
        assert c.id == own.id
        assert c.tools == tuple(t for t in own.tools if t not in gone)


def test_an_unknown_rule_and_a_catalogue_without_embeddings(trained):
    with pytest.raises(InputError, match="rule is one of"):
        known(trained.catalog, trained.train, np.arange(9), rule="later")
    bare = replace(trained.catalog, tool_embeddings=None, capability_embeddings=None)
    with pytest.raises(CatalogError, match="no embeddings"):
        known(bare, trained.train, np.arange(9))
