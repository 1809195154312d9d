"""Whatever comes in, a job or an error comes out."""

import copy
import json
import math

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shgat.errors import InputError, ShgatError
from shgat.worker import parse
from shgat.worker.task import Task
from shgat.worker.protocol import dump, failure


def refused(message, words):
    with pytest.raises(ShgatError, match=words) as caught:
        Task.build(parse(message))
    line = failure(caught.value)
    assert orjson.loads(line)["success"] is False
    assert line.count(b"\n") == 1


def test_a_job_is_read_as_it_stands(make_job):
    job = parse(orjson.dumps(make_job()))
    assert (job.config.epochs, job.config.batch_size, job.config.learning_rate) == (1, 8, 1e-3)
    task = Task.build(job)
    assert task.traces.ids[:2].tolist() == ["e0", "e1"]
    assert task.model.capability_ids == ["c0", "c1"]
    assert task.model.catalog.hierarchy.level_of.tolist() == [0, 1]


def test_parents_say_the_same_as_children(make_job):
    job = make_job()
    by_children = Task.build(parse(orjson.dumps(job))).model.catalog.fingerprint
    del job["capabilities"][1]["children"]
    job["capabilities"][0]["parents"] = ["c1"]
    assert Task.build(parse(orjson.dumps(job))).model.catalog.fingerprint == by_children


def test_a_capability_stands_for_all_its_tools(make_job):
    job = make_job(n=2)
    job["examples"][0]["candidateId"] = "c1"
    job["examples"][1] |= {"candidateId": "c1", "toolsUsed": ["t2"]}
    traces = Task.build(parse(orjson.dumps(job))).traces
    assert [traces.tools.row(i).tolist() for i in (0, 1)] == [[0, 1, 2, 3], [2]]
    assert traces.capability.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b'{"capabilities": "\xc3\x28"}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a":' * 100_000, "not JSON"),
        (b'{"config": {"learningRate": NaN}}', "not JSON"),
        (b"[]", "an object"),
        (b"null", "an object"),
        (b"{}", "exactly one"),
        (b'{"modelPath": "x", "storeUrl": "y"}', "exactly one"),
        (b'{"modelPath": "\\u0000", "examplesPath": "x"}', "cannot read"),
        (b'{"modelPath": "/nowhere", "examplesPath": "x"}', "cannot read"),
        (b'{"modelPath": 5, "examplesPath": "x"}', "modelPath"),
        (b'{"modelPath": "\\ud800", "examplesPath": "x"}', "."),
        (b'{"hello": 1}', "unknown field 'hello'"),
    ],
)
def test_what_is_no_job_is_refused(message, words):
    refused(message, words)


FAULTS = {
    "null in an embedding": (("capabilities", 0, "embedding", 0), None, "not an array of numbers"),
    "null for an embedding": (("examples", 0, "intentEmbedding"), None, "no intentEmbedding"),
    "a number too large": (("examples", 0, "intentEmbedding", 0), 1e300, "NaN or infinity"),
    "text in an embedding": (("examples", 3, "intentEmbedding", 2), "x", "not an array"),
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
    "no outcome": (("examples", 0, "outcome"), None, "no outcome"),
    "a success rate of 2": (("capabilities", 0, "successRate"), 2, "success_rate"),
    "null for a success rate": (("capabilities", 0, "successRate"), None, "success_rate"),
    "zero epochs": (("config", "epochs"), 0, "epochs"),
    "half an epoch": (("config", "epochs"), 0.5, "epochs"),
    "null epochs": (("config", "epochs"), None, "epochs"),
    "endless epochs": (("config", "epochs"), 10**9, "epochs"),
    "a flag that is text": (("config", "usePER"), "yes", "usePER"),
    "an unknown setting": (("config", "lr"), 1, "unknown field 'lr'"),
    "an unknown field": (("examples", 0, "reward"), 1, "unknown field 'reward'"),
    "existing parameters of nothing": (("existingParams",), {}, "headParams"),
    "examples that are no list": (("examples",), {"a": 1}, "a list"),
    "no examples": (("examples",), [], "a list"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(make_job, fault):
    path, value, words = FAULTS[fault]
    job = make_job(n=4)
    place = job
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    refused(orjson.dumps(job), words)


def test_numbers_that_json_does_not_have_are_refused_on_the_way_out():
    with pytest.raises(InputError, match=r"result\.healthCheck\.finalAccuracy is nan"):
        dump({"healthCheck": {"finalAccuracy": math.nan}})
    with pytest.raises(InputError, match=r"result\.tdErrors\[1\] is inf"):
        dump({"tdErrors": [0.0, math.inf]})


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


@settings(max_examples=300, deadline=None)
@given(message=st.binary(max_size=200) | st.text(max_size=100).map(str.encode) | ANYTHING.map(lambda v: json.dumps(v).encode()))
def test_noise_is_refused(message):
    with pytest.raises(InputError):
        parse(message)
