"""What a job asks for: its model and traces, from wherever they come, and the training."""

import copy
import json

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shgat import SHGAT, Catalog
from shgat.errors import ShgatError, WorkerError
from shgat.store import Store
from shgat.traces import Trace
from shgat.worker import parse, train_in_child
from shgat.worker.protocol import failure
from shgat.worker.task import Task, accuracy


def build(job):
    return Task.build(parse(orjson.dumps(job)))


def refused(message, words):
    with pytest.raises(ShgatError, match=words) as caught:
        Task.build(parse(message))
    line = failure(caught.value)
    assert orjson.loads(line)["success"] is False
    assert line.count(b"\n") == 1


# ---------------------------------------------------------------- what it is about
def test_an_inline_job_is_a_model_and_its_traces(make_job):
    task = build(make_job())
    assert task.traces.ids[:2].tolist() == ["e0", "e1"]
    assert task.model.capability_ids == ["c0", "c1"]
    assert task.model.catalog.hierarchy.level_of.tolist() == [0, 1]


def test_parents_say_the_same_as_children(make_job):
    job = make_job()
    by_children = build(job).model.catalog.fingerprint
    del job["capabilities"][1]["children"]
    job["capabilities"][0]["parents"] = ["c1"]
    assert build(job).model.catalog.fingerprint == by_children


def test_a_capability_stands_for_all_its_tools(make_job):
    job = make_job(n=2)
    job["examples"][0]["candidateId"] = "c1"
    job["examples"][1] |= {"candidateId": "c1", "toolsUsed": ["t2"]}
    traces = build(job).traces
    assert [traces.tools.row(i).tolist() for i in (0, 1)] == [[0, 1, 2, 3], [2]]
    assert traces.capability.tolist() == [1, 1]


def test_a_tool_without_an_embedding_takes_the_mean_of_its_capabilities(make_job):
    job = make_job(n=2)
    del job["toolEmbeddings"]["t3"]
    model = build(job).model
    c1 = np.array(job["capabilities"][1]["embedding"])
    np.testing.assert_allclose(model.catalog.tool_embeddings[model.catalog.tool_column["t3"]], c1 / np.linalg.norm(c1), rtol=1e-5)


def test_parameters_that_are_sent_along_are_gone_on_from(make_job):
    first = build(make_job()).run()
    again = build(make_job(existingParams=first["params"]))
    assert again.model.export_params() == first["params"]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (b'{"modelPath": "\\u0000", "examplesPath": "x"}', "cannot read"),
        (b'{"modelPath": "/nowhere", "examplesPath": "x"}', "cannot read"),
        (b'{"modelPath": "\\ud800", "examplesPath": "x"}', "."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(message, words):
    refused(message, words)


FAULTS = {
    "null in an embedding": (("capabilities", 0, "embedding", 0), None, "not an array of numbers"),
    "a number too large": (("examples", 0, "intentEmbedding", 0), 1e300, "NaN or infinity"),
    "text in an embedding": (("examples", 3, "intentEmbedding", 2), "x", "not an array"),
    "a ragged embedding": (("examples", 0, "intentEmbedding", 0), [1.0], "not an array of numbers"),
    "a ragged embedding of a tool": (("toolEmbeddings", "t0", 0), [1.0], "not an array of numbers"),
    "a short embedding": (("examples", 3, "intentEmbedding"), [1.0], "shape"),
    "duplicate capabilities": (("capabilities", 1, "id"), "c0", "occurs 2 times"),
    "duplicate traces": (("examples", 1, "traceId"), "e0", "occurs twice"),
    "an unknown candidate": (("examples", 1, "candidateId"), "c9", "unknown capability or tool"),
    "a candidate that is a list": (("examples", 1, "candidateId"), [1], "candidateId"),
    "an unknown context tool": (("examples", 1, "contextTools"), ["t9"], "unknown tool"),
    "an unknown negative": (("examples", 1, "negativeCapIds"), ["c9"], "unknown capability"),
    "an unknown parent": (("capabilities", 0, "parents"), ["c9"], "unknown parent"),
    "an unknown child": (("capabilities", 0, "children"), ["c9"], "unknown capability"),
    "a cycle": (("capabilities", 0, "children"), ["c1"], "cycle"),
    "an outcome of 2": (("examples", 0, "outcome"), 2, "outcome"),
    "a success rate of 2": (("capabilities", 0, "successRate"), 2, "success_rate"),
    "null for a success rate": (("capabilities", 0, "successRate"), None, "success_rate"),
    "existing parameters of nothing": (("existingParams",), {}, "headParams"),
    "neither a candidate nor tools": (
        ("examples", 2, "candidateId"),
        None,
        "examples\\[2\\] has neither candidateId nor toolsUsed",
    ),
}


def spoilt(job, path, value):
    """The job as JSON, with the value at the path."""
    place = job
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return orjson.dumps(job)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(make_job, fault):
    path, value, words = FAULTS[fault]
    refused(spoilt(make_job(n=4), path, value), words)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_job_is_a_job_or_an_error(make_job, data):
    job = copy.deepcopy(make_job(n=3))
    place, value = job, data.draw(ANYTHING)
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.booleans()):
            place[key] = value
            break
        place = place[key]
    message = json.dumps(job, ensure_ascii=False).encode(errors="surrogatepass")
    try:
        Task.build(parse(message))
    except ShgatError as error:
        answer = failure(error)
        assert orjson.loads(answer)["error"]


# ---------------------------------------------------------------- what is done
def lengths(job):
    """Epochs of each run of its training, as announced."""
    seen = []
    build(job).run(lambda epoch: seen.append(epoch.of))
    return set(seen)


def test_a_job_without_epochs_trains_by_the_occasion(make_job):
    assert lengths(make_job(n=60, config={})) == {1}
    assert lengths(make_job(n=60, config={"fromScratch": True})) == {8, 1}  # refused, and updated
    assert lengths(make_job(n=60, config={"epochs": 3})) == {3}
    assert lengths(make_job(n=60, config={"epochs": 3, "fromScratch": True})) == {3}


def test_a_result_is_aligned_with_the_examples(make_job):
    job = make_job(n=60, config={"epochs": 2})
    result = build(job).run()
    assert result["success"] is True
    assert result["traceIds"] == [e["traceId"] for e in job["examples"]]
    assert len(result["tdErrors"]) == 60
    assert all(0.0 <= e <= 1.0 for e in result["tdErrors"])
    assert result["healthCheck"]["finalAccuracy"] == result["finalAccuracy"]


def test_accuracy_counts_what_succeeded(make_job):
    job = make_job(n=8)
    for i, example in enumerate(job["examples"]):
        example["outcome"] = float(i < 4)
        example["candidateId"] = f"t{i % 4}" if i < 4 else "t0"
    task = build(job)
    best = task.model.score(task.traces.vectors(np.arange(4))).argmax(axis=1)
    assert accuracy(task.model, task.traces) == np.mean(best == np.arange(4))
    for example in job["examples"]:
        example["outcome"] = 0.0
    task = build(job)
    assert accuracy(task.model, task.traces) == 0.0


# ---------------------------------------------------------------- from a store
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
        store.put_model(path.read_bytes(), {})
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
