"""A real MLflow server."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from processes import free_port


@contextlib.contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """Its address, of a server with its own database; the program is `mlflow` on the path, or what SHGAT_MLFLOW names."""
    program = Path(os.environ.get("SHGAT_MLFLOW", Path(sys.executable).with_name("mlflow")))
    if not program.exists() or subprocess.run([program, "server", "--help"], capture_output=True, check=False).returncode:
        pytest.skip("the server of mlflow is not installed: pip install mlflow, or name its program in SHGAT_MLFLOW")
    port = free_port()
    command = [program, "server", "--backend-store-uri", f"sqlite:///{folder}/served.db", "--artifacts-destination", folder / "served",
               "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]  # fmt: skip
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=env, start_new_session=True, cwd=folder)
    uri = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 240
        while not _answers(uri):
            assert time.monotonic() < deadline, (folder / "server.log").read_text()
            time.sleep(0.2)
        yield uri
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(uri: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{uri}/health", timeout=2) as found:
        return bool(found.status == 200)
    return False
