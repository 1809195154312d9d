"""The reference of the version that serves is made once of what was before it, and kept."""

import numpy as np
import pytest

from drift import stored
from shgat import Catalog
from shgat.drift import kept
from shgat.errors import InputError
from shgat.store import Store


@pytest.fixture
def filled(tmp_path):
    url = f"sqlite:///{tmp_path}/s.db"
    stored.fill(url, 0.0)
    with Store.open(url, clock=lambda: stored.MADE + 1e4) as store:
        yield store


def test_it_is_made_once_of_the_traces_before(filled):
    first = kept.serving(filled, stored.catalog())
    assert (first.version, first.made_at, first.made) == (1, stored.MADE, True)
    assert sum(n for _, n in first.reference.outcomes.values()) == 400
    again = kept.serving(filled, stored.catalog())
    assert not again.made
    assert np.array_equal(again.reference.coordinates, first.reference.coordinates)
    anew = kept.serving(filled, stored.catalog(), anew=True)
    assert sum(n for _, n in anew.reference.outcomes.values()) == 600


def test_the_window_is_what_came_later(filled):
    window = kept.since(filled, stored.catalog(), stored.MADE)
    assert len(window) == 200
    assert window.scores.max() <= 1.0


def test_the_score_is_the_cosine_of_the_nearest_tool():
    tools = stored.catalog().tool_embeddings
    found = kept.best_cosine(np.stack([2.0 * tools[3], np.zeros(stored.D, np.float32)]), stored.catalog())
    assert found == pytest.approx([1.0, 0.0], abs=1e-6)
    with pytest.raises(InputError, match="no embeddings"):
        kept.best_cosine(tools, Catalog.from_records([{"id": "a", "text": "a"}], []))


def test_without_a_version_there_is_nothing_to_drift_from(tmp_path):
    url = f"sqlite:///{tmp_path}/s.db"
    stored.fill(url, 0.0, version=False)
    with Store.open(url) as store, pytest.raises(InputError, match="no model serves"):
        kept.serving(store, stored.catalog())


def test_a_version_of_another_registry_is_none_that_it_could_have_drifted_from(filled):
    filled.move_alias("production", 99)  # as MLflow's are numbered
    with pytest.raises(InputError, match="no model serves"):
        kept.serving(filled, stored.catalog())
