import io
import json
import logging

import pytest

from shgat.web.logs import JsonLines, Requests, configure


def test_a_record_is_a_line_with_its_traceback():
    try:
        raise RuntimeError("no\nnewline")
    except RuntimeError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, "f", 1, "it %s", ("failed",), __import__("sys").exc_info())
    line = JsonLines().format(record)
    assert "\n" not in line
    found = json.loads(line)
    assert (found["level"], found["message"]) == ("error", "it failed")
    assert "RuntimeError" in found["traceback"]


def test_a_stream_that_is_gone_is_left_alone():
    stream = io.StringIO()
    requests = Requests(stream)
    requests.write(status=200)
    assert json.loads(stream.getvalue())["status"] == 200
    stream.close()
    requests.write(status=200)
    Requests(None).write(status=200)


@pytest.fixture
def restored():
    before = {name: (list(logging.getLogger(name).handlers), logging.getLogger(name).propagate, logging.getLogger(name).level)
              for name in ("shgat", "uvicorn.error", "uvicorn.access")}  # fmt: skip
    yield
    for name, (handlers, propagate, level) in before.items():
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.mark.usefixtures("restored")
def test_the_librarys_log_is_lines_too():
    stream = io.StringIO()
    configure(stream=stream)
    logging.getLogger("shgat.web").info("hello")
    logging.getLogger("uvicorn.error").info("not this")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["hello"]
