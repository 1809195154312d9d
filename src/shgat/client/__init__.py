"""Clients of `shgat serve`: `Client`, and `AsyncClient` for asyncio. They need the extra `client`, and nothing of the rest of the package."""

from .._lazy import names

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
