import json
import stat

import pytest

from listening import Listening
from shgat.errors import InputError, RemoteError
from shgat.monitoring.evaluator import Alert
from shgat.monitoring.receivers import Command, Webhook, document, shown

FIRING = Alert("Hot", "critical", "here", "firing", 2.5, 1.0, 1_700_000_000.0, "It is hot.", "Cool it.")
ENDED = Alert("Cold", "warning", "here", "resolved", 0.1, 1.0, 1_700_000_000.0, "It is cold.", "Warm it.", 1_700_000_060.5)


@pytest.fixture
def listening():
    """(url, what it was asked, codes that it answers with, then 200)"""
    codes = []
    with Listening(post=lambda: codes.pop(0) if codes else 200) as server:
        yield f"{server.url}/alerts?x=1", server.asked, codes


def test_the_document_is_that_of_alertmanager():
    found = document([FIRING, ENDED])
    assert (found["version"], found["status"]) == ("4", "firing")
    assert document([ENDED])["status"] == "resolved"
    first, second = found["alerts"]
    assert first["labels"] == {"alertname": "Hot", "severity": "critical", "instance": "here", "job": "shgat"}
    assert first["annotations"] == {"summary": "It is hot.", "remedy": "Cool it.", "value": "2.5", "limit": "1"}
    assert (first["startsAt"], first["endsAt"]) == ("2023-11-14T22:13:20.000Z", "0001-01-01T00:00:00Z")
    assert (second["status"], second["endsAt"]) == ("resolved", "2023-11-14T22:14:20.500Z")


def test_a_webhook_is_posted_to_with_its_token(listening):
    url, posted, _ = listening
    Webhook(url, "geheim").tell([FIRING])
    ((path, headers, body),) = posted
    assert (path, headers["authorization"], json.loads(body)) == ("/alerts?x=1", "Bearer geheim", document([FIRING]))


def test_a_webhook_is_tried_again_and_what_fails_is_said_without_its_path(listening):
    url, posted, codes = listening
    waited = []
    codes += [503, 500]
    Webhook(url, sleep=waited.append).tell([FIRING])
    assert (len(posted), waited) == (3, [1.0, 1.0])
    codes += [500, 500, 404]
    with pytest.raises(RemoteError, match=r"at http://127\.0\.0\.1:\d+ was not told: it answered 404") as said:
        Webhook(url, sleep=waited.append).tell([FIRING])
    assert "alerts?x" not in str(said.value)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "nothing", "http://", ""])
def test_only_http_is_posted_to(url):
    with pytest.raises(InputError, match="the webhook is at http"):
        Webhook(url)


def test_what_may_be_secret_in_an_address_is_not_shown():
    assert shown("https://me:pass@host:8443/T00/B00/token?key=1") == "https://host:8443"


def program(folder, text):
    file = folder / "told"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def test_a_command_has_the_document_on_its_standard_input(tmp_path):
    Command(program(tmp_path, f'cat > "{tmp_path}/given.json"')).tell([FIRING])
    assert json.loads((tmp_path / "given.json").read_text()) == document([FIRING])


def test_a_command_that_fails_or_is_none_says_so(tmp_path):
    with pytest.raises(RemoteError, match="exit code 3, no paper"):
        Command(program(tmp_path, "echo no paper >&2; exit 3")).tell([FIRING])
    with pytest.raises(InputError, match="is no file"):
        Command(tmp_path / "nothing")
    plain = tmp_path / "plain"
    plain.write_text("x")
    with pytest.raises(RemoteError, match="was not told: Permission denied"):
        Command(plain).tell([FIRING])
