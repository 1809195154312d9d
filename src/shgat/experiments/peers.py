"""Peers that learn: callbus, which trains heads on frozen embeddings, on the same vectors, traces and catalogue as everything else.

callbus reads texts and asks an embedding server for their vectors. Here a server on the loopback interface serves the vectors that the set
has for them, so that nothing is encoded and both see the same. What callbus learns from, by which fifth it picks the epoch, and how it
ranks, is its own code with its own settings; `callbus_longer` lets it train at a higher rate and for more epochs than its defaults.
"""

import base64
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from .._types import Float32, Int64
from ..errors import InputError, MissingExtraError
from .dataset import Dataset

DEV_SHARE = 0.2  # of the traces, by which an epoch is picked, as `callbus learn` does
HEADS = {"width": 1536, "depth": 3, "skip": True}  # as callbus starts them
DEFAULTS = {"epochs": 5, "batch": 512, "lr": 1e-5, "neg_per_pair": 0}
LONGER = {"epochs": 50, "batch": 128, "lr": 1e-4, "neg_per_pair": 0}
MOST_EXAMPLES = 150_000  # seen by the longer training, all epochs together
SETTINGS = {"callbus": DEFAULTS, "callbus_longer": LONGER}
_MODEL = "stored"
_LARGEST_REQUEST = 1 << 26  # bytes


@contextmanager
def serving(vectors: Mapping[str, Float32]) -> Iterator[str]:
    """Serves vectors (d,) by text as an OpenAI-compatible `/v1/embeddings`, on a free port of 127.0.0.1; the address that ends in /v1."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                length = int(self.headers.get("Content-Length", 0))
                asked = orjson.loads(self.rfile.read(min(length, _LARGEST_REQUEST)))
                texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
                rows = [vectors[text] for text in texts] if self.path.endswith("/embeddings") else None
            except (ValueError, KeyError, TypeError):
                rows = None
            if rows is None:
                self.send_error(400, "expected texts that the set has vectors of")
                return
            packed = [base64.b64encode(row.astype(np.float32).tobytes()).decode() for row in rows]
            data = [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(packed)]
            body = orjson.dumps({"object": "list", "model": _MODEL, "data": data, "usage": {"prompt_tokens": 0}})
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()


def callbus(data: Dataset, seed: int, settings: Mapping[str, Any] = DEFAULTS) -> tuple[Float32, float, dict[str, Any]]:
    """Trains callbus's heads on the set's traces, and ranks its test intents.

    Returns
    -------
    (B, n_tools) cosines of its heads; processor time of the training; what is worth knowing of it

    Raises
    ------
    MissingExtraError
        without callbus or PyTorch.
    InputError
        where the traces are too few to pick an epoch by.
    """
    for package in ("callbus", "torch"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "peers")
    from callbus.finetune import Job, TrainConfig, run

    x, _ = data.past
    if len(x) < 2:
        raise InputError(f"{data.name}: {len(x)} traces are too few for callbus to learn from")
    rows = np.random.default_rng(seed).permutation(len(x))
    dev, training = np.split(rows, [max(1, round(DEV_SHARE * len(x)))])
    chosen = dict(settings)
    chosen["epochs"] = max(DEFAULTS["epochs"], min(chosen["epochs"], MOST_EXAMPLES // max(1, len(training))))
    with tempfile.TemporaryDirectory(prefix="shgat-peer-") as folder, serving(_vectors(data)) as url:
        place = Path(folder)
        _write(data, place, dev, training)
        job = Job(
            pairs=place / "pairs.jsonl", dev=place / "dev", out=place / "heads.pt", emb_url=url, emb_model=_MODEL, truncate=None,
            cache_dir=None, tool_format="documentation", query_format="plain", seed=seed,
            train=TrainConfig(seed=seed, device="cpu", head_cfg=dict(HEADS), **chosen),
        )  # fmt: skip
        began = time.process_time()
        report = run(job, log=lambda line: None)
        seconds = time.process_time() - began
        scores = _ranked(data, url, place / "heads.pt")
    return scores, seconds, {"epochs": chosen["epochs"], "best_epoch": report["best_epoch"]}


def _ranked(data: Dataset, url: str, heads: Path) -> Float32:
    """(B, n_tools) scores of the test intents by callbus's own scorer."""
    from callbus.adapters.clm import CLMHeads, CLMScorer
    from callbus.adapters.embeddings_api import OpenAIEmbeddings
    from callbus.domain import Query, Tool

    scorer = CLMScorer(OpenAIEmbeddings(_MODEL, url), CLMHeads(heads, device="cpu"), "documentation", "plain")
    ids = [t.id for t in data.catalog.tools]
    scorer.index([Tool(id=i, documentation=_document(data, c)) for c, i in enumerate(ids)])
    column = {key: c for c, key in enumerate(ids)}
    scores = np.full((len(data.texts), len(ids)), -2.0, np.float32)
    asked = [Query(id=str(i), text=_said(data.texts[i], i, "test"), qrels={}) for i in range(len(data.texts))]
    for row, found in zip(scores, scorer.rank(asked, len(ids)), strict=True):
        row[[column[key] for key in found.tool_ids]] = found.scores
    return scores


def _vectors(data: Dataset) -> dict[str, Float32]:
    """Every text that callbus sees, and its unit vector."""
    found = {_document(data, c): row for c, row in enumerate(data.tools)}
    found |= {_said(text, i, "train"): row for (i, text), row in zip(enumerate(_past_texts(data)), data.past[0], strict=True)}
    return found | {_said(text, i, "test"): row for (i, text), row in zip(enumerate(data.texts), data.intents, strict=True)}


def _write(data: Dataset, place: Path, dev: Int64, training: Int64) -> None:
    """The traces as callbus reads them: pairs to learn from, and a set to pick the epoch by."""
    texts, (_, ran), ids = _past_texts(data), data.past, [t.id for t in data.catalog.tools]
    (place / "dev").mkdir()
    tools = [{"id": key, "documentation": _document(data, c)} for c, key in enumerate(ids)]
    pairs = [
        {"id": str(i), "text": _said(texts[i], i, "train"), "positives": [_document(data, c) for c in ran.row(i).tolist()]}
        for i in training.tolist()
    ]
    queries = [
        {"id": str(i), "text": _said(texts[i], i, "train"), "qrels": {ids[c]: 1 for c in ran.row(i).tolist()}} for i in dev.tolist()
    ]
    for name, records in (("pairs.jsonl", pairs), ("dev/tools.jsonl", tools), ("dev/queries.jsonl", queries)):
        (place / name).write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))


def _past_texts(data: Dataset) -> list[str]:
    good = np.flatnonzero(data.train.succeeded & (data.train.tools.degrees > 0))
    return [str(data.train.texts[i]) for i in good.tolist()]


def _said(text: str, row: int, part: str) -> str:
    """An intent, told apart from others with the same words, whose vectors may differ."""
    return f"{text}\n[{part} {row}]"


def _document(data: Dataset, column: int) -> str:
    tool = data.catalog.tools[column]
    return f"{tool.id}\n{tool.text}"
