"""Keys are made once, kept as hashes, and gone when they are revoked."""

import json
import stat
import threading

import pytest

from shgat.errors import InputError
from shgat.web.keys import LOOK, Key, KeyFile, Keys, hashed, scopes_of


def test_a_key_is_found_by_its_secret_alone(tmp_path):
    file = KeyFile(tmp_path / "keys.json")
    key, secret = file.add("gateway", ["feedback", "rank"])
    assert key.scopes == ("rank", "feedback")
    assert secret.startswith(f"shgat_{key.id}_")
    keys = Keys(file)
    assert keys.find(secret) == key
    for wrong in (
        "",
        secret[:-1],
        secret + "x",
        secret[:-1] + ("A" if secret[-1] != "A" else "B"),
        f"shgat_{key.id}_{'x' * 43}",
        "ö" * 60,
    ):
        assert keys.find(wrong) is None


def test_the_file_holds_no_secret_and_is_its_owners_alone(tmp_path):
    file = KeyFile(tmp_path / "keys.json")
    _, secret = file.add("gateway", ["rank"])
    content = file.path.read_text()
    assert secret not in content
    assert secret[15:] not in content
    assert hashed(secret) in content
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert secret not in repr(file.keys())


def test_a_server_that_runs_notices_keys_that_come_and_go(tmp_path):
    file, now = KeyFile(tmp_path / "keys.json"), [0.0]
    first, one = file.add("one", ["rank"])
    keys = Keys(file, clock=lambda: now[0])
    _, two = file.add("two", ["rank"])
    now[0] += LOOK
    assert keys.find(two) is not None
    file.revoke(first.id)
    now[0] += LOOK
    assert keys.find(one) is None
    assert keys.find(two) is not None


def test_a_file_that_cannot_be_read_gives_nobody_access(tmp_path):
    file, now = KeyFile(tmp_path / "keys.json"), [0.0]
    _, secret = file.add("one", ["rank"])
    keys = Keys(file, clock=lambda: now[0])
    file.path.write_text("{}")
    now[0] += LOOK
    assert keys.find(secret) is None
    assert "cannot be read" in keys.trouble


def test_two_that_add_at_once_leave_both(tmp_path):
    file = KeyFile(tmp_path / "keys.json")
    threads = [threading.Thread(target=file.add, args=(f"n{i}", ["rank"])) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(file.keys()) == 8


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"version": 2, "keys": []}',
        '{"version": 1, "keys": {}}',
        '{"version": 1, "keys": [{}]}',
        '{"version": 1, "keys": [{"id": 1, "name": 2, "scopes": ["rank"], "sha256": 3, "created_at": "x"}]}',
    ],
)
def test_what_is_no_file_of_keys_is_refused(tmp_path, content):
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(InputError, match=r"keys\.json.*shgat serve keys add"):
        KeyFile(tmp_path / "keys.json").keys()


def test_what_makes_no_key_is_refused(tmp_path):
    for scopes, match in (([], "may do nothing"), (["rank", "root"], "a scope"), ("rank", "scopes")):
        with pytest.raises(InputError, match=match):
            scopes_of(scopes)
    with pytest.raises(InputError, match="rate"):
        Key.make("x", ["rank"], rate=0)
    file = KeyFile(tmp_path / "keys.json")
    file.add("x", ["rank"])
    with pytest.raises(InputError, match="has no key '12345678'"):
        file.revoke("12345678")
    assert len(json.loads(file.path.read_text())["keys"]) == 1
