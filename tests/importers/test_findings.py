"""What a source holds: identity is (server, name), and what is odd is kept or named."""

from shgat.importers.findings import NOTES, Findings, Note


def test_a_tool_has_its_server_and_name_as_identity():
    found = Findings("x", server="notes")
    assert found.add_tool("read", "Read", "Reads.") == ("notes", "read")
    assert found.add_tool("read", None, "Reads.", server="web") == ("web", "read")
    assert [t.text for t in found.tools.values()] == ["Reads", "Reads"]


def test_a_name_that_cannot_be_an_id_is_left_out_or_mended():
    found = Findings("x")
    for name in (None, 7, "", " \0", "n" * 600):
        assert found.add_tool(name, where="tools[0]") is None
    assert found.add_tool("a\0b\n", None, "Says.") == ("", "ab")
    assert [str(n) for n in found.notes[-2:]] == [
        "tools[0]: left out, its name has 600 characters",
        "ab: changed, characters that no id can have were taken out of its name",
    ]


def test_twice_the_same_is_joined_and_another_of_the_name_left_out():
    found = Findings("x")
    for description in ("Says.", "Says.", "Shouts."):
        found.add_tool("say", None, description)
    assert [note.what for note in found.notes] == ["joined", "left out"]
    assert found.tools["", "say"].text == "Says"


def test_in_a_log_it_is_no_news_that_a_definition_stands_there_again():
    found = Findings("x", repeats=True)
    for _ in range(3):
        found.add_tool("say", None, "Says.")
    assert found.notes == []


def test_groups_grow():
    found = Findings("x")
    found.add_group("tag", "a", "", [("", "x")])
    assert found.add_group("tag", "a", "About a", [("", "y"), ("", "x")], [("tag", "b")]) == ("tag", "a")
    group = found.groups["tag", "a"]
    assert (group.text, group.tools, group.groups) == ("About a", (("", "x"), ("", "y")), (("tag", "b"),))
    assert found.add_group("tag", " ") is None


def test_remarks_without_end_are_counted():
    found = Findings("x")
    for i in range(NOTES + 3):
        found.note(str(i), "left out", "so")
    assert (len(found.notes), found.unnamed) == (NOTES, 3)
    assert found.notes[0] == Note("0", "left out", "so")
