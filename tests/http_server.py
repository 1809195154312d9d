"""A `shgat serve` in a process of its own over a small catalogue, and what asks it."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

from shgat import Catalog

DIMENSION = 8
SCOPES = ("rank", "feedback", "catalog", "admin", "metrics")


def small_catalog():
    """Ten tools on two servers, two capabilities, one inside the other."""
    x = np.random.default_rng(0).standard_normal((12, DIMENSION)).astype(np.float32)
    tools = [
        {"id": f"{s}.t{i}", "text": f"tool number {i} of {s}", "server": s, "embedding": x[i]}
        for i, s in enumerate(["mail"] * 5 + ["files"] * 5)
    ]
    inner = {"id": "send", "text": "send things", "tools": ["mail.t0", "mail.t1"], "embedding": x[10]}
    outer = {"id": "report", "text": "make a report", "tools": ["files.t5"], "capabilities": ["send"], "embedding": x[11]}
    return Catalog.from_records(tools, [inner, outer])


class Process:
    """A server that runs; `options` are those of `shgat serve`."""

    def __init__(self, folder: Path, *options: str, catalog: bool = True, descriptors: tuple[int, ...] = ()) -> None:
        self.folder = folder
        place = folder / "catalogue"
        if catalog and not place.exists():
            small_catalog().save(place)
        given = ["--store", f"sqlite:///{folder}/store.db", "--catalog", str(place), "--mode", "off"] if catalog else []
        self.log = folder / "log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "shgat", "serve", *given, "--port", "0", "--json", *options],
                stdout=subprocess.PIPE, stderr=log, text=True, pass_fds=descriptors, env={**os.environ, "XDG_STATE_HOME": str(folder)},
            )  # fmt: skip
        said = self._document()
        self.told = json.loads(said) if said else {}
        self.url, self.key = self.told.get("url", ""), self.told.get("key")

    def _document(self) -> str:
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith("}"):
                break
        return "".join(lines)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def connect(self) -> socket.socket:
        """A raw connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def request(self, path: str = "/v1/rank", body: bytes | None = None, **headers: str) -> bytes:
        """A request in bytes; to rank without a body of its own."""
        body = rank_body() if body is None else body
        key = {} if self.key is None else {"authorization": f"Bearer {self.key}"}
        given = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(body)), **key, **headers}
        return f"POST {path} HTTP/1.1\r\n".encode() + "".join(f"{n}: {v}\r\n" for n, v in given.items()).encode() + b"\r\n" + body

    def stop(self) -> int:
        """Ends it as a supervisor would; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *error) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
        self.process.stdout.close()


def rank_body(seed: int = 1) -> bytes:
    return json.dumps({"embedding": np.random.default_rng(seed).standard_normal(DIMENSION).tolist(), "top_k": 3}).encode()


def read_answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of one answer; status 0 where the connection ended without one."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            more = connection.recv(65536)
        except ConnectionError:
            more = b""
        if not more:
            return 0, {}, data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return int(first.split()[1]), headers, body
