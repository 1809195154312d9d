"""Requests a second, latency and memory of `/v1/rank`, beside a route that does nothing. One process serves on one core, the load comes
from another.

    python asv_benchmarks/http_load.py                        # some 40 seconds
    python asv_benchmarks/http_load.py --soak 1000000         # a million requests more, memory on the way

Timings depend on what else the machine does: compare with the trivial route of the same run.
"""

import argparse
import asyncio
import base64
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

N_TOOLS, DIMENSION = 1000, 1024
CORES = sorted(os.sched_getaffinity(0))


# ---------------------------------------------------------------- the server, in a process of its own
def serve_rank(folder: str, journal: bool) -> None:
    from shgat import Catalog
    from shgat.serving import Ranker
    from shgat.web import Key, Keys, Service, serve
    from shgat.web.keys import SCOPES
    from shgat.web.server import bind, url_of

    x = np.random.default_rng(0).standard_normal((N_TOOLS, DIMENSION)).astype(np.float32)
    tools = [{"id": f"tool.{i}", "text": f"tool {i}", "embedding": x[i]} for i in range(N_TOOLS)]
    groups = [
        {"id": f"c{i}", "tools": [f"tool.{j}" for j in range(i, i + 5)], "embedding": x[i : i + 5].mean(0)}
        for i in range(0, N_TOOLS, 5)
    ]
    store = f"sqlite:///{folder}/store.db"
    with Ranker.open(store, Catalog.from_records(tools, groups), mode="live", debounce=0.1) as ranker:
        if not journal:
            ranker._journal.decided = lambda decision: None
        key, secret = Key.make("load", SCOPES)
        bound = bind("127.0.0.1", 0)
        print(json.dumps({"url": url_of(bound), "key": secret}), flush=True)
        serve(Service(ranker, store, Keys(given=[key])), bound, access_log=False, linger=0.0)


def serve_trivial(http: str) -> None:
    import uvicorn

    from shgat.web.server import bind, url_of

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await receive()
            headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"{}"})

    bound = bind("127.0.0.1", 0)
    print(json.dumps({"url": url_of(bound), "key": ""}), flush=True)
    loop = "uvloop" if http == "httptools" else "asyncio"
    config = uvicorn.Config(app, http=http, loop=loop, log_level="critical", lifespan="off", access_log=False)
    uvicorn.Server(config).run([bound])


class Server:
    def __init__(self, *arguments: str) -> None:
        prefix = ["taskset", "-c", str(CORES[0])] if len(CORES) > 1 else []
        self.process = subprocess.Popen(
            [*prefix, sys.executable, __file__, "--serve", *arguments], stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the server did not start")
        told = json.loads(line)
        self.port, self.key = int(told["url"].rpartition(":")[2]), told["key"]

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss(self) -> float:
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait(30)


# ---------------------------------------------------------------- the load
class Connection(asyncio.Protocol):
    """One request at a time; its answers are told apart by Content-Length."""

    def __init__(self) -> None:
        self.buffer, self.waiting = b"", None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self.buffer.lower().find(b"content-length: ", 0, head)
        length = int(self.buffer[at + 16 : self.buffer.find(b"\r\n", at)])
        if len(self.buffer) >= head + 4 + length:
            status = int(self.buffer[9:12])
            self.buffer = self.buffer[head + 4 + length :]
            waiting, self.waiting = self.waiting, None
            waiting.set_result(status)

    def connection_lost(self, error):
        if self.waiting is not None:
            self.waiting.set_exception(error or ConnectionError("closed"))

    def ask(self, request: bytes):
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.waiting


async def load(server: Server, requests, seconds: float = 0.0, n: int = 0, connections: int = 16, rate: float = 0.0):
    """Latencies in seconds, requests a second, and the server's processor time for one."""
    loop, times, left = asyncio.get_running_loop(), [], itertools.count()
    turns, end = itertools.cycle(requests), time.perf_counter() + seconds
    started, cpu = time.perf_counter(), server.cpu()

    async def work(i: int):
        _, connection = await loop.create_connection(Connection, "127.0.0.1", server.port)
        at = time.perf_counter() + i / (rate or 1e9)
        while (next(left) < n) if n else time.perf_counter() < end:
            if rate:
                await asyncio.sleep(max(0.0, at - time.perf_counter()))
            begun = at if rate else time.perf_counter()  # a request that had to wait for its turn is late, and counts as that
            status = await connection.ask(next(turns))
            assert status == 200, status
            times.append(time.perf_counter() - begun)
            at += connections / (rate or 1e9)
        connection.transport.close()

    await asyncio.gather(*(work(i) for i in range(connections)))
    took = time.perf_counter() - started
    return {"requests": len(times), "per_second": len(times) / took, "cpu_us": 1e6 * (server.cpu() - cpu) / len(times),
            "p50_ms": 1e3 * float(np.median(times)), "p99_ms": 1e3 * float(np.quantile(times, 0.99))}  # fmt: skip


def requests_of(server: Server, packed: bool) -> list[bytes]:
    rng, found = np.random.default_rng(1), []
    for _ in range(64):
        x = rng.standard_normal(DIMENSION).astype(np.float32)
        intent = {"embedding_base64": base64.b64encode(x.tobytes()).decode()} if packed else {"embedding": x.tolist()}
        found.append(post(server, "/v1/rank", {**intent, "top_k": 10}))
    return found


def post(server: Server, path: str, body: object) -> bytes:
    data = json.dumps(body, separators=(",", ":")).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\nauthorization: Bearer {server.key}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(data)}\r\n\r\n".encode() + data


async def teach(server: Server, n: int) -> None:
    """Feedback to fresh decisions, so that a training has something to learn from."""
    import urllib.request

    rng = np.random.default_rng(2)
    for i in range(n):
        body = {"embedding": rng.standard_normal(DIMENSION).tolist()}
        headers = {"authorization": f"Bearer {server.key}", "content-type": "application/json"}
        url = f"http://127.0.0.1:{server.port}"
        asked = urllib.request.Request(f"{url}/v1/rank", json.dumps(body).encode(), headers)
        key = json.load(await asyncio.to_thread(urllib.request.urlopen, asked))["decision_id"]
        said = json.dumps({"decision_id": key, "tools": [f"tool.{i % 50}"], "outcome": 1}).encode()
        told = urllib.request.Request(f"{url}/v1/feedback", said, headers)
        await asyncio.to_thread(urllib.request.urlopen, told)


async def measure(seconds: float, soak: int, rate: float) -> dict:
    found: dict = {}
    for http in ("h11", "httptools"):
        with Server("trivial", http) as server:
            found[f"trivial {http}"] = await load(server, [post(server, "/", {})], seconds / 2)
    with tempfile.TemporaryDirectory() as folder, Server("rank", folder) as server:
        for name, packed in (("rank, base64", True), ("rank, numbers", False)):
            await load(server, requests_of(server, packed), 1.0)
            found[name] = await load(server, requests_of(server, packed), seconds)
        half = rate or 0.5 * found["rank, base64"]["per_second"]
        found["rank at that rate" if rate else "rank at half of that"] = await load(
            server, requests_of(server, True), seconds, rate=half
        )
        await teach(server, 120)
        busy = asyncio.create_task(teach(server, int(20 * seconds)))
        found["rank while it learns"] = await load(server, requests_of(server, True), seconds, rate=half)
        busy.cancel()
        if soak:
            found["soak"] = await endure(server, soak)
    with tempfile.TemporaryDirectory() as folder, Server("rank", folder, "unrecorded") as server:
        await load(server, requests_of(server, True), 1.0)
        found["rank, decisions not stored"] = await load(server, requests_of(server, True), seconds)
    return found


async def endure(server: Server, n: int) -> dict:
    requests, sizes, parts = requests_of(server, True), [], 20
    for _ in range(parts):
        await load(server, requests, n=n // parts)
        sizes.append(round(server.rss(), 1))
        print(f"  {len(sizes) * n // parts} requests: {sizes[-1]} MiB", file=sys.stderr)
    return {"requests": n, "mib": sizes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each measurement")
    parser.add_argument(
        "--rate", type=float, default=0.0, help="requests a second of the measurements of latency; half of the most there are"
    )
    parser.add_argument("--soak", type=int, default=0, metavar="N", help="then N requests, with memory on the way")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        kind, *rest = given.serve
        serve_trivial(rest[0]) if kind == "trivial" else serve_rank(rest[0], "unrecorded" not in rest)
        return
    if len(CORES) > 1:
        os.sched_setaffinity(0, {CORES[1]})
    found = asyncio.run(measure(given.seconds, given.soak, given.rate))
    if given.json:
        print(json.dumps(found, indent=2))
        return
    floor = found["trivial httptools"]["per_second"]
    for name, row in found.items():
        if "per_second" in row:
            print(f"{name:28} {row['per_second']:7.0f}/s ({row['per_second'] / floor:5.2f} of the trivial route)  "
                  f"server {row['cpu_us']:5.0f} us  p50 {row['p50_ms']:6.2f} ms  p99 {row['p99_ms']:6.2f} ms")  # fmt: skip
    if "soak" in found:
        print(f"soak of {found['soak']['requests']} requests: MiB {found['soak']['mib']}")


if __name__ == "__main__":
    main()
