from types import SimpleNamespace

import pytest

from shgat import Catalog, InputError
from shgat.integrations.offered import Offered, catalog_of, flat, name_of

MAIL = {"name": "mail", "description": "Sends mail", "input_schema": {"type": "object", "properties": {"to": {"type": "string"}}}}


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        (MAIL, "mail"),
        ({"type": "function", "function": {"name": "mail"}}, "mail"),
        ({"type": "function", "name": "mail"}, "mail"),
        ({"type": "custom", "name": "mail"}, "mail"),
        (SimpleNamespace(name="mail"), "mail"),
        ({"type": "web_search_20250305", "name": "web_search"}, ""),
        ({"type": "file_search"}, ""),
        ({"name": 3}, ""),
        (None, ""),
    ],
)
def test_a_tool_is_told_by_its_name_and_a_vendors_is_none(definition, name):
    assert name_of(definition) == name


def test_namespaces_are_looked_into():
    assert list(flat([MAIL, {"type": "namespace", "name": "n", "tools": [{"name": "a"}]}])) == [MAIL, {"name": "a"}]


def test_a_catalogue_is_made_of_definitions_as_they_are():
    catalog = catalog_of([MAIL, {"type": "function", "function": {"name": "fax", "description": "Sends a fax"}}])
    assert [t.id for t in catalog.tools] == ["mail", "fax"]
    assert catalog.tools[0].text == "Sends mail. Parameters: to"
    with pytest.raises(InputError, match="no tool with a name"):
        catalog_of([{"type": "web_search"}])


def test_a_host_finds_its_names_in_a_catalogue_of_servers():
    catalog = Catalog.from_records([{"id": "files/read", "server": "files"}, {"id": "chat.post", "server": "chat"}, {"id": "page"}])
    offered = Offered()
    assert [offered.id_of(n, catalog) for n in ("files/read", "mcp__files__read", "read", "chat__post", "page", "other")] == [
        "files/read", "files/read", "files/read", "chat.post", "page", None,
    ]  # fmt: skip


def test_only_what_is_new_or_changed_is_taken_in():
    catalog, offered = Catalog.from_records([{"id": "mail", "text": "by hand"}]), Offered()
    assert offered.new(offered.unseen([("mail", MAIL)]), catalog) == []  # the catalogue knows it already
    assert offered.unseen([("mail", MAIL)]) == []
    (changed,) = offered.new(offered.unseen([("mail", {**MAIL, "description": "Sends mail to all"})]), catalog)
    assert (changed.id, changed.text) == ("mail", "Sends mail to all. Parameters: to")
    (new,) = offered.new(offered.unseen([("fax", {"name": "fax", "description": "Sends a fax"})]), catalog)
    assert new.id == "fax"
    assert offered.ids == {"mail": "mail", "fax": "fax"}
