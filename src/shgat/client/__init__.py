"""Clients of `shgat serve`: `Client`, and `AsyncClient` for asyncio. They need the extra `client`, and nothing of the rest of the package."""

from typing import TYPE_CHECKING

from .._lazy import names

if TYPE_CHECKING:
    from .blocking import Client
    from .results import Capability, Item, Moved, Page, Ranking, Taken, Tool, Version, Versions, WhyNot
    from .waiting import AsyncClient

__all__ = [
    "AsyncClient",
    "Capability",
    "Client",
    "Item",
    "Moved",
    "Page",
    "Ranking",
    "Taken",
    "Tool",
    "Version",
    "Versions",
    "WhyNot",
]

__getattr__, __dir__ = names(
    __name__,
    {
        "blocking": "Client",
        "waiting": "AsyncClient",
        "results": "Capability Item Moved Page Ranking Taken Tool Version Versions WhyNot",
    },
)
