"""An encoder behind HTTP that speaks as OpenAI's embeddings do: OpenAI, vLLM, Ollama, TEI, LiteLLM. Needs the extra `embed`."""

import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from .. import _check, _fork
from .._files import sha256
from .._types import Float32
from ..errors import EncoderError, InputError, MissingExtraError
from .foreign import ForeignEncoder

URL, URL_VARIABLE, KEY_VARIABLE = "https://api.openai.com/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY"
_PASSING = (408, 409, 425, 429)  # and everything from 500 on
_LONGEST_WAIT = 30.0  # seconds before another try


class EndpointEncoder(ForeignEncoder):
    """The encoder. Safe from any number of threads.

    The key is read from the environment at every request and is nowhere else: not in the id, not in errors, not in logs.

    Parameters
    ----------
    model : as the endpoint calls it
    url : up to `/embeddings`; "": that of `OPENAI_BASE_URL`, else OpenAI's
    key_variable : of the environment; where it is not set, no key is sent
    dimension : d to ask for; None: what the model has by itself
    query_prefix, passage_prefix : what the model wants before intents and before tools
    batch : texts in one request
    retries : further tries after a failure that may pass: a time-out, a lost connection, 429 and 5xx
    timeout : seconds of one request
    budget : tokens, as the endpoint counts them, after which nothing more is asked for; None: no limit
    sleep : waits, for tests

    Raises
    ------
    InputError
        for a URL that is none, or that holds a password.
    """

    _client: Any

    def __init__(
        self, model: str, url: str = "", *, key_variable: str = KEY_VARIABLE, dimension: int | None = None, query_prefix: str = "",
        passage_prefix: str = "", batch: int = 64, retries: int = 3, timeout: float = 10.0, budget: int | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self.model = _check.storable_text(model, "the model of an endpoint")
        url = (url or os.environ.get(URL_VARIABLE) or URL).rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password or parts.query:
            raise InputError(
                "the URL of an endpoint is http(s)://host/path without user, password and query; the key is read from the environment"
            )
        self._place, self._url = f"{parts.hostname}{f':{parts.port}' if parts.port else ''}", f"{url}/embeddings"
        self._asked = self._dimension = None if dimension is None else _check.positive_integer(dimension, "dimension")
        self.query_prefix, self.passage_prefix, self._key_variable = query_prefix, passage_prefix, key_variable
        self._batch = _check.positive_integer(batch, "batch")
        self._retries = _check.seed(retries, "retries")
        self._timeout = _check.number(timeout, 0.001, 3600.0, "timeout")
        self._budget, self.tokens, self._sleep = budget, 0, sleep
        self.after_fork()
        _fork.renew(self)

    def after_fork(self) -> None:
        """The parent's connections are left to it."""
        self._lock, self._client = threading.Lock(), None

    @property
    def id(self) -> str:
        """Model and place, the dimension that was asked for, and where there are prefixes the first digits of their SHA-256."""
        named = f"{self.model}@{self._place}" + (f"-{self._asked}" if self._asked else "")
        prefixes = f"{self.query_prefix}\0{self.passage_prefix}".encode()
        return named + (f"-{sha256(prefixes)[:8]}" if self.query_prefix or self.passage_prefix else "")

    def encode(self, texts: Sequence[str]) -> Float32:
        """(len(texts), d) float32 of length 1.

        Raises
        ------
        EncoderError
            where the endpoint does not answer, refuses, or gives something else, and where the budget is spent.
        """
        parts = [self._request(list(texts[start : start + self._batch])) for start in range(0, len(texts), self._batch)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimension), np.float32)

    def _request(self, texts: list[str]) -> Float32:
        if self._budget is not None and self.tokens >= self._budget:
            raise EncoderError(f"{self.id}: the budget of {self._budget} tokens is spent")
        body: dict[str, Any] = {"model": self.model, "input": [text or " " for text in texts], "encoding_format": "float"}
        if self._asked is not None:
            body["dimensions"] = self._asked
        for tried in range(self._retries + 1):
            answer, trouble, wait = self._posted(body)
            if answer is not None:
                return self._vectors(answer, len(texts))
            if wait is None or tried == self._retries:
                break
            self._sleep(min(_LONGEST_WAIT, max(wait, 0.5 * 2.0**tried * (0.5 + random.random()))))
        raise EncoderError(f"{self.id}: {trouble}")

    def _posted(self, body: dict[str, Any]) -> tuple[Any, str, float | None]:
        """(answer or None, what went wrong, seconds to wait before another try or None where that is useless)."""
        try:
            import httpx2
        except ImportError:
            raise MissingExtraError("httpx2", "embed") from None
        key = os.environ.get(self._key_variable)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            response = self._opened(httpx2).post(self._url, json=body, headers=headers)
        except httpx2.TransportError as error:
            return None, f"{type(error).__name__} after {self._timeout:g} s at most", 0.0
        except Exception as error:  # of a key that no header can hold, say: its message may quote it
            return None, f"cannot be asked ({type(error).__name__})", None
        if response.status_code != 200:
            passing = response.status_code in _PASSING or response.status_code >= 500
            remedy = f"; set {self._key_variable}" if response.status_code in (401, 403) else ""
            return None, f"it answers with status {response.status_code}{remedy}", _seconds(response.headers) if passing else None
        try:
            return response.json(), "", None
        except ValueError:
            return None, "its answer is no JSON", None

    def _opened(self, httpx: Any) -> Any:
        """The connections, made once: to read the certificates for each request would cost it 30 ms."""
        with self._lock:
            if self._client is None:
                self._client = httpx.Client(timeout=self._timeout)
            return self._client

    def _vectors(self, answer: Any, n: int) -> Float32:
        try:
            rows = sorted(answer["data"], key=lambda row: row["index"])
            x = np.array([row["embedding"] for row in rows], np.float32)
            self.tokens += int((answer.get("usage") or {}).get("total_tokens") or 0)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise EncoderError(f"{self.id}: its answer holds no list of embeddings") from None
        return self._checked(x, n, self.id)


def _seconds(headers: Any) -> float:
    """Of Retry-After, where it is a number."""
    try:
        return max(0.0, float(headers.get("retry-after", 0.0)))
    except ValueError:
        return 0.0
