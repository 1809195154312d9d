"""A ranker over HTTP: the service, its keys, its limits and its page. Needs the extra `serve`.

`shgat serve` runs it; `create_app` makes the ASGI application for a server of one's own.
"""

from typing import TYPE_CHECKING

from .._lazy import names

if TYPE_CHECKING:
    from .app import create_app
    from .keys import Key, KeyFile, Keys
    from .limits import Limits
    from .server import serve
    from .service import Service

__all__ = ["Key", "KeyFile", "Keys", "Limits", "Service", "create_app", "serve"]

__getattr__, __dir__ = names(
    __name__, {"keys": "Key KeyFile Keys", "limits": "Limits", "service": "Service", "app": "create_app", "server": "serve"}
)
