"""The sample catalogue, people, an open store, and a training child that tells what it was asked."""

import sys
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from people import crowd
from shgat import SHGAT, Catalog
from shgat.registry import ServedVersion
from shgat.store import Store
from worlds import SAMPLE


@pytest.fixture(scope="session")
def catalog():
    return Catalog.load(SAMPLE)


@pytest.fixture(scope="session")
def people():
    return crowd()


@pytest.fixture
def untrained(catalog):
    return ServedVersion("untrained", 0, SHGAT.from_catalog(catalog))


@pytest.fixture
def store(sqlite_url, catalog):
    with Store.open(sqlite_url, catalog.dimension) as store:
        yield store


RECORDER = """
import json, shutil, sys
for line in sys.stdin:
    job = json.loads(line)
    with open({log!r}, "a") as log:
        log.write(json.dumps(job) + "\\n")
    shutil.copy(job["modelPath"], {model!r})
    if {changed!r}:
        shutil.copy(job["modelPath"], job["paramsPath"])
    ids = [json.loads(row)["id"] for row in open(job["examplesPath"])]
    result = dict(success=True, accepted={changed!r}, changed={changed!r}, reason="as it was", finalLoss=None, finalAccuracy=0.5,
                  traceIds=ids, tdErrors=[0.25] * len(ids), healthCheck={{}}, seconds=0.1, paramsPath=job["paramsPath"])
    print(json.dumps(result), flush=True)
"""


@dataclass(frozen=True)
class Recorder:
    """A command for a `Child` that hands back the model it was sent, and what it was sent."""

    command: tuple[str, ...]
    log: Path
    model: Path

    @property
    def jobs(self):
        return [orjson.loads(line) for line in self.log.read_bytes().splitlines()]


@pytest.fixture
def recorder(tmp_path):
    def record(changed=True):
        log, model = tmp_path / "jobs.jsonl", tmp_path / "sent.safetensors"
        code = RECORDER.format(log=str(log), model=str(model), changed=changed)
        return Recorder((sys.executable, "-c", code), log, model)

    return record
