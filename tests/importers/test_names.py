"""Ids are readable and free; what clients call a tool is found again."""

import pytest

from shgat.importers.names import Names, digest, free, id_of


def test_an_id_is_the_name_or_server_and_name():
    assert id_of(("github", "search"), alone=True) == "search"
    assert id_of(("github", "search"), alone=False) == "github/search"
    assert id_of(("", "search"), alone=False) == "search"
    assert id_of(("n8n-nodes-base", "n8n-nodes-base.gmail"), alone=False) == "n8n-nodes-base.gmail"


def test_the_first_free_id():
    assert free("a", {}) == "a"
    assert free("a", {"a", "a~2"}) == "a~3"


def test_digests_are_of_parts_and_not_of_what_they_make_together():
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("a") == digest("a")
    assert len(digest("\ud800")) == 32


@pytest.mark.parametrize(
    "called",
    [
        "read_note",
        "notes/read_note",
        "notes.read_note",
        "notes_read_note",
        "mcp__notes__read_note",
        "notes__read_note",
        "functions.read_note",
    ],
)
def test_a_tool_is_found_by_what_clients_call_it(called):
    assert Names([("notes", "read_note"), ("web", "fetch")]).find(called) == (("notes", "read_note"), 1)


def test_odd_characters_are_what_clients_write_for_them():
    assert Names([("my notes", "read note")]).find("mcp__my_notes__read_note") == (("my notes", "read note"), 1)


def test_a_name_of_several_tools_is_none_of_them():
    names = Names([("a", "search"), ("b", "search")])
    assert names.find("search") == (None, 2)
    assert names.find("b_search") == (("b", "search"), 1)
    assert names.find("x") == (None, 0)
    names.add(("", "x"))
    assert names.find("x") == (("", "x"), 1)
