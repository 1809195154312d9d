"""What was mined from traces is unknown while they are held out; what was declared is not; and how the two are told apart."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from shgat import Catalog, Traces
from shgat.training.origins import looks_mined
from shgat.training.targets import CapabilityTargets
from training import planted

RUNS = [[0, 1], [0, 1], [2, 3], [4, 5], [0, 5]]


def origins(*said):
    """Of capabilities {0,1}, {2,3}, {4,5} that say where they come from; five traces x0..x4, the last of which ran none of them."""
    catalog = planted.catalog(np.random.default_rng(0), 6, [((0, 1), ()), ((2, 3), ()), ((4, 5), ())], 8)
    tools, capabilities = catalog.records()
    of = Catalog.from_records(tools, [replace(c, origin=origin) for c, origin in zip(capabilities, said, strict=True)])
    traces = Traces.from_records([planted.record(i, np.ones(8), ran) for i, ran in enumerate(RUNS)], of)
    return CapabilityTargets.build(traces, of).origins


def unknown(found, *held_out):
    return found.unknown(~np.isin(np.arange(len(RUNS)), held_out)).tolist()


def test_what_was_declared_is_always_known():
    assert unknown(origins("declared", "declared", "declared"), 0, 1, 2, 3, 4) == [False, False, False]


def test_what_was_mined_needs_one_of_its_traces():
    found = origins(("x0",), 1, "declared")
    assert unknown(found, 0, 2) == [False, True, False]  # x1 ran the same
    assert unknown(found, 0, 1, 2) == [True, True, False]
    assert unknown(found) == [False, False, False]


def test_what_was_mined_from_traces_of_other_tools_needs_those():
    assert unknown(origins(("x0", "x1", "x4"), "declared", "declared"), 0, 1) == [False, False, False]
    assert unknown(origins(("x0", "x1", "x4"), "declared", "declared"), 0, 1, 4) == [True, False, False]


@pytest.mark.parametrize("origin", [3, ("x0", "x1", "elsewhere")])
def test_what_others_gave_rise_to_as_well_is_known(origin):
    assert unknown(origins(origin, "declared", "declared"), 0, 1) == [False, False, False]


def test_it_tells_what_it_took_them_for():
    assert origins("declared", 2, None).to_dict() == {"declared": 1, "mined": 1, "unsaid": 1, "assumed": "declared"}
    assert origins("declared", 2, ("x0",)).to_dict()["assumed"] is None


def sets(rng, n):
    return list({frozenset(rng.choice(60, 3, replace=False).tolist()) for _ in range(n)})


@pytest.mark.parametrize("least", [1, 2, 3])
def test_sets_that_were_mined_are_told(least):
    rng = np.random.default_rng(least)
    pool = sets(rng, 400)
    ran = Counter(pool[i] for i in rng.zipf(1.3, 600).tolist() if i < len(pool))
    mined = [s for s, n in ran.items() if n >= least]
    categories = [frozenset(range(10 * i, 10 * i + 10)) for i in range(2)]  # some are declared beside them
    uses = np.array([ran[s] for s in mined] + [0, 0])
    assert looks_mined(uses, ran, {*mined, *categories})


def test_sets_that_were_declared_are_told():
    rng = np.random.default_rng(0)
    pool = sets(rng, 400)
    ran = Counter(pool[i] for i in rng.integers(0, len(pool), 300).tolist())
    everything = np.array([ran[s] for s in pool])
    assert not looks_mined(everything, ran, set(pool))  # as many were never used as 300 draws leave over
    some = pool[:200]
    assert not looks_mined(np.array([ran[s] for s in some]), ran, set(some))  # and people do what nobody declared
    assert not looks_mined(np.zeros(5, int), Counter(), set(pool[:5]))
