"""A report names everything that was changed or left out, and counts what is alike."""

from shgat.importers.findings import Findings, Note
from shgat.importers.report import Difference, Report, SourceReport, Summary


def test_a_report_as_json_values():
    found = Findings("x.json", "mcp")
    found.add_tool("a", None, "A.")
    found.note("b", "left out", "so")
    report = Report((SourceReport.of(found, 2), SourceReport("y", "", 0, 0, 0, error="gone")), (Note("c", "joined", "why"),))
    value = report.to_dict()
    assert value["sources"][0] == {
        "source": "x.json",
        "kind": "mcp",
        "tools": 1,
        "capabilities": 2,
        "traces": 0,
        "error": None,
        "notes": [{"item": "b", "what": "left out", "why": "so"}],
        "unnamed_notes": 0,
    }
    assert value["sources"][1]["error"] == "gone"
    assert value["tools"] == {"added": (), "changed": (), "removed": ()}
    assert report.left_out == ("y: left out, gone", "x.json: b: left out, so")
    assert report.sources[0].count("left out") == 1


def test_differences():
    found = Difference.of({"a": 1, "b": 1, "c": 1}, {"b": 2, "c": 1, "d": 1})
    assert found.to_dict() == {"added": ("d",), "changed": ("b",), "removed": ("a",)}


def test_a_summary_has_a_line_for_each_reason():
    notes = [Note("a", "kept", "x"), Note("b", "left out", "y"), Note("c", "kept", "x")]
    assert Summary.of(notes).lines == [("kept", "x", 2, "a"), ("left out", "y", 1, "b")]
