"""`shgat train`: what it writes, what it refuses, and how it goes on."""

import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import orjson
import pytest

from shgat import SHGAT, Catalog
from shgat.cli.train import remarks
from worlds import SAMPLE

QUICK = ("--epochs", "2", "--lr", "3e-3")


@pytest.fixture
def folder(tmp_path):
    """A small catalogue with 80 traces."""
    for name in ("tools", "capabilities"):
        for suffix in ("jsonl", "npy"):
            shutil.copy(SAMPLE / f"{name}.{suffix}", tmp_path)
    lines = (SAMPLE / "train.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "train.jsonl").write_bytes(b"".join(lines[:80]))
    np.save(tmp_path / "train.npy", np.load(SAMPLE / "train.npy")[:80])
    return tmp_path


@pytest.mark.slow
def test_a_model_is_written_and_ranks(ask, tmp_path):
    out = tmp_path / "model"
    code, table, notes = ask("train", "--catalog", SAMPLE, "--out", out)
    assert code == 0
    assert {p.name for p in tmp_path.iterdir()} == {"model"}
    assert "warm" in table
    assert "cosine" in table
    assert "all traces, epoch 12 of 12" in notes
    assert notes.splitlines()[-1].startswith(f"shgat: {out} written")
    model = SHGAT.load(out)
    assert model.report["accepted"]
    assert model.catalog.fingerprint == Catalog.load(SAMPLE).fingerprint
    code, ranked, _ = ask("rank", "--model", out, "--catalog", SAMPLE, "--intent-id", "t0404", "--json")
    assert code == 0
    assert len(orjson.loads(ranked)["items"]) == 5


def test_json_holds_the_whole_report(ask, folder):
    code, text, notes = ask(
        "train", "--catalog", folder, "--traces", folder / "train.jsonl", "--out", folder / "m", "--json", "--quiet", *QUICK
    )
    report = orjson.loads(text)
    assert (code, report["accepted"]) in ((0, True), (1, False))
    assert report["model"] == (str(folder / "m") if report["accepted"] else None)
    assert report["n_traces"] == 80
    assert notes == ""


@pytest.mark.slow
def test_refused_it_writes_nothing_unless_forced(ask, folder):
    records = [orjson.loads(line) for line in (folder / "train.jsonl").read_bytes().splitlines()]
    tools = [r["tools"] for r in records]
    for r, i in zip(records, np.random.default_rng(0).permutation(len(records)), strict=True):
        r["tools"] = tools[i]
        r.pop("capability", None)
    (folder / "noise.jsonl").write_bytes(b"\n".join(map(orjson.dumps, records)))
    shutil.copy(folder / "train.npy", folder / "noise.npy")
    command = ("train", "--catalog", folder, "--traces", folder / "noise.jsonl", "--out", folder / "m", *QUICK)
    code, table, notes = ask(*command)
    assert code == 1
    assert "against cosine" in table
    assert "nothing written" in notes
    assert "--force" in notes
    assert not {"m", "m.checkpoint"} & {p.name for p in folder.iterdir()}
    code, _, notes = ask(*command, "--force")
    assert code == 0
    assert "forced, although" in notes
    assert SHGAT.load(folder / "m").report["accepted"]


@pytest.mark.slow
def test_unknown_tools_are_named_or_left_out(ask, folder):
    lines = (folder / "train.jsonl").read_bytes().splitlines()
    lines[3] = orjson.dumps({**orjson.loads(lines[3]), "tools": ["nobody.knows"]})
    (folder / "train.jsonl").write_bytes(b"\n".join(lines))
    code, _, notes = ask("train", "--catalog", folder, "--out", folder / "m", *QUICK)
    assert code == 1
    assert "line 4" in notes
    assert "nobody.knows" in notes
    _, _, notes = ask("train", "--catalog", folder, "--out", folder / "m", "--skip-unknown", *QUICK)
    assert "1 traces left out" in notes
    assert "79 traces" in notes


@pytest.mark.parametrize(
    "wrong", ["--out nowhere/m", "--traces none.jsonl", "--catalog none", "--epochs 0", "--lr nan", "--checkpoint /"]
)
def test_what_cannot_work_is_one_line_before_any_work(ask, folder, monkeypatch, wrong):
    monkeypatch.chdir(folder)
    given = {"--catalog": folder, "--out": folder / "m"} | dict([wrong.split()])
    code, out, notes = ask("train", *(part for pair in given.items() for part in pair))
    assert (code, out, notes.count("\n")) == (1 if wrong.split()[0] in ("--epochs", "--lr") else 2, "", 1)
    assert notes.startswith("shgat: error: ")


def test_a_loss_that_rose_is_explained(trained):
    epochs = [replace(epoch, stage="all traces") for epoch in trained.report.epochs[:2]]
    risen = replace(trained.report, epochs=[replace(epochs[0], loss=1.0), replace(epochs[1], loss=2.5)])
    (note,) = remarks(risen)
    assert "the loss rose from 1.000 to 2.500" in note
    assert "the model was kept by how it ranks held-out traces" in note
    assert "the model was refused" in remarks(replace(risen, accepted=False))[0]
    assert remarks(replace(risen, epochs=risen.epochs[::-1])) == []


@pytest.mark.slow
def test_a_loss_that_fell_needs_no_word(ask, folder):
    _, text, _ = ask("train", "--catalog", folder, "--out", folder / "m", "--quiet", "--json", *QUICK)
    assert orjson.loads(text)["notes"] == []


INTERRUPTED = """
import signal, sys
from shgat.cli import main

class Stderr:
    def __init__(self, stream):
        self.stream = stream
    def write(self, text):
        n = self.stream.write(text)
        if "epoch 2 of 6" in text:
            signal.raise_signal(signal.SIGINT)
        return n
    def __getattr__(self, name):
        return getattr(self.stream, name)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and its children inherit that
sys.stderr = Stderr(sys.stderr)
sys.exit(main())
"""


@pytest.mark.slow
def test_an_interrupt_keeps_the_checkpoint_and_says_how_to_go_on(ask, folder):
    arguments = ["train", "--catalog", str(folder), "--out", str(folder / "m"), "--force", "--epochs", "6"]
    child = subprocess.run([sys.executable, "-c", INTERRUPTED, *arguments], capture_output=True, text=True, timeout=60, check=False)
    notes = child.stderr
    assert child.returncode == 1
    assert "--resume" in notes
    assert notes.splitlines()[-1] == "shgat: error: interrupted"
    assert not (folder / "m").exists()
    code, _, notes = ask(*arguments)
    assert code == 1
    assert "m.checkpoint holds an interrupted training" in notes
    code, _, notes = ask(*arguments, "--resume")
    assert code == 0
    assert "plain, fold 1/5, epoch 1 of 6" not in notes
    assert "plain, fold 1/5, epoch 3 of 6" in notes
    assert not (folder / "m.checkpoint").exists()
    ask(*(a if a != str(folder / "m") else folder / "whole" for a in arguments))
    assert SHGAT.load(folder / "m").params.buffer.tobytes() == SHGAT.load(folder / "whole").params.buffer.tobytes()


@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_bar_is_drawn_for_people_and_whole(monkeypatch, width):
    import io

    from shgat.cli import train
    from shgat.training import Epoch

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    held = {"all": {"hit@1": 0.5, "mrr": 0.625}}
    with train.progress() as draw:
        for stage in ("message passing and offsets, fold 1/2", "message passing and offsets, fold 2/2", "all traces"):
            for i in (1, 2):
                draw(Epoch(i, 2, 1.25, 1e-3, 1.0, held, 0.5, 0.1, stage))
    assert "all traces, epoch 2/2" in terminal.getvalue()
    assert "loss 1.250" in terminal.getvalue()
    assert ("Hit@1 50.0 %, MRR 0.625" in terminal.getvalue()) == (width > 120)
    assert "…" not in terminal.getvalue()


@pytest.mark.slow
def test_values_are_learned_from_sessions_besides(ask, folder, tmp_path):
    out = tmp_path / "model"
    code, text, notes = ask(
        "train",
        "--catalog",
        folder,
        "--out",
        out,
        *QUICK,
        "--force",
        "--sessions",
        folder / "train.jsonl",
        "--sessions-from-order",
        "--json",
    )
    assert code == 0
    assert "learning values from 80 sessions" in notes
    found = orjson.loads(text)["values"]
    assert (found["sessions"], found["weight"]) == (80, 0.0)
    assert "too few" in found["reason"]
    assert SHGAT.load(out).state.values.weight == 0.0


def test_the_order_of_tools_is_of_sessions(ask, folder, tmp_path):
    code, out, err = ask("train", "--catalog", folder, "--out", tmp_path / "model", "--sessions-from-order")
    assert (code, out) == (2, "")
    assert "with --sessions FILE" in err
