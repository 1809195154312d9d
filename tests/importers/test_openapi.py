"""OpenAPI 3 and Swagger 2: operations, tags, references, and documents that are half broken."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shgat.importers.findings import Findings
from shgat.importers.openapi import read, slug


def test_openapi_in_yaml(found):
    about = found("openapi.yaml")
    assert {name: t.text for (_, name), t in about.tools.items()} == {
        "getPet": "One pet. GET /pets/{id}. Parameters: id (Number of the pet)",
        "updatePet": "Changes a pet. Deprecated. PUT /pets/{id}. Parameters: id (Number of the pet), name (What it is called), mother",
        "GET /orders": "Lists orders",
        "POST /orders": "Orders something. Parameters: pet, pet.name (What it is called), pet.mother, amount (How many)",
        "GET /health": "",
    }
    assert {server for server, _ in about.tools} == {"pet-shop"}
    groups = about.groups
    assert groups["tag", "pet-shop/pets"].tools == tuple(("pet-shop", n) for n in ("getPet", "updatePet", "POST /orders"))
    assert groups["tag", "pet-shop/pets"].text == "Everything about the animals"
    assert groups["server", "pet-shop"].groups == (("tag", "pet-shop/pets"), ("tag", "pet-shop/orders"))
    assert groups["server", "pet-shop"].text == "Pet Shop. Sells pets"
    assert [str(n) for n in about.notes if n.what != "kept"] == [
        "GET /orders: changed, its operationId getPet is that of GET /pets/{id}: it is called by method and path",
        "$ref other.yaml#/components/parameters/Page: left out, it refers to another document",
        "$ref #/components/parameters/Missing: left out, there is nothing",
    ]
    assert "hunter2" not in repr((about.tools, about.groups, about.notes))


def test_swagger_in_json(found):
    about = found("swagger.json")
    assert [t.text for t in about.tools.values()] == [
        "Lists what is in stock. GET /items. Parameters: limit (At most so many)",
        "Puts something into the stock. POST /items. Parameters: sku (Number of the article)",
    ]
    assert about.groups["tag", "stock-room/items"].text == "items"


def test_a_server_that_was_given_stays(found):
    assert {server for server, _ in found("swagger.json", server="mine").tools} == {"mine"}


def test_names_of_titles():
    assert slug("Swagger Petstore - v2!") == "swagger-petstore-v2"
    assert slug("商店 API") == "商店-api"
    assert slug(None) == slug("...") == ""


PART = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["getPet", "#/paths", "#/components/x", "body", "query", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["$ref", "parameters", "schema", "properties", "get", "tags", "in", "name", "content", "x", "requestBody"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=20)
@given(PART, PART, PART)
def test_half_broken_documents_raise_nothing(paths, info, components):
    about = Findings("x.json")
    read(
        {"openapi": "3.0.0", "info": info, "paths": {"/a": paths, "/b": {"get": paths}}, "tags": info, "components": components},
        about,
    )
    read({"swagger": 2.0, "paths": paths}, about)
