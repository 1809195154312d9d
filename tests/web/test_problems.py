import orjson
import pytest

from shgat.errors import ConflictError, EncoderError, InputError, RefusedError, ShgatError, StoreError
from shgat.web.problems import KINDS, Problem, of_error, of_status


@pytest.mark.parametrize(("error", "kind"), [
    (InputError("x"), "invalid"), (RefusedError("x"), "refused-by-gate"), (ConflictError("x"), "conflict"), (StoreError("x"), "unavailable"),
    (EncoderError("x"), "unavailable"), (ShgatError("x"), "failed"),
])  # fmt: skip
def test_errors_that_were_meant_keep_their_message(error, kind):
    problem = of_error(error)
    assert (problem.kind, problem.detail) == (kind, "x")
    assert of_error(problem) is problem


def test_other_errors_say_nothing():
    assert "secret" not in of_error(RuntimeError("secret")).detail


def test_a_document_is_that_of_rfc_9457():
    document = orjson.loads(Problem("invalid", "half a pair \ud800", extra={"errors": []}).document("r1"))
    assert document == {
        "type": "urn:shgat:problem:invalid",
        "title": KINDS["invalid"][1], "status": 422, "detail": "half a pair ?", "request_id": "r1", "errors": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, "not-found"), (405, "method-not-allowed"), (422, "invalid"), (409, "conflict"), (418, "malformed"), (502, "failed")],
)
def test_what_the_framework_would_answer(status, kind):
    assert of_status(status, "x").kind == kind
