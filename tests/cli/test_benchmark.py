"""`shgat benchmark quality`: JSON on stdout, tables for people, progress on stderr."""

import shutil

import numpy as np
import orjson
import pytest

from shgat.cli import main
from worlds import SAMPLE

TRACES = 120
METHODS = ["shgat", "cosine", "bm25", "rrf", "knn", "tool2vec", "linear_adapter"]
ABLATIONS = [
    "no_message_passing",
    "message_passing",
    "no_route",
    "no_lexical",
    "no_words",
    "words",
    "no_offsets",
    "offsets",
    "no_memory",
    "gat",
]


@pytest.fixture
def data(tmp_path):
    """A folder with one set: the sample, of which only the first traces train."""
    small = shutil.copytree(SAMPLE, tmp_path / "data" / "small")
    lines = (small / "train.jsonl").read_bytes().splitlines(keepends=True)
    (small / "train.jsonl").write_bytes(b"".join(lines[:TRACES]))
    np.save(small / "train.npy", np.load(small / "train.npy")[:TRACES])
    return small.parent


def benchmark(capfd, *arguments):
    code = main(["benchmark", "quality", *map(str, arguments)])
    captured = capfd.readouterr()
    return code, captured.out, captured.err


@pytest.mark.slow
def test_json(data, capfd):
    code, out, err = benchmark(capfd, "--data", data, "--seeds", 2, "--json")
    assert code == 0
    answer = orjson.loads(out)
    assert list(answer) == ["sets"]
    assert list(answer["sets"]) == ["small"]
    methods = answer["sets"]["small"]
    assert list(methods) == METHODS
    for method in methods.values():
        for k in (1, 3, 5, 10):
            assert all(0.0 <= method[f"{metric}@{k}"] <= 1.0 for metric in ("hit", "recall", "ndcg", "comp"))
        assert method["n"] == 100
        assert method["parts"]["warm"]["n"] + method["parts"]["cold"]["n"] == 100
        low, high = method["intervals"]["all"]["recall@5"]
        assert low < method["recall@5"] < high
    shgat = methods["shgat"]
    assert [s["seed"] for s in shgat["seeds"]] == [0, 1]
    assert shgat["recall@5"] == pytest.approx(sum(s["recall@5"] for s in shgat["seeds"]) / 2)
    assert shgat["seconds"] > 0.0
    assert shgat["seeds"][0]["held_out"]["shgat"]["all"]["recall@5"] > 0.0
    assert set(shgat["differences"]) == {"cosine", "bm25", "rrf"}
    assert err.count("\n") == 9  # five baselines, and two seeds of the linear adapter and of SHGAT
    assert "small: shgat, seed 1, " in err


@pytest.mark.slow
def test_ablations(data, capfd):
    code, out, _ = benchmark(capfd, "--data", data, "--seeds", 1, "--ablations", "--json")
    assert code == 0
    assert list(orjson.loads(out)["sets"]["small"]) == [*METHODS, *(f"shgat_{name}" for name in ABLATIONS)]


def test_table(data, capfd):
    code, out, err = benchmark(capfd, "--data", data / "small", "--seeds", 1, "--traces", 110)
    assert code == 0
    assert "83 tools, 110 traces, 100 test intents" in out
    assert " warm and " in out
    for method in METHODS:
        assert out.count(f" {method} ") == 2 + (method == "shgat")  # which alone has probabilities
    assert "intents that no tool fits" in out
    assert "small: cosine: Recall@5 41.8, COMP@5 37.0" in err


@pytest.mark.slow
def test_sets(data, capfd):
    for name in ("other", "third"):
        shutil.copytree(data / "small", data / name)
    code, out, _ = benchmark(capfd, "--data", data, "--sets", "other,third", "--sets", "small", "--seeds", 1, "--json")
    assert code == 0
    sets = orjson.loads(out)["sets"]
    assert list(sets) == ["other", "small", "third"]
    assert sets["other"]["shgat"]["recall@5"] == sets["third"]["shgat"]["recall@5"]
    run = sets["other"]["shgat"]["seeds"][0]
    assert run["abstention"] == pytest.approx({"small": 0.5, "third": 0.5})  # which ask for the same
    assert 0.0 < run["calibration"]["all"]["ece"] < 0.2


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--sets", "missing"], 1, "has no set 'missing'; there are: small"),
        (["--seeds", "0"], 2, "seeds"),
    ],
)
def test_errors_are_one_line(data, capfd, arguments, code, message):
    found, out, err = benchmark(capfd, "--data", data, *arguments)
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert message in err


def test_a_folder_without_data(tmp_path, capfd):
    code, out, err = benchmark(capfd, "--data", tmp_path)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "no folder with tools.jsonl" in err


def test_encoders_beside_each_other_print_one_table(ask):
    code, out, err = ask("benchmark", "encoders", "--data", SAMPLE, "--encoder", "static", "--feedbacks", 0)
    assert code == 0
    assert "static + words" in out
    assert "mean" in out
    assert "Recall@5" in err
    rows = orjson.loads(ask("benchmark", "encoders", "--data", SAMPLE, "--encoder", "static", "--feedbacks", 0, "--json")[1])
    assert list(rows["ways"]) == ["words", "stored embeddings", "static", "static + words"]
    assert rows["ways"]["words"][SAMPLE.name]["ms"] is None
