"""The child as a gateway in another language sees it: bytes in, bytes out, an exit code."""

import os
import subprocess
import sys

import numpy as np
import orjson
import pytest

from shgat import SHGAT, Catalog
from worlds import SAMPLE

COMMAND = [sys.executable, "-m", "shgat.worker"]


def run(message, *options, command=COMMAND):
    done = subprocess.run([*command, *options], input=message, capture_output=True, timeout=60, check=False)
    assert done.stdout.count(b"\n") == 1, done.stderr
    return done.returncode, orjson.loads(done.stdout)


def test_a_job_is_answered_by_one_line(make_job):
    job = make_job()
    code, result = run(orjson.dumps(job))
    assert code == 0
    assert result["success"] is True
    assert result["traceIds"] == [e["traceId"] for e in job["examples"]]
    assert len(result["tdErrors"]) == 30
    assert all(0.0 <= e <= 1.0 for e in result["tdErrors"])
    assert set(result["healthCheck"]) == {
        "baselineAccuracy", "bestAccuracy", "finalAccuracy", "degradationDetected", "earlyStopEpoch",
    }  # fmt: skip
    assert result["finalLoss"] > 0
    code, again = run(
        orjson.dumps(make_job(existingParams=result["params"]), option=orjson.OPT_INDENT_2),
        command=[*COMMAND[:2], "shgat", "worker"],
    )
    assert code == 0
    assert again["params"]["learned"]["memory"]["ids"] == result["params"]["learned"]["memory"]["ids"] == result["traceIds"]
    assert "earlier" in again["reason"]  # what was learned before came along, and has to be kept


def test_files_instead_of_arrays(make_job, tmp_path):
    job = make_job()
    model = SHGAT.from_capabilities(
        [{"id": c["id"], "embedding": c["embedding"], "tools": c["toolsUsed"]} for c in job["capabilities"]],
        [{"id": t, "embedding": v} for t, v in job["toolEmbeddings"].items()],
    )
    model.save(tmp_path / "model.safetensors")
    rows = [{"id": e["traceId"], "tools": [e["candidateId"]]} for e in job["examples"]]
    (tmp_path / "traces.jsonl").write_bytes(b"\n".join(orjson.dumps(r) for r in rows))
    np.save(tmp_path / "traces.npy", np.array([e["intentEmbedding"] for e in job["examples"]], np.float32))
    paths = {"modelPath": "model.safetensors", "examplesPath": "traces.jsonl", "paramsPath": "out.safetensors"}
    code, result = run(orjson.dumps({key: str(tmp_path / name) for key, name in paths.items()}))
    assert code == 0
    assert "params" not in result
    trained = SHGAT.load(result["paramsPath"])
    assert not np.array_equal(trained.params.buffer, model.params.buffer)
    (tmp_path / "model.safetensors").write_bytes(b"torn")
    code, result = run(orjson.dumps({key: str(tmp_path / name) for key, name in paths.items()}))
    assert (code, result["success"]) == (1, False)
    assert "torn" in result["error"]


@pytest.mark.parametrize(
    "message", [b"", b"\xff\xfe", b"[" * 200_000, b'{"capabilities": [{"id": null}]}', b'{"a": NaN}\n', b"\0" * 100]
)
def test_abuse_is_an_error_object_and_exit_code_1(message):
    code, result = run(message)
    assert code == 1
    assert result["success"] is False
    assert result["error"]


def test_half_a_message_and_silence():
    child = subprocess.Popen(
        [*COMMAND, "--input-timeout", "0.3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with child:
        child.stdin.write(b'{"capabilities": [')
        child.stdin.flush()
        line = child.stdout.readline()
        assert child.wait(10) == 1
    assert "half a message" in orjson.loads(line)["error"]


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["400", "900", "1150"])
def test_too_little_memory_is_an_error_object(make_job, limit):
    job = make_job()
    job["examples"] = [{**e, "intentEmbedding": [0.1] * 8, "traceId": f"m{i}"} for i in range(400_000) for e in job["examples"][:1]]
    code, result = run(orjson.dumps(job), "--memory-limit", limit)
    assert code == 1
    assert "memory" in result["error"].lower()


LIMITS = [*range(60, 200, 10), *range(200, 520, 8)]


@pytest.mark.parametrize(
    ("limits", "scratch"),
    [(LIMITS[3::9], False), *(pytest.param(LIMITS, scratch, marks=pytest.mark.slow) for scratch in (False, True))],
    ids=["some", "all", "all, from scratch"],
)
def test_every_memory_limit_is_answered(tmp_path, limits, scratch):
    SHGAT.from_catalog(Catalog.load(SAMPLE)).save(tmp_path / "m")
    config = {"epochs": 1, "fromScratch": scratch}
    paths = {"modelPath": str(tmp_path / "m"), "examplesPath": str(SAMPLE / "train.jsonl"), "paramsPath": str(tmp_path / "out")}
    for limit in limits:
        code, result = run(orjson.dumps({**paths, "config": config}), "--memory-limit", str(limit))
        assert (code == 0) == result["success"]
        assert result["success"] or "memory" in result["error"], limit


@pytest.mark.parametrize("limit", [60, 90, 250, 300, 340])
def test_a_warm_child_that_dies_under_its_limit_answers(make_job, limit):
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*COMMAND, "--warm", "--memory-limit", str(limit)], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
    ) as child:
        child.stdin.write(orjson.dumps(make_job()) + b"\n")
        child.stdin.flush()
        assert orjson.loads(child.stdout.readline())["success"] in (True, False)
        child.stdin.close()
        assert child.wait(10) in (0, 1)
        assert child.stdout.read() == b""


UNREADABLE = {
    "a model that is none": {"modelPath": "torn", "examplesPath": "x.jsonl"},
    "a model that is a FIFO": {"modelPath": "fifo", "examplesPath": "x.jsonl"},
    "traces that are a FIFO": {"modelPath": "m", "examplesPath": "fifo.jsonl"},
    "traces that are not there": {"modelPath": "m", "examplesPath": "gone.jsonl"},
    "a store that is not there": {"storeUrl": "sqlite:///gone.db"},
    "a store that can never be": {"storeUrl": "mysql://u:p@h/d"},
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_was_to_be_expected_is_one_line_in_the_log(tmp_path, what):
    (tmp_path / "torn").write_bytes(b"torn")
    os.mkfifo(tmp_path / "fifo")
    os.mkfifo(tmp_path / "fifo.jsonl")
    SHGAT.from_catalog(Catalog.load(SAMPLE)).save(tmp_path / "m")
    done = subprocess.run(COMMAND, input=orjson.dumps(UNREADABLE[what]), capture_output=True, cwd=tmp_path, timeout=60, check=False)
    assert (done.returncode, orjson.loads(done.stdout)["success"]) == (1, False)
    assert b"Traceback" not in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_a_warm_child_answers_line_by_line_and_ends_with_its_stdin(make_job):
    line = orjson.dumps(make_job()) + b"\n"
    child = subprocess.Popen([*COMMAND, "--warm"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with child:
        for message, success in ((line, True), (b"{}\n", False), (line, True)):
            child.stdin.write(message)
            child.stdin.flush()
            assert orjson.loads(child.stdout.readline())["success"] is success
        child.stdin.close()
        assert child.wait(10) == 0
