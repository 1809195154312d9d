"""A snapshot of a server's tools beside a catalogue: ids stay, and only what the server had goes."""

import pytest

from shgat import Catalog
from shgat.errors import InputError
from shgat.importers.snapshot import beside

LISTED = {"tools": [{"name": "send", "description": "Sends"}, {"name": "read", "description": "Reads", "tags": ["reading"]}]}
CATALOG = Catalog.from_records(
    [{"id": "clock", "text": "Tells the time"}, {"id": "files/open", "text": "Opens", "server": "files"}],
    [
        {"id": "mine", "text": "By hand", "tools": ["clock", "files/open"]},
        {"id": "server:files", "tools": ["files/open"], "origin": "declared"},
    ],
)


def ids(nodes):
    return [n.id for n in nodes]


def test_the_tools_of_one_server_come_and_go_and_the_others_stay():
    there = beside(CATALOG, LISTED, "mail")
    assert ids(there.tools) == ["clock", "files/open", "mail/send", "mail/read"]
    assert {c.id: c.tools for c in there.capabilities} == {
        "mine": ("clock", "files/open"),
        "server:files": ("files/open",),
        "tag:reading": ("mail/read",),
        "server:mail": ("mail/send", "mail/read"),
    }
    after = beside(Catalog.from_records(there.tools, there.capabilities), {"tools": LISTED["tools"][:1]}, "mail")
    assert ids(after.tools) == ["clock", "files/open", "mail/send"]
    assert {c.id for c in after.capabilities} == {"mine", "server:files", "server:mail"}
    gone = beside(CATALOG, LISTED, "files")
    assert ids(gone.tools) == ["clock", "send", "read"]  # the only server needs no prefix
    assert next(c for c in gone.capabilities if c.id == "mine").tools == ("clock",)


def test_without_a_server_it_is_the_whole_catalogue():
    there = beside(Catalog.from_records([{"id": "send", "text": "old"}, {"id": "gone"}]), LISTED)
    assert there.tools[0].text != "old"
    assert set(ids(there.tools)) == {"send", "read"}


@pytest.mark.parametrize("listing", [{"tools": []}, [], None, "text", {"tools": [{"description": "nameless"}]}])
def test_what_lists_no_tool_takes_none_away(listing):
    with pytest.raises(InputError, match="holds no tool, so nothing is changed"):
        beside(CATALOG, listing, "files")


def test_ids_that_are_given_are_taken_and_one_with_another_id_than_before_is_another_tool():
    before = beside(Catalog.from_records([], []), [{"name": "read", "description": "Reads."}], "fs", {"read": "fs/read"})
    assert [t.id for t in before.tools] == ["fs/read"]  # also where there is one server
    catalog = Catalog.from_records(before.tools, before.capabilities)
    again = beside(catalog, [{"name": "read", "description": "Reads, now more."}], "fs", {"read": "fs/read@2"})
    assert [(t.id, t.text) for t in again.tools] == [("fs/read@2", "Reads, now more")]
    assert [c.tools for c in again.capabilities] == [("fs/read@2",)]
    catalog = Catalog.from_records(again.tools, again.capabilities)
    moved = beside(catalog, [{"name": "read", "description": "Reads."}], "disk", {"read": "fs/read@2"})
    assert [(t.id, t.server) for t in moved.tools] == [("fs/read@2", "disk")]  # a server that is called otherwise by now
