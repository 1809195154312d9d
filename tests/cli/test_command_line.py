"""The command line as a user sees it: exit codes, what stands on stdout, and one line on stderr where something is wrong."""

import os
import shutil
import subprocess
import sys

import numpy as np
import orjson
import pytest

import shgat
from shgat import SHGAT, Catalog
from shgat.cli import main
from worlds import SAMPLE

INTENT = "t0404"
TEXTS = [orjson.loads(line) for line in (SAMPLE / "test.jsonl").read_bytes().splitlines()]


def run(*arguments, **options):
    command = [sys.executable, "-c", "import sys; from shgat.cli import main; sys.exit(main())", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


@pytest.fixture
def ask(capfd):
    """Runs a command in this process: (exit code, stdout, stderr)."""

    def call(*arguments):
        code = main([str(a) for a in arguments])
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def folder(tmp_path):
    """A copy of the sample."""
    return shutil.copytree(SAMPLE, tmp_path / "catalogue")


def rows(folder, name):
    return [orjson.loads(line) for line in (folder / name).read_bytes().splitlines()]


def rewrite(folder, name, change):
    records = rows(folder, name)
    change(records)
    (folder / name).write_bytes(b"".join(orjson.dumps(r) + b"\n" for r in records))


def assert_one_line(result, *parts):
    assert result.returncode == 1, result
    assert result.stdout == ""
    assert result.stderr.startswith("shgat: error: ")
    assert result.stderr.count("\n") == 1
    for part in parts:
        assert part in result.stderr


# ---------------------------------------------------------------- rank
def test_rank_as_json_is_what_the_model_says(ask):
    code, out, err = ask("rank", "--catalog", SAMPLE, "--intent-id", INTENT, "--json", "--top", 7)
    assert (code, err) == (0, "")
    answer = orjson.loads(out)
    row = [t["id"] for t in TEXTS].index(INTENT)
    expected = SHGAT.from_catalog(Catalog.load(SAMPLE)).rank(np.load(SAMPLE / "test.npy")[row], 7)
    assert [i["id"] for i in answer["items"]] == list(expected.ids)
    assert [i["score"] for i in answer["items"]] == expected.scores.tolist()
    assert answer["intent"]["text"] == TEXTS[row]["intent"]
    assert answer["kind"] == "tools"


def test_rank_for_people(ask):
    code, out, err = ask("rank", "--catalog", SAMPLE, "--intent-id", INTENT, "--explain")
    assert (code, err) == (0, "")
    for part in ("mail.send_message ✓", "cosine", "heads", "reliability", "carried by", "cap.write_mail"):
        assert part in out


@pytest.mark.parametrize("shape", [(384,), (1, 384)])
def test_rank_a_vector(ask, tmp_path, shape):
    np.save(tmp_path / "x.npy", np.load(SAMPLE / "test.npy")[3].reshape(shape))
    code, out, _ = ask("rank", "--catalog", SAMPLE, "--intent-vector", tmp_path / "x.npy", "--json")
    assert code == 0
    assert [i["id"] for i in orjson.loads(out)["items"]] == [
        i["id"] for i in orjson.loads(ask("rank", "--catalog", SAMPLE, "--intent-id", INTENT, "--json")[1])["items"]
    ]


@pytest.mark.parametrize("options", [(), ("--explain",), ("--json",), ("--json", "--explain")])
@pytest.mark.parametrize("kind", ["tools", "capabilities", "sets"])
def test_every_kind(ask, kind, options):
    context = ("--context-tool", "sheets.add_pivot", "--context-tool", "files.read_file")
    code, out, err = ask("rank", "--catalog", SAMPLE, "--intent-id", "t0001", "--kind", kind, "--top", 3, *context, *options)
    assert (code, err) == (0, "")
    if "--json" in options:
        items = orjson.loads(out)["items"]
        assert len(items) == 3
        assert all(("tools" in i) == (kind == "sets") and ("explanation" in i) == ("--explain" in options) for i in items)


def test_rank_with_a_model(ask, tmp_path):
    SHGAT.from_catalog(Catalog.load(SAMPLE)).save(tmp_path / "m.safetensors")
    given = ("--model", tmp_path / "m.safetensors", "--intent-id", INTENT, "--json")
    assert ask("rank", "--catalog", SAMPLE, *given) == ask("rank", "--catalog", SAMPLE, "--intent-id", INTENT, "--json")
    np.save(tmp_path / "x.npy", np.load(SAMPLE / "test.npy")[3])
    assert ask("rank", "--model", tmp_path / "m.safetensors", "--intent-vector", tmp_path / "x.npy")[0] == 0


def test_rank_with_a_model_of_another_catalogue(ask, tmp_path, folder):
    SHGAT.from_catalog(Catalog.load(SAMPLE)).save(tmp_path / "m.safetensors")
    rewrite(folder, "capabilities.jsonl", lambda records: records[0]["tools"].pop())
    code, out, err = ask("rank", "--catalog", folder, "--model", tmp_path / "m.safetensors", "--intent-id", INTENT)
    assert (code, out) == (1, "")
    assert "was made for another catalogue" in err


# ---------------------------------------------------------------- what is wrong is one line
@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--intent-id", "nope"], ["'nope'", "train.jsonl, test.jsonl"]),
        (["--intent-id", INTENT, "--context-tool", "gone"], ["context_tools: unknown id 'gone'"]),
        (["--intent-id", INTENT, "--top", "0"], ["top_k"]),
        ([], ["either --intent-vector FILE.npy or --intent-id ID"]),
        (["--intent-id", INTENT, "--intent-vector", "x.npy"], ["either --intent-vector"]),
        (["--intent-vector", "nowhere.npy"], ["cannot read nowhere.npy"]),
        (["--intent-vector", str(SAMPLE / "test.npy")], ["test.npy has shape (100, 384), expected one vector"]),
        (["--intent-vector", str(SAMPLE / "test.jsonl")], ["test.jsonl is no readable .npy array"]),
        (["--intent-id", INTENT, "--model", "nowhere"], ["cannot read nowhere"]),
        (["--intent-id", INTENT, "--model", str(SAMPLE / "tools.jsonl")], ["torn or no shgat file"]),
    ],
)
def test_wrong_arguments(ask, arguments, parts):
    code, out, err = ask("rank", "--catalog", SAMPLE, *arguments)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("shgat: error: ")
    for part in parts:
        assert part in err


@pytest.mark.parametrize("value", [np.ones(7), np.full(384, np.nan), np.full(384, 1e300), np.full(384, 1e30), np.ones(384, int)])
def test_wrong_vectors(ask, tmp_path, value):
    np.save(tmp_path / "x.npy", value)
    code, out, err = ask("rank", "--catalog", SAMPLE, "--intent-vector", tmp_path / "x.npy")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(("shgat: error: intent ", "shgat: error: x.npy holds"))


CORRUPTIONS = {
    "wrong dimension": (lambda f: np.save(f / "capabilities.npy", np.ones((40, 9), np.float16)), ["shape (9,), expected (384,)"]),
    "NaN": (lambda f: np.save(f / "tools.npy", np.full((83, 384), np.nan, np.float16)), ["'files.read_file' holds NaN"]),
    "unknown id": (lambda f: rewrite(f, "capabilities.jsonl", lambda r: r[2]["tools"].append("x.y")), ["unknown tool 'x.y'"]),
    "duplicate id": (
        lambda f: rewrite(f, "tools.jsonl", lambda r: r[1].update(id="files.read_file")),
        ["'files.read_file' occurs 2 times"],
    ),
    "null number": (
        lambda f: rewrite(f, "capabilities.jsonl", lambda r: r[0].update(uses=None)),
        ["uses is a number, not None"],
    ),
    "cycle": (lambda f: rewrite(f, "capabilities.jsonl", lambda r: r[0]["capabilities"].append(r[0]["id"])), ["membership cycle"]),
    "no JSON": (lambda f: (f / "tools.jsonl").write_bytes(b"\xff{"), ["tools.jsonl, line 1: not JSON"]),
    "no folder": (shutil.rmtree, ["cannot read", "No such file"]),
    "a file": (lambda f: (shutil.rmtree(f), f.write_bytes(b"")), ["cannot read", "Not a directory"]),
    "unreadable": (lambda f: ((f / "tools.jsonl").unlink(), (f / "tools.jsonl").mkdir()), ["cannot read", "Is a directory"]),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_bad_catalogue_in_a_process_of_its_own(tmp_path, folder, name):
    corrupt, parts = CORRUPTIONS[name]
    corrupt(folder)
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    assert_one_line(run("rank", "--catalog", folder, "--intent-id", INTENT, cwd=tmp_path), *parts)
    assert sorted(str(p) for p in tmp_path.rglob("*")) == before


def test_a_torn_or_flipped_model_file(tmp_path, ask):
    path = tmp_path / "m.safetensors"
    SHGAT.from_catalog(Catalog.load(SAMPLE)).save(path)
    data = path.read_bytes()
    for bad in (data[: len(data) // 2], data[:-5] + bytes([data[-5] ^ 4]) + data[-4:], b""):
        path.write_bytes(bad)
        code, out, err = ask("rank", "--catalog", SAMPLE, "--model", path, "--intent-id", INTENT)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith(f"shgat: error: {path}")


# ---------------------------------------------------------------- catalog check
def test_check_a_sound_catalogue(ask):
    code, out, err = ask("catalog", "check", SAMPLE)
    assert code == 0
    assert err.endswith("no faults\n")
    for part in ("83", "28 on level 0, 9 on level 1, 3 on level 2", "384 dimensions", "400 traces"):
        assert part in out
    about = orjson.loads(ask("catalog", "check", SAMPLE, "--json")[1])
    assert (about["ok"], about["faults"], about["n_tools"], len(about["orphan_tools"])) == (True, [], 83, 6)
    assert about["traces"][1] == {"file": "test.jsonl", "traces": 100, "embeddings": True, "with_unknown_tools": 0}


def test_check_names_every_fault(ask, folder):
    def spoil(records):
        records[0]["uses"] = None
        records[3]["tools"].append("gone")
        records[4]["tools"].append("lost")

    rewrite(folder, "tools.jsonl", lambda r: r[1].update(id="files.read_file"))
    rewrite(
        folder, "capabilities.jsonl", lambda r: (r[0].update(uses=None), r[3]["tools"].append("gone"), r[4]["tools"].append("lost"))
    )
    code, out, err = ask("catalog", "check", folder, "--json")
    answer = orjson.loads(out)
    assert (code, answer["ok"], err) == (1, False, "")
    faults = answer["faults"]
    for part in ("occurs 2 times", "uses is a number", "'gone'", "'lost'"):
        assert any(part in fault for fault in faults)
    code, out, err = ask("catalog", "check", folder)
    assert (code, out) == (1, "")
    assert err.count("shgat: fault: ") == len(faults)
    code, _, err = ask("rank", "--catalog", folder, "--intent-id", INTENT)
    assert code == 1
    assert f"(and {len(faults) - 1} more); `shgat catalog check DIR` names every fault" in err


def test_check_looks_at_traces(ask, folder):
    np.save(folder / "test.npy", np.ones((3, 384), np.float16))
    (folder / "traces.jsonl").write_bytes(b"[]\n")
    rewrite(folder, "train.jsonl", lambda r: r[0]["tools"].append("gone"))
    code, out, _ = ask("catalog", "check", folder, "--json")
    answer = orjson.loads(out)
    assert code == 1
    assert "test.npy has shape (3, 384), expected (100, 384)" in answer["faults"][0]
    assert "traces.jsonl, line 1: a trace is a record" in answer["faults"][1]
    assert answer["traces"][0]["with_unknown_tools"] == 1


# ---------------------------------------------------------------- demo and the rest
def test_demo(ask):
    code, out, err = ask("demo")
    assert (code, err) == (0, "")
    assert "Try next:" in out
    assert "✓ mail.send_message" in out


def test_demo_as_json(ask):
    code, out, err = ask("demo", "--json")
    assert (code, err) == (0, "")
    answer = orjson.loads(out)
    assert (answer["n_tools"], answer["n_capabilities"], answer["n_intents"]) == (83, 40, 100)
    assert all({"id", "intent", "used", "ranked"} <= row.keys() for row in answer["intents"])


def test_version_and_help(ask):
    assert ask("--version") == (0, f"{shgat.__version__}\n", "")
    for code, out, err in (ask(), ask("--help"), ask("rank", "--help")):
        assert (code, err) == (0, "")
        assert "Usage" in out


@pytest.mark.parametrize("arguments", ["nonsense", "catalog", "rank --top x", "rank --kind people", "rank --no"])
def test_a_command_line_that_makes_no_sense(ask, arguments):
    code, out, err = ask(*arguments.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("shgat: error: ")


def test_a_reader_that_goes_away():
    code = "import sys; from shgat.cli import main; sys.exit(main())"
    read, write = os.pipe()
    os.close(read)
    result = subprocess.run(
        [sys.executable, "-c", code, "demo", "--json"], stdout=write, stderr=subprocess.PIPE, text=True, timeout=120, check=False
    )
    os.close(write)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert result.stderr.count("\n") <= 1


def test_a_terminal_that_cannot_show_everything():
    result = run("demo", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert result.returncode == 0
    assert "Traceback" not in result.stderr


def test_an_interrupt_is_one_line(monkeypatch, ask):
    from shgat.cli import intents

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(intents, "from_traces", interrupted)
    assert ask("rank", "--catalog", SAMPLE, "--intent-id", INTENT) == (1, "", "shgat: error: interrupted\n")
