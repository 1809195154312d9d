"""Arbitrary bytes as a job, guided by coverage: a task or one of the documented errors comes out, soon and without much memory.

python tests/worker/fuzz_protocol.py [libFuzzer options] [corpus folder]; without a folder it begins with jobs of the tests.
"""

import sys
import tempfile
from pathlib import Path

import atheris
import orjson

with atheris.instrument_imports(include=["shgat"]):
    from shgat.errors import ShgatError
    from shgat.worker.protocol import failure, parse
    from shgat.worker.task import Task

sys.path.insert(0, str(Path(__file__).parent))
from conftest import make_job


def one_input(data: bytes) -> None:
    try:
        job = parse(data)
        if job.model_path is job.store_url is job.examples_path is None:  # no files that an input happens to name
            Task.build(job)
    except ShgatError as error:
        orjson.loads(failure(error))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        arguments = sys.argv
        if all(a.startswith("-") for a in arguments[1:]):
            small = make_job(n=2)
            for name, job in {"inline": small, "path": {"modelPath": "m", "examplesPath": "e"}, "store": {"storeUrl": "u"}}.items():
                Path(folder, name).write_bytes(orjson.dumps(job))
            arguments = [*arguments, folder]
        atheris.Setup(arguments, one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
