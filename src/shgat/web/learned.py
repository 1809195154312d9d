"""How well the ranking does, over time: where the tools that worked stood in what was shown. For the page; nothing is stored."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..serving import Answer, Ranker

_SHOWN = 20_000  # answers that feedback is waited for
_POINTS = 720  # of either series
EVERY = 5.0  # seconds between two samples
GROUP = 25  # feedbacks that make a point
_WORKED = 0.5


class Curve:
    """Two series: one point for every 25 feedbacks that worked, and one sample of the ranker every five seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._shown: OrderedDict[str, tuple[tuple[str, ...], str]] = OrderedDict()
        self._points: deque[dict[str, Any]] = deque(maxlen=_POINTS)
        self._samples: deque[dict[str, Any]] = deque(maxlen=_POINTS)
        self._group: list[tuple[int, str]] = []
        self._failed = 0

    def shown(self, answer: "Answer") -> None:
        """An answer went out."""
        if answer.decision_id and answer.kind == "tools":
            with self._lock:
                self._shown[answer.decision_id] = answer.ids, answer.model_version
                if len(self._shown) > _SHOWN:
                    self._shown.popitem(last=False)

    def executed(self, decision_id: str, tools: Sequence[str], outcome: float) -> None:
        """What was run after it, and how it went; of several tools the one that stood first counts."""
        with self._lock:
            ids, version = self._shown.pop(decision_id, ((), ""))
            if not ids or not tools:
                return
            if outcome < _WORKED:
                self._failed += 1
                return
            self._group.append((min((ids.index(t) + 1 for t in tools if t in ids), default=0), version))
            if len(self._group) == GROUP:
                places = [place for place, _ in self._group]
                self._points.append({
                    "at": self._clock(),
                    "version": version,
                    "first": sum(p == 1 for p in places) / GROUP,
                    "in_five": sum(1 <= p <= 5 for p in places) / GROUP,
                    "failed": self._failed / (GROUP + self._failed),
                })  # fmt: skip
                self._group.clear()
                self._failed = 0

    def sample(self, ranker: "Ranker", requests: int) -> None:
        """How the ranker is now."""
        stats = ranker.stats()
        latency = stats["latency_ms"]
        now = {
            "at": self._clock(),
            "requests": requests,
            "answers": stats["answers"]["all"],
            "degraded": stats["answers"]["degraded"],
            "p50_ms": latency.get("p50"),
            "p99_ms": latency.get("p99"),
            "success": stats["success"]["rate"],
            "backlog": stats["backlog"]["traces"],
            "training": stats["training"],
            "version": stats["model_version"],
        }
        with self._lock:
            self._samples.append(now)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, oldest first."""
        with self._lock:
            return {"usefulness": list(self._points), "samples": list(self._samples), "every": EVERY, "group": GROUP}
