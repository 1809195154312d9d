"""What a server holds: a ranker over a store, and what looks at it beside the answers."""

import asyncio
import contextlib
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from .._json import none_for_not_finite
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
    """

    ranker: Ranker
    store: str
    keys: Keys = field(default_factory=Keys)
    limits: Limits = field(default_factory=Limits)
    opened: Collection[str] = ()
    user_id: str = "local"

    def __post_init__(self) -> None:
        self.metrics, self.curve, self.started_at = Metrics(), Curve(), time.time()
        self.metrics.watch(self.ranker)
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
                "trouble": [self.keys.trouble] if self.keys.trouble else [],
            },
        }
        clean: dict[str, Any] = none_for_not_finite(found)
        return clean

    async def start(self) -> None:
        """Begins to sample the ranker for the page."""
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Ends that."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self) -> None:
        while True:
            await asyncio.to_thread(self.curve.sample, self.ranker, self.metrics.requests)
            await asyncio.sleep(EVERY)
