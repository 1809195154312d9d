"""What a gateway's store tells of it: the servers that it watched. The rest of `status`, and `principal`, stand in test_gateway.py."""

import orjson

from shgat import Catalog
from shgat.gateway.facts import Facts
from shgat.serving import Ranker
from worlds import SAMPLE


def test_the_status_names_the_servers_that_a_gateway_watched(ask, sqlite_url):
    with Ranker.open(sqlite_url, Catalog.load(SAMPLE), mode="off"):
        pass
    command = ("gateway", "status", "--store", sqlite_url)
    assert "servers" not in orjson.loads(ask(*command, "--catalog", SAMPLE, "--json")[1])
    Facts.beside(sqlite_url).keep_servers(
        {"mail": {"state": "ready", "tools": 3}, "chat": {"state": "failed", "error": "no tools"}}
    )
    servers = orjson.loads(ask(*command, "--catalog", SAMPLE, "--json")[1])["servers"]
    assert {s["server"]: s["state"] for s in servers} == {"mail": "ready", "chat": "failed"}
    assert "no tools" in ask(*command, "--catalog", SAMPLE)[1]
