"""The stream of `shgat gateway simulate`: what drifts, and how it is summed up."""

import numpy as np
import pytest

from shgat import Catalog
from shgat.cli.simulation import DRIFTING, WINDOWS, Simulation, Window, drift, table
from worlds import SAMPLE


def test_preferences_drift_within_a_server_and_for_some_tools():
    catalog = Catalog.load(SAMPLE)
    server = {t.id: t.server for t in catalog.tools}
    moved = drift(catalog, np.random.default_rng(0))
    assert moved.keys() == server.keys()
    assert all(server[a] == server[b] for a, b in moved.items())
    assert sum(a != b for a, b in moved.items()) / len(moved) == pytest.approx(DRIFTING, abs=0.15)
    assert moved == drift(catalog, np.random.default_rng(0))


def test_windows_count_by_their_intents():
    windows = [Window(0.0, 30, 0.5, 0.2), Window(1.0, 10, 0.9, 0.6, drifted=True)]
    found = Simulation(windows, idle=[0.001] * 9, training=[]).summary()
    assert found["intents"] == 40
    assert found["hit_at_1"] == {"live": pytest.approx(0.6), "cosine": pytest.approx(0.3)}
    assert found["hit_at_1_after_drift"]["live"] == found["hit_at_1_at_the_end"]["live"] == pytest.approx(0.9)
    assert found["latency_ms"]["idle"] == {"p50": pytest.approx(1.0), "p99": pytest.approx(1.0), "n": 9}
    assert found["latency_ms"]["while_training"]["n"] == 0


def test_nothing_yet_is_summed_up_too():
    assert Simulation().summary()["intents"] == 0
    assert table(Simulation()).rows == []


def test_the_table_has_a_row_a_window():
    grid = table(Simulation([Window(float(i), 5, 0.5, 0.25, drifted=i > 5) for i in range(WINDOWS)]))
    assert len(grid.rows) == WINDOWS
    assert grid.rows[0][2:4] == (" 50 % █████", "25 %")
    assert (grid.rows[5][-1], grid.rows[6][-1]) == ("", "drifted")
