"""Who is told when an alert begins or ends: a webhook, in the form of Alertmanager's; or a program, by its standard input."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from ..errors import InputError, RemoteError
from .evaluator import Alert

TIMEOUT = 10.0  # seconds
TRIES = 3


class Receiver(Protocol):
    """Is told of alerts that began or ended; RemoteError where it could not be told."""

    def tell(self, alerts: Sequence[Alert]) -> None: ...


def document(alerts: Sequence[Alert]) -> dict[str, Any]:
    """What is sent: version 4 of the webhooks of Alertmanager, so that what takes those takes these."""
    firing = any(a.state == "firing" for a in alerts)
    return {
        "version": "4", "receiver": "shgat", "status": "firing" if firing else "resolved", "groupKey": "shgat", "truncatedAlerts": 0,
        "groupLabels": {}, "commonLabels": {"job": "shgat"}, "commonAnnotations": {}, "externalURL": "",
        "alerts": [
            {
                "status": a.state,
                "labels": {"alertname": a.name, "severity": a.severity, "instance": a.target, "job": "shgat"},
                "annotations": {"summary": a.summary, "remedy": a.remedy, "value": f"{a.value:g}", "limit": f"{a.limit:g}"},
                "startsAt": _time(a.since), "endsAt": "0001-01-01T00:00:00Z" if a.until is None else _time(a.until),
                "generatorURL": "", "fingerprint": f"{a.name}@{a.target}",
            }
            for a in alerts
        ],
    }  # fmt: skip


class Webhook:
    """Posts JSON to an address, three times where it does not answer.

    Parameters
    ----------
    url : http or https
    token : sent as a bearer token; "": none
    sleep : waits so many seconds

    Raises
    ------
    InputError
        for an address of something else.
    """

    def __init__(self, url: str, token: str = "", sleep: Callable[[float], object] = time.sleep) -> None:
        self.url, self._token, self._sleep = checked_url(url, "the webhook"), token, sleep

    def tell(self, alerts: Sequence[Alert]) -> None:
        """Posts them; RemoteError where nobody takes them."""
        headers = {"content-type": "application/json", "user-agent": "shgat"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self.url, json.dumps(document(alerts)).encode(), headers, method="POST")
        for left in reversed(range(TRIES)):
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT):
                    return
            except (OSError, ValueError) as error:
                if isinstance(error, urllib.error.HTTPError):
                    error.close()
                if left == 0:
                    raise RemoteError(f"the webhook at {shown(self.url)} was not told: {_why(error)}") from None
                self._sleep(1.0)


class Command:
    """Runs a program with the JSON of `document` on its standard input; no shell is involved.

    Parameters
    ----------
    program : path of an executable file

    Raises
    ------
    InputError
        where there is none.
    """

    def __init__(self, program: str | Path) -> None:
        self.program = Path(program)
        if not self.program.is_file():
            raise InputError(f"the command to be told of alerts, {str(program)!r}, is no file")

    def tell(self, alerts: Sequence[Alert]) -> None:
        """Runs it; RemoteError where it fails or takes longer than ten seconds."""
        given = json.dumps(document(alerts)).encode()
        try:
            done = subprocess.run([self.program], input=given, capture_output=True, timeout=TIMEOUT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            why = f"it took longer than {TIMEOUT:g} s" if isinstance(error, subprocess.TimeoutExpired) else str(error.strerror)
            raise RemoteError(f"{self.program} was not told: {why}") from None
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()[-200:]
            raise RemoteError(f"{self.program} was not told: exit code {done.returncode}{f', {said}' if said else ''}")


def checked_url(url: str, what: str) -> str:
    """An address of http or https; InputError for another one."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"{what} is at http://… or https://…, not at {url!r:.60}")
    return url


def shown(url: str) -> str:
    """An address without what may be secret in it: user, password, path and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def _why(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"it answered {error.code}"
    return str(getattr(error, "reason", error))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
