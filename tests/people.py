"""People who use a ranker over the sample catalogue, and patience with what happens beside them."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson

from shgat.serving import Ranker
from shgat.traces import Trace
from worlds import SAMPLE

Person = tuple[Any, str, list[str]]  # embedding (384,), what is said, the tools that were right


def crowd() -> list[Person]:
    """400 people, in the order of the sample's traces."""
    rows = [orjson.loads(line) for line in (SAMPLE / "train.jsonl").read_bytes().splitlines()]
    vectors = np.load(SAMPLE / "train.npy").astype(np.float32)
    return [(x, row["intent"], row["tools"]) for x, row in zip(vectors, rows, strict=True)]


def use(ranker: Ranker, people: list[Person]) -> list[str]:
    """Lets people use a ranker; the ids of the decisions. Their feedback is in the journal, and soon in the store."""
    keys = []
    for x, text, tools in people:
        answer = ranker.rank(x, 5, text=text)
        assert ranker.feedback(answer.decision_id, tools=tools, outcome=1.0)
        keys.append(answer.decision_id)
    return keys


def executed(people: list[Person], start: int = 0) -> list[Trace]:
    """What they did, as traces p0, p1 and so on, from `start`."""
    return [
        Trace(id=f"p{i}", intent=text, embedding=x, tools=tuple(tools), outcome=1.0)
        for i, (x, text, tools) in enumerate(people, start)
    ]


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Waits for something that happens by itself."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def written(ranker: Ranker) -> None:
    """Waits until the store has everything."""
    until(lambda: not ranker.stats()["waiting_for_store"])
