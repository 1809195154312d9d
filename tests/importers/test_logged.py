"""What logs call tools: found, made where it worked, left out where it is nothing or several."""

from shgat.importers.findings import Findings, FoundTrace
from shgat.importers.logged import traced
from shgat.importers.names import Names


def test_names_of_a_log_are_looked_up():
    names = Names([("a", "search"), ("b", "search"), ("notes", "read")])
    log = Findings("log")
    log.traces = [
        FoundTrace("1", "x", ("mcp__notes__read", "search", "new"), context=("b_search", "gone")),
        FoundTrace("2", "y", ("imagined",), outcome=0.0),
        FoundTrace("3", "z", ("new",), outcome=0.0),
    ]
    made, notes = [], []

    def bare(name, source):
        made.append((name, source.source))
        names.add(("", name))
        return "", name

    found = traced([log], names, bare, notes)
    assert [(t.id, tools, context) for t, tools, context in found] == [
        ("1", (("notes", "read"), ("", "new")), (("b", "search"),)),
        ("3", (("", "new"),), ()),
    ]
    assert made == [("new", "log")]
    assert {(note.item, note.what) for note in notes} == {
        ("search", "left out"),
        ("new", "kept"),
        ("gone", "left out"),
        ("imagined", "left out"),
    }
