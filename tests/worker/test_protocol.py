"""Whatever comes in, a job of the right shape or an error comes out."""

import json
import math

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shgat.errors import InputError
from shgat.worker import parse
from shgat.worker.protocol import dump, failure


def refused(message, words):
    with pytest.raises(InputError, match=words) as caught:
        parse(message)
    line = failure(caught.value)
    assert orjson.loads(line)["success"] is False
    assert line.count(b"\n") == 1


def test_a_job_is_read_as_it_stands(make_job):
    sent = make_job()
    job = parse(orjson.dumps(sent))
    assert (job.config.epochs, job.config.batch_size, job.config.learning_rate) == (1, 8, 1e-3)
    assert (job.capabilities, job.examples) == (sent["capabilities"], sent["examples"])
    assert (job.model_path, job.store_url, job.params_path) == (None, None, None)


def test_what_a_job_leaves_out_is_left_to_the_occasion(make_job):
    config = parse(orjson.dumps(make_job(config={}))).config
    assert (config.epochs, config.batch_size, config.learning_rate, config.temperature) == (None, None, None, None)
    assert (config.from_scratch, config.use_per, config.use_curriculum, config.seed) == (False, False, False, 0)


@pytest.mark.parametrize(("given", "found"), [(0.1, (0.1, 0.1)), ([0.2, 0.1], (0.2, 0.1))])
def test_a_temperature_is_a_number_or_a_first_and_a_last(make_job, given, found):
    assert parse(orjson.dumps(make_job(config={"temperature": given}))).config.temperature == found


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
        (b'{"modelPath": 5, "examplesPath": "x"}', "modelPath"),
        (b'{"hello": 1}', "unknown field 'hello'"),
    ],
)
def test_what_is_no_job_is_refused(message, words):
    refused(message, words)


FAULTS = {
    "null for an embedding": (("examples", 0, "intentEmbedding"), None, "no intentEmbedding"),
    "no outcome": (("examples", 0, "outcome"), None, "no outcome"),
    "zero epochs": (("config", "epochs"), 0, "epochs"),
    "half an epoch": (("config", "epochs"), 0.5, "epochs"),
    "null epochs": (("config", "epochs"), None, "epochs"),
    "endless epochs": (("config", "epochs"), 10**9, "epochs"),
    "a flag that is text": (("config", "usePER"), "yes", "usePER"),
    "an unknown setting": (("config", "lr"), 1, "unknown field 'lr'"),
    "an unknown field": (("examples", 0, "reward"), 1, "unknown field 'reward'"),
    "examples that are no list": (("examples",), {"a": 1}, "a list"),
    "no examples": (("examples",), [], "a list"),
    "a temperature of three": (("config", "temperature"), [1, 2, 3], "a number or \\[first, last\\]"),
    "a negative seed": (("config", "seed"), -1, "config.seed"),
    "an id that is no text": (("capabilities", 0, "id"), None, "capabilities\\[0\\] has no id"),
    "a capability that is no record": (("capabilities", 0), [], "capabilities\\[0\\] is an object"),
    "a model beside capabilities": (("modelPath",), "m", "exactly one"),
    "a file beside examples": (("examplesPath",), "e", "exactly one"),
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


def test_numbers_that_json_does_not_have_are_refused_on_the_way_out():
    with pytest.raises(InputError, match=r"result\.healthCheck\.finalAccuracy is nan"):
        dump({"healthCheck": {"finalAccuracy": math.nan}})
    with pytest.raises(InputError, match=r"result\.tdErrors\[1\] is inf"):
        dump({"tdErrors": [0.0, math.inf]})


def test_a_failure_is_one_line_whatever_it_says():
    for error, text in (
        (InputError("two\nlines"), "two lines"),
        (ValueError("x" * 5000), ("ValueError: " + "x" * 5000)[:2000]),
        (RuntimeError(""), "RuntimeError"),
        (MemoryError(), "out of memory: raise the memory limit, or train on fewer traces"),
        (InputError("half \ud800 a pair"), "half ? a pair"),
    ):
        line = failure(error)
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert text in orjson.loads(line)["error"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(message=st.binary(max_size=200) | st.text(max_size=100).map(str.encode) | ANYTHING.map(lambda v: json.dumps(v).encode()))
def test_noise_is_refused(message):
    with pytest.raises(InputError):
        parse(message)
