import pytest

from listening import Listening
from monitoring.world import D, catalog
from shgat.errors import InputError
from shgat.monitoring.measures import key
from shgat.monitoring.sources import UP, Served, Stored
from shgat.store import Store


@pytest.fixture
def asked():
    """(url, what it answers: code and body, what it was asked)"""
    says = [200, b"shgat_troubles 2.0\n"]
    with Listening(get=lambda: (says[0], says[1])) as server:
        yield server.url, says, server.asked


def test_a_server_is_asked_with_its_key(asked):
    url, _, seen = asked
    source = Served(url, "geheim")
    assert source.look() == {key("shgat_troubles"): 2.0, UP: 1.0}
    path, headers, _ = seen[0]
    assert (path, headers["authorization"]) == ("/metrics", "Bearer geheim")
    assert Served(f"{url}/metrics").look()[UP] == 1.0
    assert "geheim" not in source.target + source.trouble


@pytest.mark.parametrize(
    ("code", "said"), [(401, "it wants a key: --key"), (403, "has not the scope metrics"), (500, "it answered 500")]
)
def test_a_server_that_refuses_is_down_and_says_why(asked, code, said):
    url, says, _ = asked
    says[0] = code
    source = Served(url)
    assert source.look() == {UP: 0.0}
    assert said in source.trouble


def test_what_is_no_text_of_prometheus_is_down(asked):
    url, says, _ = asked
    says[1] = b"<html>\xff"
    source = Served(url)
    assert source.look() == {UP: 0.0}
    says[1] = b"shgat_troubles 1\n"
    assert source.look()[UP] == 1.0
    assert source.trouble == ""


def test_addresses_are_checked():
    with pytest.raises(InputError, match="the server is at http"):
        Served("file:///etc/passwd")


def test_a_store_without_any_server(url, tmp_path):
    with Store.open(url, D) as store:
        store.keep_catalog(catalog())
    source = Stored(url)
    found = source.look()
    assert found[UP] == found[key("shgat_store_up")] == 1.0
    assert found[key("shgat_missing_share", of="tools")] == 0.0
    assert "hidden" not in source.target
    source.close()
    with pytest.raises(InputError, match="there is no such store"):
        Stored(f"sqlite:///{tmp_path}/nothing.db")


def test_a_store_that_cannot_be_read_is_not_up(tmp_path):
    place = tmp_path / "s.db"
    with Store.open(f"sqlite:///{place}", D) as store:
        store.keep_catalog(catalog())
    source = Stored(f"sqlite:///{place}")
    place.write_bytes(b"this is no database" * 100)
    assert source.look()[key("shgat_store_up")] == 0.0
    assert "s.db" in source.trouble
    source.close()
