"""`shgat catalog import`: what it says, in tables and JSON, and its exit codes."""

import io
import json
import sys

import orjson
import pytest

from shgat import Catalog

TOOLS = [{"name": "send_mail", "description": "Sends an email."}, {"name": "", "description": "x"}]


@pytest.fixture
def tools(tmp_path):
    path = tmp_path / "tools.json"
    path.write_text(json.dumps(TOOLS))
    return path


def test_an_import_says_what_it_did(ask, tools, tmp_path):
    code, out, err = ask("catalog", "import", tools, "--out", tmp_path / "out")
    assert code == 0
    for part in ("tools.json", "mcp", "the catalogue now: 1 tools, 0 capabilities, 0 traces", "added: 1 tools: send_mail"):
        assert part in out
    assert "[1]: left out, it has no name" in err
    assert [t.id for t in Catalog.load(tmp_path / "out").tools] == ["send_mail"]
    assert "no tool was added, changed or removed" in ask("catalog", "import", tools, "--out", tmp_path / "out")[1]


def test_json_for_programs(ask, tools, tmp_path):
    code, out, err = ask("catalog", "import", f"office={tools}", "--out", tmp_path / "out", "--json")
    value = orjson.loads(out)
    assert (code, err) == (0, "")
    assert value["catalog"] == {"tools": 1, "capabilities": 1, "traces": 0}
    assert value["tools"]["added"] == ["send_mail"]
    assert value["sources"][0]["notes"][0]["what"] == "left out"


def test_a_source_that_cannot_be_read_is_exit_code_1_and_the_others_are_imported(ask, tools, tmp_path):
    (tmp_path / "broken.json").write_text("{secret")
    code, _, err = ask(
        "catalog", "import", tools, tmp_path / "broken.json", "--command", "far=no-such-program-x", "--out", tmp_path / "out"
    )
    assert code == 1
    assert "broken.json: broken.json is no JSON" in err
    assert "server far: it cannot be started" in err
    assert "secret" not in err
    assert len(Catalog.load(tmp_path / "out").tools) == 1
    code, _, err = ask("catalog", "import", tmp_path / "broken.json", "--out", tmp_path / "none")
    assert code == 1
    assert "nothing was imported" in err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", "out"), "give a file, a folder or a URL"),
        (("nothing.json", "--out", "out"), "there is no file or folder nothing.json"),
        (("TOOLS", "--out", "TOOLS"), "that is no folder"),
        (("TOOLS", "--out", "out", "--kind", "csv"), "--kind is one of mcp, openai"),
        (("TOOLS",), "--out"),
        (("--command", "'open", "--out", "out"), "cannot be taken apart"),
        (("--command", "", "--out", "out"), "names a program"),
        (("ftp://me:secret@host/x", "--out", "out"), "there is no file or folder ftp://host/x"),
    ],
)
def test_what_can_never_work_is_exit_code_2(ask, tools, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = ask("catalog", "import", *(str(tools) if a == "TOOLS" else a for a in arguments))
    assert code == 2
    assert message in " ".join(err.split())
    assert "secret" not in err


def test_standard_input(ask, tmp_path, monkeypatch):
    class Stdin:
        buffer = io.BytesIO(json.dumps(TOOLS).encode())

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert ask("catalog", "import", "-", "--out", tmp_path / "out")[0] == 0
    assert Catalog.load(tmp_path / "out").tools[0].id == "send_mail"


def test_many_remarks_of_one_reason_are_one_line_and_many_reasons_few(ask, tmp_path):
    tools = [{"name": f"t{i}"} for i in range(30)] + [{"name": f"u{i}", "description": "x" * (5000 + i)} for i in range(30)]
    (tmp_path / "tools.json").write_text(json.dumps(tools))
    out, err = ask("catalog", "import", tmp_path / "tools.json", "--out", tmp_path / "out")[1:]
    assert "t0 and 29 more: kept, it has no description" in err
    assert "23 more remarks: --json has them all" in err
    assert "and 52 more" in out
