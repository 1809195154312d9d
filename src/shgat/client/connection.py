"""What both clients are: an address, a key, and how often they try."""

from typing import Any, TypeVar

from ..errors import MissingExtraError, RemoteError
from . import requests
from .requests import Asked

T = TypeVar("T")


class Connection:
    """A server's answers as records. Safe to share; close it at the end, or use it in a `with`, an `async with` on asyncio.

    What fails for a moment is asked again: a connection that is refused or lost, and a server that says "not now" or "too many". Feedback
    goes under a key, so that it counts once however often it is sent. Each call raises `RemoteError` where the server refused it or did
    not answer.

    Parameters
    ----------
    url : of the server, as `shgat serve` prints it
    key : what `shgat serve keys add` prints; None for scopes that are open
    timeout : seconds for one attempt
    attempts : at most, of one request
    transport : of httpx2, in place of the network
    """

    _kind: str  # of httpx2's clients

    def __init__(
        self, url: str, key: str | None = None, *, timeout: float = 10.0, attempts: int = 4, transport: Any = None
    ) -> None:
        try:
            import httpx2
        except ImportError:
            raise MissingExtraError("httpx2", "client") from None
        self._lost: type[Exception] = httpx2.TransportError
        self._refused: type[Exception] = httpx2.ConnectError
        self._attempts = attempts
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self._http: Any = getattr(httpx2, self._kind)(
            base_url=requests.address(url), headers=headers, timeout=timeout, transport=transport
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._http.base_url)!r})"


class Attempts:
    """One request, until it is answered: what to send, and how long to wait before it is sent again.

    Attributes
    ----------
    again : is it to be sent (again)?
    wait : seconds before that
    answer : the JSON of the answer, None before there is one
    """

    def __init__(self, connection: Connection, asked: Asked) -> None:
        self._connection, self._asked, self._n = connection, asked, 0
        self.again, self.wait, self.answer = True, 0.0, None
        self.options: dict[str, Any] = {
            "method": asked.method, "url": asked.path, "json": asked.body, "params": dict(asked.parameters), "headers": dict(asked.headers),
        }  # fmt: skip

    def got(self, response: Any) -> None:
        """An answer came.

        Raises
        ------
        RemoteError
            it is a refusal.
        """
        if self._left() and requests.to_be_retried(self._asked, response.status_code):
            self.wait = requests.wait(self._n, response.headers.get("retry-after"))
            return
        self.again = False
        self.answer = requests.answer_of(response.status_code, response.headers.get("content-type", ""), response.json)

    def failed(self, error: Exception) -> None:
        """No answer came; RemoteError where it is not to be tried again."""
        certain = isinstance(error, self._connection._refused)  # it surely did nothing
        if not (self._left() and (self._asked.again or certain)):
            raise RemoteError(f"{self._connection._http.base_url} does not answer ({type(error).__name__})") from None
        self.wait = requests.wait(self._n, None)

    def _left(self) -> bool:
        self._n += 1
        return self._n < self._connection._attempts
