"""What a training child hands back is a result, a failure that it reports, or a breach of the protocol."""

import orjson
import pytest

from shgat.errors import WorkerError
from shgat.worker import Result

RESULT = {
    "success": True, "accepted": True, "changed": True, "reason": "better", "finalAccuracy": 0.5, "finalLoss": 1.0,
    "traceIds": ["b", "a"], "tdErrors": [0.5, 0], "healthCheck": {"bestAccuracy": 0.5}, "seconds": 0.1, "paramsPath": "p",
}  # fmt: skip


def line(**changes):
    return orjson.dumps({**RESULT, **changes}) + b"\n"


def test_a_result_is_read_as_it_stands():
    found = Result.parse(line())
    assert (found.accepted, found.changed, found.reason) == (True, True, "better")
    assert (found.final_loss, found.final_accuracy, found.seconds) == (1.0, 0.5, 0.1)
    assert list(found.td_errors.items()) == [("b", 0.5), ("a", 0.0)]
    assert found.health == {"bestAccuracy": 0.5}
    assert (found.params, found.params_path) == (None, "p")


def test_where_nothing_was_trained_there_is_no_loss():
    given = {key: value for key, value in RESULT.items() if key != "finalLoss"}
    assert Result.parse(orjson.dumps(given)).final_loss is None
    assert Result.parse(line(finalLoss=None, traceIds=[], tdErrors=[])).td_errors == {}


@pytest.mark.parametrize(
    ("error", "words"), [("no\nroom", "the training failed: no"), ("", "no reason given"), (None, "no reason given")]
)
def test_a_failure_that_is_reported_is_no_breach(error, words):
    with pytest.raises(WorkerError, match=words) as caught:
        Result.parse(orjson.dumps({"success": False, "error": error}))
    assert "protocol" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [b"", b"hello", b"[]", b"null", b"{", b"{}", b'{"success": 1}', b'{"success": "true"}', b'{"success": true}', b"\xff",
     line().replace(b"1.0", b"NaN")],
)  # fmt: skip
def test_what_is_no_result_breaks_the_protocol(given):
    with pytest.raises(WorkerError, match="broke the protocol"):
        Result.parse(given)


@pytest.mark.parametrize(
    "changes",
    [
        {"tdErrors": [None, 0.5]},
        {"tdErrors": [0.5]},
        {"tdErrors": [0.5, 1.5]},
        {"tdErrors": [0.5, -0.1]},
        {"traceIds": ["a", 1]},
        {"traceIds": "ab"},
        {"finalLoss": "low"},
        {"finalAccuracy": None},
        {"finalAccuracy": 1.1},
        {"seconds": -1.0},
        {"healthCheck": None},
        {"healthCheck": [1]},
    ],
    ids=str,
)
def test_a_field_that_cannot_be_breaks_the_protocol(changes):
    with pytest.raises(WorkerError, match="broke the protocol"):
        Result.parse(line(**changes))
