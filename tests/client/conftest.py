"""A server that runs, and versions in its store."""

import pytest

from http_server import Process


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with Process(tmp_path_factory.mktemp("client"), "--keys", str(keys(tmp_path_factory))) as server:
        server.key = keys.secret
        yield server


def keys(factory):
    from shgat.web.keys import KeyFile

    path = factory.mktemp("keys") / "keys.json"
    _, keys.secret = KeyFile(path).add("client", ["rank", "feedback", "catalog", "admin", "metrics"])
    return path
