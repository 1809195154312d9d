"""Who may do what: which scope a path needs, and whether a request has it. Everything that is not named open is closed."""

import ipaddress
from collections.abc import Collection, Mapping
from typing import NamedTuple

from ..errors import InputError
from .keys import Keys, scopes_of
from .limits import Limits, Rates
from .problems import Problem

OPENABLE = ("rank", "feedback", "metrics")  # scopes that local callers may have without a key
_OPEN = ("/healthz", "/readyz", "/openapi.json", "/")
_SCOPES = (("/v1/feedback", "feedback"), ("/v1/catalog", "catalog"), ("/v1/models", "admin"), ("/v1/stats", "metrics"),
           ("/v1/history", "metrics"), ("/v1/alerts", "metrics"), ("/metrics", "metrics"))  # fmt: skip
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")


def scope_of(path: str) -> str | None:
    """The scope that a path needs, None for what everybody may see: health, the document, the page's files without any data."""
    if path in _OPEN or path == "/ui" or path.startswith("/ui/"):
        return None
    return next((scope for start, scope in _SCOPES if path == start or path.startswith(start + "/")), "rank")


def is_loopback(host: str) -> bool:
    """Does a host name or address mean this machine alone?"""
    name = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


class Caller(NamedTuple):
    """Who asks: the id of the key, or "local"."""

    id: str
    rate: float | None


class Access:
    """Decides about requests.

    Parameters
    ----------
    opened : scopes that callers on this machine have without a key: not through a proxy, and not for a page of another origin
    """

    def __init__(self, keys: Keys, limits: Limits, opened: Collection[str] = ()) -> None:
        closed = [scope for scope in (scopes_of(opened) if opened else ()) if scope not in OPENABLE]
        if closed:
            raise InputError(f"the scope {closed[0]!r} needs a key; without one callers may have {', '.join(OPENABLE)}")
        self.keys, self._limits, self._opened, self._rates = keys, limits, frozenset(opened), Rates()

    def admit(self, scope: str, headers: Mapping[str, str], client: str) -> Caller:
        """Who asks, if they may.

        Parameters
        ----------
        headers : lower-case name -> value
        client : address

        Raises
        ------
        Problem
            unauthorised, forbidden or too-many.
        """
        caller = self._caller(scope, headers, client)
        if caller.rate is not None:
            wait = self._rates.wait(caller.id, caller.rate)
            if wait:
                retry = {"retry-after": str(max(1, round(wait)))}
                raise Problem("too-many", f"this key may make {caller.rate:g} requests a second; come again in {wait:.2g} s", retry)
        return caller

    def _caller(self, scope: str, headers: Mapping[str, str], client: str) -> Caller:
        given = headers.get("authorization")
        if given is None:
            if scope in self._opened and _is_local(headers, client):
                return Caller("local", self._limits.rate)
            challenge = {"www-authenticate": f'Bearer realm="shgat", scope="{scope}"'}
            raise Problem("unauthorised", f"send a key with the scope {scope}: Authorization: Bearer shgat_...", challenge)
        kind, _, secret = given.partition(" ")
        key = self.keys.find(secret.strip()) if kind.lower() == "bearer" else None
        if key is None:
            challenge = {"www-authenticate": 'Bearer realm="shgat", error="invalid_token"'}
            raise Problem("unauthorised", "nobody has this key: it was revoked, or is no key of this server", challenge)
        if scope not in key.scopes:
            challenge = {"www-authenticate": f'Bearer realm="shgat", error="insufficient_scope", scope="{scope}"'}
            raise Problem("forbidden", f"the key {key.id} has {', '.join(key.scopes)}; this needs {scope}", challenge)
        return Caller(key.id, self._limits.rate if key.rate is None else key.rate)


def _is_local(headers: Mapping[str, str], client: str) -> bool:
    """A program of this machine, not a proxy's client, nor a web page that found out about the port."""
    if not is_loopback(client) or any(name in headers for name in _FORWARDED):
        return False
    host = headers.get("host", "")
    name = host[: host.rindex("]") + 1] if "]" in host else host.partition(":")[0]
    origin = headers.get("origin")
    return (
        is_loopback(name) and origin in (None, f"http://{host}") and headers.get("sec-fetch-site") in (None, "same-origin", "none")
    )
