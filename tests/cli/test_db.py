"""`shgat db`, on its own: data on stdout, the rest on stderr, one line and exit code 1 for an error."""

import json
import shlex

import numpy as np
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from shgat import Catalog, StoreError, StoreURLError, TraceError, load_traces
from shgat.cli.db import app
from shgat.errors import DamagedError
from shgat.store import Decision, Store
from shgat.traces import Trace
from worlds import SAMPLE

D = 8


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/store.db"


def call(*arguments, code=0):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == code, result.output
    return result


def test_upgrade_creates_a_store_and_repeats(url):
    created = json.loads(call("upgrade", "--url", url, "--dimension", D, "--json").stdout)
    assert created == json.loads(call("upgrade", "--url", url, "--json").stdout)
    assert created["dimension"] == D


def test_the_url_may_come_from_the_environment(url, monkeypatch):
    monkeypatch.setenv("SHGAT_STORE_URL", url)
    call("upgrade", "--dimension", D)
    assert json.loads(call("status", "--json").stdout)["rows"]["traces"] == 0
    assert "rows.traces" in call("status").stdout


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_export_and_import(url, tmp_path, ending):
    with Store.open(url, D) as store:
        store.add_traces([Trace(id=f"t{i}", intent="i", embedding=np.full(D, i, np.float32)) for i in range(3)])
    file = tmp_path / f"x.{ending}"
    assert json.loads(call("export", file, "--url", url, "--json").stdout) == {"file": str(file), "traces": 3}
    new = f"sqlite:///{tmp_path}/new.db"
    report = json.loads(call("import", file, "--url", new, "--dimension", D, "--json").stdout)
    assert report == {"added": 3, "present": 0, "refused": 0, "faults": []}
    assert "present" in call("import", file, "--url", new).stdout


def test_a_folder_goes_round_and_can_be_trained_on(url, tmp_path):
    summary = {"tools": 83, "capabilities": 40}
    report = {**summary, "added": 400, "present": 0, "refused": 0, "faults": []}
    assert json.loads(call("import", SAMPLE, "--url", url, "--json").stdout) == report  # its dimension is the catalogue's
    with Store.open(url) as store:
        store.add_trace(Trace(id="by words alone", intent="i", tools=("files.read_file",)))
        store.add_trace(Trace(id="of a tool that left", intent="i", tools=("gone",), embedding=np.ones(384)))
    out = tmp_path / "out"
    assert json.loads(call("export", out, "--url", url, "--json").stdout) == {"folder": str(out), **summary, "traces": 402}
    theirs, ours = Catalog.load(SAMPLE), Catalog.load(out)
    assert {t.id: (t.text, t.server) for t in ours.tools} == {t.id: (t.text, t.server) for t in theirs.tools}
    assert vars(ours.capabilities[7]).keys() == vars(theirs.capabilities[7]).keys()
    for c in ours.capabilities:
        other = theirs.capabilities[theirs.capability_column[c.id]]
        assert {k: v for k, v in vars(c).items() if k != "embedding"} == {k: v for k, v in vars(other).items() if k != "embedding"}
        np.testing.assert_array_equal(c.embedding, other.embedding)
    with pytest.raises(TraceError, match="'by words alone' has no embedding"):
        load_traces(out / "train.jsonl", ours)
    before, after = load_traces(SAMPLE / "train.jsonl", theirs), load_traces(out / "train.jsonl", ours, unknown="skip")
    assert [key for key, _ in after.skipped] == ["by words alone", "of a tool that left"]
    assert after.ids.tolist() == before.ids.tolist()
    np.testing.assert_array_equal(after.timestamp, before.timestamp)
    np.testing.assert_array_equal(after.outcome, before.outcome)
    np.testing.assert_array_equal(after.intents, before.intents)
    new = f"sqlite:///{tmp_path}/new.db"
    assert json.loads(call("import", out, "--url", new, "--json").stdout) == {**report, "added": 402}
    assert json.loads(call("import", out, "--url", new, "--json").stdout) == {**report, "added": 0, "present": 402}


def test_a_store_without_catalogue_makes_no_folder(url, tmp_path):
    call("upgrade", "--url", url, "--dimension", D)
    assert "holds no catalogue" in call("export", tmp_path / "out", "--url", url, code=1).stderr
    assert not (tmp_path / "out").exists()


def test_refused_rows_are_named_and_the_exit_code_says_so(url, tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_text('{"id": "a", "intent": "i"}\nnonsense\n{"id": "b"}\n{"id": "c", "outcome": 2}\n')
    result = call("import", file, "--url", url, "--dimension", D, "--json", code=1)
    report = json.loads(result.stdout)
    assert (report["added"], report["refused"]) == (2, 2)
    assert [fault["row"] for fault in report["faults"]] == [2, 4]
    assert result.stderr.startswith("shgat: error: x.jsonl, row 2: not JSON")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["upgrade"], ["status"], ["export", "x.jsonl"], ["import", "x.jsonl"]])
@pytest.mark.parametrize("url", ["sqlite:////nowhere/x.db", "nonsense", "postgresql://u:secret@localhost:1/x"])
def test_an_error_is_one_line(command, url):
    with pytest.raises(StoreError) as error:
        Store.open(url)
    result = call(*command, "--url", url, code=2 if isinstance(error.value, StoreURLError) else 1)
    assert result.stdout == ""
    assert result.stderr.startswith("shgat: error: ")
    assert result.stderr.count("\n") == 1
    assert "secret" not in result.stderr


def test_what_need_not_be_kept_is_removed(url):
    with Store.open(url, D) as store:
        store.add_traces([Trace(id=f"t{i}", intent="i", priority=0.5 if i < 8 else None) for i in range(10)])
        store.add_decisions([Decision(id=f"d{i}", intent="i", ranked=[], model_version="1", created_at=1.0) for i in range(6)])
    kept = json.loads(call("prune", "--url", url, "--traces", 3, "--decisions", 5, "--json").stdout)
    assert kept["removed"] == {"traces": 7, "decisions": 1, "model_versions": 0}
    assert (kept["store"]["traces"], kept["store"]["decisions"]) == (3, 5)
    bounds = json.loads(call("prune", "--url", url, "--json").stdout)  # as a gateway does it
    assert bounds["removed"] == {"traces": 0, "decisions": 5, "model_versions": 0}
    assert "retention: traces" in call("prune", "--url", url, "--traces", -1, code=1).stderr


def test_a_damaged_trace_is_removed_by_the_command_that_its_message_names(url):
    with Store.open(url, D) as store:
        store.add_traces([Trace(id=f"t {i}", intent="i") for i in range(3)])
        store.add_decisions([Decision(id="d", intent="i", ranked=[], model_version="1")])
        with store.database.write() as connection:
            connection.execute(sa.text("UPDATE traces SET outcome = 7 WHERE id = 't 1'"))
            connection.execute(sa.text("UPDATE decisions SET ranked = '7'"))
        commands = []
        for read in (lambda: list(store.traces()), lambda: store.decision("d")):
            with pytest.raises(DamagedError) as caught:
                read()
            commands.append(shlex.split(str(caught.value).split("shgat db ")[1]))
    for command, gone in zip(commands, ({"traces": 1, "decisions": 0}, {"traces": 0, "decisions": 1}), strict=True):
        assert json.loads(call(*command, "--url", url, "--json").stdout) == gone
    with Store.open(url) as store:
        assert [t.id for t in store.traces()] == ["t 0", "t 2"]
        assert store.decision("d") is None


def test_removing_nothing_says_what_to_give(url):
    call("upgrade", "--url", url, "--dimension", D)
    assert "--trace ID" in call("remove", "--url", url, code=1).stderr
