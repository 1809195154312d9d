"""How fast a gateway is and how fast it learns: scripted servers behind it, the SDK's own client in front of it."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from .._types import Float32
from ..features import open_encoder
from . import scripted

VERBS = (
    "create", "find", "update", "delete", "archive", "assign", "export", "share", "approve", "schedule", "comment on", "watch", "copy",
    "merge", "rename", "restore", "tag", "move", "print", "translate", "summarise", "compare", "import", "lock", "sign",
)  # fmt: skip
NOUNS = ("ticket", "document", "invoice", "meeting", "message")
TOPICS = (
    "the printer",
    "next week's launch",
    "our new customer",
    "the Berlin office",
    "the budget",
    "a broken login",
    "the holiday party",
)
PHRASES = (
    "{verb} a {noun} about {topic}",
    "I need to {verb} the {noun} on {topic}",
    "{verb} {noun}: {topic}",
    "please {verb} that {noun}, {topic}",
)
DAYS = 6


def servers(n: int, tools: int) -> dict[str, list[dict[str, Any]]]:
    """Name -> definitions: the same kinds of tools on every server, which only a habit tells apart."""
    found = {}
    for s in range(n):
        each = tools // n + (s < tools % n)
        kinds = [(VERBS[i % len(VERBS)], NOUNS[(i // len(VERBS)) % len(NOUNS)]) for i in range(each)]
        found[f"office{s:02d}"] = [
            {
                "name": f"{verb.replace(' ', '_')}_{noun}_{i}",
                "description": f"{verb.capitalize()}s a {noun} in workspace {s}.",
                "inputSchema": {
                    "type": "object",
                    "properties": {"about": {"type": "string", "description": f"what the {noun} is about"}},
                },
            }
            for i, (verb, noun) in enumerate(kinds)
        ]
    return found


def write_config(folder: Path, lists: dict[str, list[dict[str, Any]]], **odd: str) -> Path:
    """A file of scripted servers; `odd`: name -> how another one behaves."""
    entries = {}
    scripts: dict[str, dict[str, Any]] = {name: {"tools": tools} for name, tools in lists.items()}
    scripts |= {name: {"tools": [], "behave": behave} for name, behave in odd.items()}
    for name, script in scripts.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps({"name": name, **script}))
        entries[name] = {"command": sys.executable, "args": ["-I", "-S", scripted.__file__, str(path)]}
    config = folder / "mcp.json"
    config.write_text(json.dumps({"mcpServers": entries}))
    return config


async def measure(n_servers: int, n_tools: int, steps: int, seed: int = 0) -> dict[str, Any]:
    """Times in milliseconds, and Hit@1 of a planted habit, as JSON values."""
    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client

    lists = servers(n_servers, n_tools)
    with tempfile.TemporaryDirectory() as name, open(os.devnull, "w") as nowhere:  # noqa: PTH123
        folder = Path(name)
        config = write_config(folder, lists, dead="die", hanging="hang")
        command = ["-m", "shgat", "gateway", "serve", "--config", str(config), "--store", f"sqlite:///{folder}/bench.db"]
        began = time.perf_counter()
        gateway = StdioServerParameters(command=sys.executable, args=command, env={**os.environ})
        async with Client(stdio_client(gateway, errlog=nowhere), cache=None) as client:
            connected = time.perf_counter() - began
            while True:
                found = await client.call_tool("search_tools", {"query": "create a ticket about the printer"})
                if "Still being started" not in found.structured_content.get("note", "").replace("started: hanging.", ""):
                    break
            ready = time.perf_counter() - began
            searched = [await _timed(client, "search_tools", {"query": "create a ticket about the printer"}) for _ in range(200)]
            first = json.loads((folder / "office00.json").read_text())["tools"][0]["name"]
            direct = StdioServerParameters(
                command=sys.executable, args=["-I", "-S", scripted.__file__, str(folder / "office00.json")]
            )
            through, straight = [], []
            async with Client(stdio_client(direct, errlog=nowhere), cache=None) as other:
                await other.list_tools()
                for _ in range(200):
                    straight.append(await _timed(other, first, {"about": "x"}))
                    through.append(await _timed(client, "call_tool", {"name": f"office00/{first}", "arguments": {"about": "x"}}))
            habit = await _habit(client, lists, steps, np.random.default_rng(seed))
    return {
        "servers": n_servers,
        "tools": n_tools,
        "ready_ms": 1000.0 * ready,
        "connected_ms": 1000.0 * connected,
        "encoding_ms": _encoding(),
        "search_p50_ms": _p(searched, 50),
        "search_p95_ms": _p(searched, 95),
        "call_p50_ms": _p(through, 50),
        "direct_call_p50_ms": _p(straight, 50),
        "overhead_p50_ms": 1000.0 * median(a - b for a, b in zip(through, straight, strict=True)),
        **habit,
    }


async def _timed(client: Any, name: str, arguments: dict[str, Any]) -> float:
    began = time.perf_counter()
    await client.call_tool(name, arguments)
    return time.perf_counter() - began


async def _habit(client: Any, lists: dict[str, list[dict[str, Any]]], steps: int, rng: np.random.Generator) -> dict[str, Any]:
    """Somebody who for each kind of work always uses the same one of the servers that could do it."""
    names, kinds = sorted(lists), len(next(iter(lists.values())))
    usual = {k: names[int(rng.integers(len(names)))] for k in range(kinds)}
    cosine = _Frozen(lists)
    hits, frozen = [], []
    for _ in range(steps):
        k = int(rng.integers(kinds))
        tool = next(t for t in lists[usual[k]] if t["name"].endswith(f"_{k}"))
        verb, noun = VERBS[k % len(VERBS)], NOUNS[(k // len(VERBS)) % len(NOUNS)]
        query = PHRASES[int(rng.integers(len(PHRASES)))].format(verb=verb, noun=noun, topic=TOPICS[int(rng.integers(len(TOPICS)))])
        wanted = f"{usual[k]}/{tool['name']}"
        found = (await client.call_tool("search_tools", {"query": query})).structured_content
        hits.append(bool(found["tools"]) and found["tools"][0]["name"] == wanted)
        frozen.append(cosine.best(query) == wanted)
        await client.call_tool("call_tool", {"name": wanted, "arguments": {"about": "it"}, "search_id": found["search_id"]})
    days = np.array_split(np.arange(steps), min(DAYS, max(1, steps)))
    return {
        "hit_at_1": [float(np.mean([hits[i] for i in day])) for day in days],
        "hit_at_1_of_cosine": [float(np.mean([frozen[i] for i in day])) for day in days],
        "steps_a_day": len(days[0]),
    }


class _Frozen:
    """Cosine alone."""

    def __init__(self, lists: dict[str, list[dict[str, Any]]]) -> None:
        self._encoder = open_encoder("")
        self._names = [f"{server}/{t['name']}" for server, tools in lists.items() for t in tools]
        self._rows = _unit(self._encoder.encode([f"{t['name']}: {t['description']}" for tools in lists.values() for t in tools]))

    def best(self, query: str) -> str:
        return self._names[int(np.argmax(self._rows @ _unit(self._encoder.encode([query]))[0]))]


def _unit(rows: Float32) -> Float32:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)


def _encoding() -> float:
    encoder = open_encoder("")
    times = []
    for i in range(100):
        began = time.perf_counter()
        encoder.encode([f"create a ticket about printer number {i}"])
        times.append(time.perf_counter() - began)
    return _p(times, 50)


def _p(seconds: Sequence[float], share: float) -> float:
    return 1000.0 * float(np.percentile(seconds, share))
