"""Where figures come from: a server that is asked for them, or a store that is read."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Protocol

from ..errors import InputError, MissingExtraError, StoreError
from ..store.address import Address
from .facts import FactSettings, StoreFacts
from .measures import Samples, key
from .receivers import checked_url, shown

TIMEOUT = 5.0  # seconds
MOST = 32 << 20  # bytes of an answer
UP = key("up", job="shgat")


class Source(Protocol):
    """Attributes
    ----------
    target : what it is called, without a secret
    trouble : why the last look was in vain, "" where it was not
    """

    target: str
    trouble: str

    def look(self) -> Samples:
        """Every figure, with `up`; where there is no answer, `up` alone, which is 0 then."""
        ...

    def close(self) -> None: ...


class Served:
    """The figures of a server.

    Parameters
    ----------
    url : of the server, or of its /metrics
    token : a key with the scope metrics; "": none

    Raises
    ------
    InputError
        for an address that is none of http or https.
    """

    def __init__(self, url: str, token: str = "", timeout: float = TIMEOUT) -> None:
        checked_url(url, "the server")
        self.url = url if url.rstrip("/").endswith("/metrics") else url.rstrip("/") + "/metrics"
        self.target, self.trouble = shown(url).partition("//")[2], ""
        self._token, self._timeout = token, timeout

    def look(self) -> Samples:
        """Asks it."""
        request = urllib.request.Request(self.url, headers={"authorization": f"Bearer {self._token}"} if self._token else {})
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                text = answer.read(MOST).decode()
            found = {**parsed(text), UP: 1.0}
            self.trouble = ""
        except urllib.error.HTTPError as error:
            error.close()
            why = {401: "it wants a key: --key", 403: "the key has not the scope metrics"}
            self.trouble = f"{self.target}: {why.get(error.code, f'it answered {error.code}')}"
            return {UP: 0.0}
        except (OSError, ValueError) as error:
            said = str(getattr(error, "reason", error))
            self.trouble = f"{self.target}: {said}"
            return {UP: 0.0}
        return found

    def close(self) -> None:
        """Nothing is held open."""


class Stored:
    """The figures that a store gives, without any server.

    Parameters
    ----------
    url : of the store
    user_id : whose model
    """

    def __init__(
        self, url: str, user_id: str = "local", settings: FactSettings | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        address = Address.parse(url)
        if address.file is not None and not address.file.exists():
            raise InputError(f"{address.name}: there is no such store")
        self.target, self.trouble = address.name, ""
        self._facts = StoreFacts(url, user_id, settings, clock=clock)

    def look(self) -> Samples:
        """Reads it."""
        try:
            found = {**self._facts.read(), UP: 1.0, key("shgat_store_up"): 1.0}
            self.trouble = ""
        except StoreError as error:
            self.trouble = str(error)
            return {UP: 1.0, key("shgat_store_up"): 0.0}
        return found

    def close(self) -> None:
        """Closes the store."""
        self._facts.close()


def parsed(text: str) -> Samples:
    """The samples of a text in the format of Prometheus.

    Raises
    ------
    ValueError
        for another text.
    """
    try:
        from prometheus_client.parser import text_string_to_metric_families
    except ImportError:
        raise MissingExtraError("prometheus_client", "monitor") from None
    families = text_string_to_metric_families(text)
    return {(s.name, tuple(sorted(s.labels.items()))): float(s.value) for family in families for s in family.samples}
