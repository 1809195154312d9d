"""What a server holds: a ranker over a store, and what looks at it beside the answers."""

import asyncio
import contextlib
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._json import none_for_not_finite
from ..monitoring import Monitor, MonitorSettings, Spans
from ..monitoring.receivers import Receiver
from ..serving import Ranker
from .answers import Answers
from .keys import Keys
from .learned import EVERY, Curve
from .limits import Limits
from .metrics import Metrics
from .versions import VersionsOverHttp


@dataclass(eq=False)
class Service:
    """A ranker, and who may ask it what.

    Attributes
    ----------
    ranker : opened, and closed by whoever opened it
    store : URL of the store it was opened over
    keys : of those who may ask
    limits : of what they may use
    opened : scopes that callers on this machine have without a key
    user_id : whose model serves
    monitoring : how it is watched
    receivers : are told of alerts
    spans : of requests and answers; None: there are none
    """

    ranker: Ranker
    store: str
    keys: Keys = field(default_factory=Keys)
    limits: Limits = field(default_factory=Limits)
    opened: Collection[str] = ()
    user_id: str = "local"
    monitoring: MonitorSettings = field(default_factory=MonitorSettings)
    receivers: Sequence[Receiver] = ()
    spans: Spans | None = None

    def __post_init__(self) -> None:
        self.monitor = Monitor(
            self.ranker, self.store, self.user_id, self.monitoring, receivers=self.receivers, target="this server"
        )
        self.metrics, self.curve, self.started_at = Metrics(self.monitor.exposition), Curve(), time.time()
        if self.spans is not None:
            self.spans.watch(self.ranker)
        self.answers = Answers(self.ranker, self.curve)
        self.versions = VersionsOverHttp(self.ranker, self.store, self.user_id)
        self._watching: asyncio.Task[None] | None = None

    def stats(self) -> dict[str, Any]:
        """How the ranker and the server are, as JSON values."""
        found = {
            "ranker": self.ranker.stats(),
            "server": {
                "uptime_s": time.time() - self.started_at,
                "requests": self.metrics.requests,
                "errors": self.metrics.errors,
                "keys": len(self.keys),
                "trouble": [t for t in (self.keys.trouble, self.monitor.trouble) if t],
            },
        }
        clean: dict[str, Any] = none_for_not_finite(found)
        return clean

    async def start(self) -> None:
        """Begins to watch the ranker."""
        self.monitor.start()
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Ends that."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        await asyncio.to_thread(self.monitor.stop)
        if self.spans is not None:
            await asyncio.to_thread(self.spans.close)

    async def _watch(self) -> None:
        while True:
            await asyncio.to_thread(self.curve.sample, self.ranker, self.metrics.requests)
            await asyncio.sleep(EVERY)
