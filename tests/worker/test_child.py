"""The child as a gateway in another language sees it: bytes in, bytes out, an exit code."""

import subprocess
import sys

import numpy as np
import orjson
import pytest

from shgat import SHGAT

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
    assert again["params"]["headParams"] != result["params"]["headParams"]


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


@pytest.mark.parametrize("limit", ["400", "900", "1150"])
def test_too_little_memory_is_an_error_object(make_job, limit):
    job = make_job()
    job["examples"] = [{**e, "intentEmbedding": [0.1] * 8, "traceId": f"m{i}"} for i in range(400_000) for e in job["examples"][:1]]
    code, result = run(orjson.dumps(job), "--memory-limit", limit)
    assert code == 1
    assert "memory" in result["error"].lower()


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
