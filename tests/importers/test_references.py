"""References within a document are followed, never out of it and never without end."""

from shgat.importers.references import References

ROOT = {
    "a/b": {"c~d": [{"name": "here"}]},
    "loop": {"$ref": "#/loop"},
    "tree": {"properties": {"left": {"$ref": "#/tree"}, "leaf": {"description": "End"}}},
    "chain": {"$ref": "#/chain2"},
    "chain2": {"$ref": "#/tree"},
}


def test_pointers_with_escapes_and_positions():
    refs = References(ROOT)
    assert refs.followed({"$ref": "#/a~1b/c~0d/0"}) == {"name": "here"}

    assert refs.mapping({"$ref": "#/chain"}) == ROOT["tree"]
    assert refs.followed({"$ref": "#"}) is ROOT
    assert refs.followed(3) == 3


def test_what_leads_nowhere_is_remembered():
    refs = References(ROOT)
    for ref in ("#/none", "other.yaml#/x", "https://host/x.json", "#/loop", "#/a~1b/c~0d/7", "#/a~1b/c~0d/999999999999"):
        assert refs.mapping({"$ref": ref}) == {}
    assert refs.broken["#/loop"] == "it refers to itself"
    assert refs.broken["https://host/x.json"] == "it refers to another document"
    assert refs.broken["#/none"] == "there is nothing"


def test_a_schema_that_contains_itself_ends():
    assert References(ROOT).schema({"$ref": "#/tree"}) == {"properties": {"left": {}, "leaf": {"description": "End"}}}
    value = {"items": None}
    value["items"] = value
    assert References(value).schema(value) == {"items": {}}
