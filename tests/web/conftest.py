"""A service over a small catalogue, and what asks it without a network."""

import asyncio

import httpx2
import pytest

from http_server import SCOPES, small_catalog
from shgat.serving import Ranker
from shgat.web import Key, Keys, Limits, Service, create_app


class Asking:
    """Asks an application in this process: `get` and `post` give answers of httpx2."""

    def __init__(self, service, secret, log=None):
        self.service, self.secret = service, secret
        self.app = create_app(service, log)

    def __call__(self, method, path, *, key="", json=None, content=None, headers=None, client="127.0.0.1"):
        given = {**({"authorization": f"Bearer {key or self.secret}"} if key is not None else {}), **(headers or {})}
        if content is not None:
            given = {"content-type": "application/json", **given}

        async def ask():
            transport = httpx2.ASGITransport(self.app, client=(client, 1))
            async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
                return await http.request(method, path, json=json, content=content, headers=given)

        return asyncio.run(ask())

    def get(self, path, **options):
        return self("GET", path, **options)

    def post(self, path, json=None, **options):
        return self("POST", path, json=json, **options)


@pytest.fixture(scope="module")
def small():
    return small_catalog()


@pytest.fixture
def ranker(small, tmp_path):
    with Ranker.open(f"sqlite:///{tmp_path}/store.db", small, mode="off") as ranker:
        yield ranker


@pytest.fixture
def make(ranker, tmp_path):
    """Makes something that asks a service with these scopes, limits and open scopes."""

    def make_one(scopes=SCOPES, *, log=None, opened=(), rate=None, **limits):
        key, secret = Key.make("tests", scopes, rate)
        return Asking(Service(ranker, f"sqlite:///{tmp_path}/store.db", Keys(given=[key]), Limits(**limits), opened), secret, log)

    return make_one


@pytest.fixture
def asking(make):
    return make()


@pytest.fixture
def vector():
    return [1.0, 0.5, -0.25, 0.0, 0.0, 0.125, 2.0, -1.0]
