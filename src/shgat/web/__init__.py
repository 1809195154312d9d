"""A ranker over HTTP: the service, its keys, its limits and its page. Needs the extra `serve`.

`shgat serve` runs it; `create_app` makes the ASGI application for a server of one's own.
"""

from .._lazy import names

__all__ = ["Key", "KeyFile", "Keys", "Limits", "Service", "create_app", "serve"]

__getattr__, __dir__ = names(
    __name__, {"keys": "Key KeyFile Keys", "limits": "Limits", "service": "Service", "app": "create_app", "server": "serve"}
)
