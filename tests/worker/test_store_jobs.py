"""Jobs that name a store: its catalogue, its newest parameters and its traces are what is trained."""

import numpy as np
import pytest

from shgat import SHGAT, Catalog
from shgat.errors import WorkerError
from shgat.store import Store
from shgat.traces import Trace
from shgat.worker import train_in_child

D = 8
X = np.random.default_rng(0).standard_normal((6, D)).astype(np.float32)
CATALOG = Catalog.from_records(
    [{"id": f"t{i}", "embedding": X[i]} for i in (3, 1, 0, 2)],
    [
        {"id": "c", "tools": ["t0", "t1"], "embedding": X[4]},
        {"id": "above", "tools": ["t2", "t3"], "capabilities": ["c"], "embedding": X[5]},
    ],
)


def traces(n):
    rng = np.random.default_rng(1)
    near = [X[i % 4] + 0.1 * rng.standard_normal(D).astype(np.float32) for i in range(n)]
    return [Trace(id=f"e{i}", intent=f"do {i % 4}", embedding=x, tools=(f"t{i % 4}",), outcome=1.0) for i, x in enumerate(near)]


def test_a_store_is_trained_from_and_its_newest_parameters_are_gone_on_from(url, tmp_path):
    path = tmp_path / "trained.safetensors"
    with Store.open(url, D) as store:
        store.keep_catalog(CATALOG)
        store.add_traces(traces(60))
        store.add_trace(Trace(id="of another catalogue", intent="i", embedding=X[0], tools=("gone",), outcome=1.0))
        store.add_trace(Trace(id="without an embedding", intent="i", tools=("t0",), outcome=1.0))
    job = {"storeUrl": url, "config": {"epochs": 2, "maxTraces": 50, "learningRate": 1e-2}, "paramsPath": str(path)}
    first = train_in_child(job, timeout=60)
    trained = SHGAT.load(path)
    assert len(first.td_errors) == 48  # the latest 50 without the two that cannot be used
    assert set(first.td_errors) <= {f"e{i}" for i in range(60)}
    assert sorted(trained.tool_ids) == ["t0", "t1", "t2", "t3"]
    assert {c.id: c.capabilities for c in trained.catalog.capabilities} == {"c": (), "above": ("c",)}
    with Store.open(url) as store:
        store.put_parameters(path.read_bytes(), {})
    second = train_in_child(job | {"config": {"epochs": 1, "learningRate": 1e-8, "maxTraces": 50}}, timeout=60)
    assert second.health["baselineAccuracy"] == first.final_accuracy  # it began where the first one ended


def test_a_store_without_a_catalogue_or_traces_is_an_error_with_a_remedy(url):
    Store.open(url, D).close()
    with pytest.raises(WorkerError, match=r"no catalogue; open a Ranker"):
        train_in_child({"storeUrl": url}, timeout=60)
    with Store.open(url) as store:
        store.keep_catalog(CATALOG)
    with pytest.raises(WorkerError, match="no traces"):
        train_in_child({"storeUrl": url}, timeout=60)


def test_a_store_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(WorkerError, match="no such store"):
        train_in_child({"storeUrl": f"sqlite:///{tmp_path / 'nowhere.db'}"}, timeout=60)
