"""Keys are kept by a command; what makes no sense is refused before anything listens."""

import json

import pytest

from http_server import Process, rank_body, read_answer, small_catalog


def test_keys_are_made_listed_and_revoked(ask, tmp_path):
    file = tmp_path / "keys.json"
    code, secret, said = ask("serve", "keys", "add", "the gateway", "--scope", "rank,feedback", "--keys", file)
    assert code == 0
    assert secret.startswith("shgat_")
    assert "not shown again" in said
    code, out, _ = ask("serve", "keys", "add", "ops", "--scope", "metrics", "--rate", 5, "--keys", file, "--json")
    made = json.loads(out)
    code, out, _ = ask("serve", "keys", "list", "--keys", file, "--json")
    rows = json.loads(out)["keys"]
    assert [tuple(row[n] for n in ("name", "scopes", "rate")) for row in rows] == [
        ("the gateway", ["rank", "feedback"], None),
        ("ops", ["metrics"], 5.0),
    ]
    assert "sha256" not in rows[0]
    assert made["key"] not in file.read_text()
    _, table, _ = ask("serve", "keys", "list", "--keys", file)
    assert "the gateway" in table
    assert "5/s" in table
    assert ask("serve", "keys", "revoke", made["id"], "--keys", file)[0] == 0
    code, _, error = ask("serve", "keys", "revoke", made["id"], "--keys", file)
    assert code == 1
    assert "has no key" in error
    assert ask("serve", "keys", "revoke", rows[0]["id"], "--keys", file, "--json")[0] == 0
    assert ask("serve", "keys", "list", "--keys", file)[1] == "There is no key.\n"


@pytest.mark.parametrize(("options", "says"), [
    ((), "give --store URL"), (("--demo", "--store", "sqlite:///x.db"), "--store goes without --demo"),
    (("--demo", "--fd", "3"), "--fd needs --keys"),
    (("--demo", "--host", "0.0.0.0"), "give --keys FILE"), (("--demo", "--open", "admin"), "needs a key"),
    (("--demo", "--open", "root"), "a scope"),
    (("--store", "nonsense"), "no database URL"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(ask, options, says):
    code, out, error = ask("serve", *options, "--port", 0)
    assert code in (1, 2)
    assert says in error
    assert out == ""


def test_a_file_of_keys_that_is_not_there(ask, tmp_path):
    code, _, error = ask("serve", "keys", "list", "--keys", tmp_path / "keys.json")
    assert code == 2
    assert "keys add" in error


def test_a_store_without_a_catalogue(ask, tmp_path):
    code, _, error = ask("serve", "--store", f"sqlite:///{tmp_path}/store.db", "--port", 0)
    assert code in (1, 2)
    assert "store.db" in error


def test_open_scopes_need_no_key(tmp_path):
    small_catalog().save(tmp_path / "catalogue")
    with Process(tmp_path, "--open", "rank", "--no-access-log") as server:
        server.key = None
        with server.connect() as connection:
            connection.sendall(server.request(body=rank_body()))
            assert read_answer(connection)[0] == 200
            connection.sendall(server.request("/v1/feedback", b"{}"))
            assert read_answer(connection)[0] == 401
        assert server.stop() == 0
        assert '"message":"request"' not in server.log.read_text()
