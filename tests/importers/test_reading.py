"""The door: sources of every kind in, one catalogue, traces and a report out; one broken source costs the others nothing."""

import json
import sys

import pytest

from shgat import SHGAT, Catalog, InputError
from shgat.features import embedded, encoder_of
from shgat.importers import read, update

TOOLS = [
    {"name": "send_mail", "description": "Sends an email."},
    {"name": "read_file", "description": "Reads a file from the disk."},
]


def test_five_lines_from_tools_to_a_ranking():
    found = read(TOOLS, server="office")
    catalog = embedded(found.catalog)
    intent = encoder_of(catalog).encode(["write an email to Ada"])[0]
    assert SHGAT.from_catalog(catalog).rank(intent).ids[0] == "send_mail"


def test_every_kind_at_once(files):
    found = read(files)
    kinds = {source.kind for source in found.report.sources}
    assert kinds == {"mcp", "openai", "anthropic", "langchain", "openapi", "n8n", "messages", "langsmith", "otel"}
    assert not found.report.failed
    assert len(found.catalog.tools) == len(found.report.tools.added) == 24
    assert len(found.traces) == 15
    ids = {tool.id for tool in found.catalog.tools}
    assert all({*trace.tools, *trace.context_tools} <= ids for trace in found.traces)
    assert {c.origin for c in found.catalog.capabilities} == {"declared"}


def test_a_source_that_cannot_be_read_is_named_and_the_others_are(tmp_path, files):
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "other.json").write_text('{"a": 1}')
    found = read(tmp_path / "broken.json", tmp_path / "none.json", tmp_path / "other.json", TOOLS)
    assert [bool(source.error) for source in found.report.sources] == [True, True, True, False]
    assert "is no JSON" in found.report.sources[0].error
    assert "cannot read" in found.report.sources[1].error
    assert "of no known kind" in found.report.sources[2].error
    assert len(found.report.left_out) == 3
    with pytest.raises(InputError, match="nothing was imported"):
        read(tmp_path / "broken.json", {"tools": []})


def test_what_is_not_installed_is_named_with_its_remedy(monkeypatch, files):
    for name in ("yaml", "mcp"):
        monkeypatch.setitem(sys.modules, name, None)
    found = read(files / "openapi.yaml", "https://me:secret@host/mcp", TOOLS)
    yaml, mine, server = (source.error for source in found.report.sources)
    assert "PyYAML is not installed; run: pip install" in yaml
    assert "mcp is not installed; run: pip install" in server
    assert mine == ""


def test_what_can_never_work_is_refused():
    for sources, options in (
        ((), {}),
        ((TOOLS,), {"kind": "csv"}),
        ((TOOLS,), {"timeout": 0}),
        (("http://",), {}),
        ((TOOLS,), {"server": "\0"}),
    ):
        with pytest.raises(InputError):
            read(*sources, **options)


def test_a_kind_that_is_given_is_taken(files):
    record = [{"name": "a", "content": "x"}]
    assert [t.id for t in read(record, kind="openai").catalog.tools] == ["a"]
    found = read(files / "swagger.json", TOOLS, kind="openapi")
    assert "that is a mapping" in found.report.sources[1].error
    with pytest.raises(InputError, match="mcpServers is missing"):
        read(TOOLS, kind="mcp-servers")


def test_sources_with_names(files, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(TOOLS))
    found = read(("office", str(tmp_path / "a.json")), TOOLS)
    assert {tool.server for tool in found.catalog.tools} == {"office", ""}


def test_a_folder_is_read_again_as_a_difference(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("a", "b"):
        (source / f"{name}.json").write_text(json.dumps([{"name": name, "description": name}]))
    assert update(out, source).report.tools.added == ("a", "b")
    again = update(out, source).report
    assert (again.tools.added, again.tools.changed, again.tools.removed) == ((), (), ())
    (source / "a.json").write_text(json.dumps([{"name": "a", "description": "other"}]))
    (source / "b.json").unlink()
    report = update(out, source).report
    assert (report.tools.added, report.tools.changed, report.tools.removed) == ((), ("a",), ("b",))
    assert [t.id for t in Catalog.load(out).tools] == ["a"]
    assert str(tmp_path) not in (out / "sources.json").read_text()
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no file of JSON or YAML"):
        update(out, tmp_path / "empty")


def test_what_lies_in_a_folder_and_is_no_source_is_named_and_no_failure_and_no_program_is_started(tmp_path):
    for name, value in (
        ("tools.json", TOOLS),
        ("package.json", {"name": "x", "scripts": {}}),
        (".hidden/tools.json", [{"name": "hidden", "description": "x"}]),
        ("mcp.json", {"mcpServers": {"x": {"command": "touch", "args": [str(tmp_path / "started")]}}}),
        ("flow.json", {"nodes": [{"type": "x.y"}], "connections": {}}),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(value))
    found = read(tmp_path)
    assert [t.id for t in found.catalog.tools] == ["send_mail", "read_file", "x.y"]
    assert found.traces[0].intent == "flow"
    assert not found.report.failed
    assert not (tmp_path / "started").exists()
    whys = sorted(note.why for note in found.report.sources[-1].notes)
    assert whys == [
        "its servers are only started where it is given itself, and not in a folder",
        "what it holds is of no known kind",
    ]


def test_two_sources_of_one_name_are_two(tmp_path):
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
    value = [{"name": "a", "description": "A."}]
    found = update(tmp_path / "out", value, [{"name": "b"}])
    assert [s.source for s in found.report.sources] == ["value 1", "value 2"]
    (tmp_path / "t.json").write_text(json.dumps(value))
    twice = update(tmp_path / "out2", tmp_path / "t.json", tmp_path / "t.json")
    assert len(twice.catalog.tools) == 1


def test_ten_thousand_tools_with_what_goes_wrong_in_any_of_them():
    schema = {"properties": {"q": {"description": "What"}}}
    tools = [
        {"name": f"t{i}", "description": f"Does {i}. " * (3000 if i == 7 else 1), "inputSchema": schema} for i in range(10_000)
    ]
    tools[5]["name"], tools[6]["description"], tools[8] = None, 3, "junk"
    found = read({"tools": tools}, server="big")
    assert len(found.catalog.tools) == 9_998
    assert found.catalog.capabilities[0].tools == tuple(t.id for t in found.catalog.tools)
    assert len(found.report.sources[0].notes) == 5
