"""What a gateway remembers beside the store: descriptions, servers, sizes; by several processes, and when the file is damaged."""

import orjson
import pytest

from scripted_servers import tool
from shgat.gateway.facts import DESCRIPTIONS, Facts, digest_of


@pytest.fixture
def facts(tmp_path):
    return Facts(tmp_path / "facts" / "gateway.json", clock=lambda: 5.0)


def test_a_digest_is_of_all_that_a_tool_says_but_its_name():
    a, b = tool("a", "Reads."), tool("b", "Reads.")
    assert digest_of(a) == digest_of(b)
    assert digest_of(a) != digest_of(tool("a", "Reads, and deletes."))
    assert digest_of(a) != digest_of(tool("a", "Reads.", path="where"))


def test_a_changed_description_has_another_key_and_the_first_one_again_when_it_comes_back(facts):
    assert facts.keys({"s/t": "aa" * 16}) == {"s/t": "s/t"}
    assert facts.changed("s/t") is None
    assert facts.keys({"s/t": "bb" * 16}) == {"s/t": "s/t@bbbbbbbb"}
    assert facts.changed("s/t") == 5.0
    assert facts.keys({"s/t": "aa" * 16}) == {"s/t": "s/t"}
    assert facts.changed("s/t") == 5.0  # whoever puts it back is looked at too
    assert facts.accept() == ["s/t"]
    assert facts.changed("s/t") is None


def test_only_some_flags_are_taken_off(facts):
    for digest in ("aa" * 16, "bb" * 16):
        facts.keys({"s/t": digest, "s/u": digest})
    assert facts.accept({"s/u"}) == ["s/u"]
    assert facts.changed("s/t")
    assert facts.accept({"s/none"}) == []


def test_a_tool_with_another_name_keeps_its_key_of_before_under_the_new_one(facts):
    facts.keys({"s/old": "aa" * 16})
    facts.move({"s/old": "s/new"})
    assert facts.keys({"s/new": "aa" * 16}) == {"s/new": "s/new"}
    assert "s/old" not in facts.to_dict()["tools"]


def test_of_many_descriptions_the_first_and_the_latest_are_remembered(facts):
    for i in range(40):
        facts.keys({"s/t": f"{i:08x}" * 4})
    known = facts.to_dict()["tools"]["s/t"]["keys"]
    assert len(known) <= DESCRIPTIONS + 1
    assert known["00000000" * 4] == "s/t"
    assert f"{39:08x}" * 4 in known


def test_two_processes_bring_what_they_know_into_one_file(tmp_path):
    one, other = Facts(tmp_path / "gateway.json"), Facts(tmp_path / "gateway.json")
    one.keys({"a/t": "aa" * 16})
    other.keys({"b/t": "bb" * 16})
    one.keep_servers({"a": {"state": "ready"}})
    assert set(Facts(tmp_path / "gateway.json").to_dict()["tools"]) == {"a/t", "b/t"}


def test_sizes_are_sums(facts):
    facts.count("s/t", "sizes", calls=1, arguments=10, results=100)
    facts.count("s/t", "sizes", calls=1, arguments=20, results=200)
    facts.keep_servers({})
    assert Facts(facts.path).to_dict()["tools"]["s/t"]["sizes"] == {"calls": 2, "arguments": 30, "results": 300}


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"tools": 3, "servers": {}}'])
def test_a_damaged_file_is_begun_anew(tmp_path, text):
    path = tmp_path / "gateway.json"
    path.write_bytes(text)
    facts = Facts(path)
    assert facts.keys({"s/t": "aa" * 16}) == {"s/t": "s/t"}
    assert orjson.loads(path.read_bytes())["tools"]["s/t"]["digest"] == "aa" * 16


def test_where_nothing_can_be_written_it_is_known_as_long_as_it_runs(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    facts = Facts(tmp_path / "file" / "gateway.json")
    facts.keys({"s/t": "aa" * 16})
    assert facts.keys({"s/t": "bb" * 16}) == {"s/t": "s/t@bbbbbbbb"}
    assert "is not kept" in caplog.text
    assert Facts(None).keys({"s/t": "aa" * 16}) == {"s/t": "s/t"}


def test_a_secret_is_made_once_and_is_nowhere_else(facts):
    secret = facts.secret()
    assert len(secret) == 16
    assert Facts(facts.path).secret() == secret
    assert facts.path.stat().st_mode & 0o077 == 0
    assert secret.hex() not in str(facts.to_dict())
    assert Facts(None).secret() != secret


def test_those_of_a_store_lie_beside_it(tmp_path):
    assert Facts.beside(f"sqlite:///{tmp_path}/x.db").path == tmp_path / "x.db.journal" / "gateway.json"
