"""`shgat evaluate` and `shgat plot` as a user sees them."""

import numpy as np
import orjson
import pytest

from shgat import SHGAT, Catalog
from shgat.cli import main
from worlds import SAMPLE


@pytest.fixture
def ask(capfd):
    """Runs a command in this process: (exit code, stdout, stderr)."""

    def call(*arguments):
        code = main([str(a) for a in arguments])
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    path = tmp_path_factory.mktemp("untrained") / "untrained.safetensors"
    SHGAT.from_catalog(Catalog.load(SAMPLE)).save(path)
    return path


def test_metrics_beside_cosine(ask, trained):
    code, out, _ = ask("evaluate", "--catalog", SAMPLE, "--model", trained.path, "--json")
    found = orjson.loads(out)
    assert code == 0
    assert {part: p["n"] for part, p in found["parts"].items()} == {"all": 100, "warm": 88, "cold": 12}
    everything = found["parts"]["all"]
    for metric in ("hit@1", "recall@5", "ndcg@10", "comp@3", "mrr", "map"):
        a, b, d = (everything[who][metric] for who in ("shgat", "cosine", "difference"))
        assert a["ci_low"] <= a["value"] <= a["ci_high"]
        assert d["value"] == pytest.approx(a["value"] - b["value"])
    code, out, _ = ask("evaluate", "--catalog", SAMPLE, "--model", trained.path, "--traces", SAMPLE / "test.jsonl")
    assert code == 0
    assert "Recall@5" in out
    assert "cold (12): shgat" in out


def test_the_gate_decides_the_exit_code(ask, trained, untrained):
    given = ("evaluate", "--catalog", SAMPLE)
    assert ask(*given, "--model", trained.path, "--gate", "baseline")[0] == 0
    code, out, err = ask(*given, "--model", untrained, "--gate", "baseline")
    assert code == 1
    assert out
    assert err.startswith("shgat: gate failed: not better than cosine")
    assert ask(*given, "--model", trained.path, "--gate", untrained)[0] == 0
    assert ask(*given, "--model", untrained, "--gate", trained.path)[0] == 1


def test_two_models_are_compared(ask, trained, untrained):
    code, out, _ = ask("evaluate", "--catalog", SAMPLE, "--compare", trained.path, untrained, "--json")
    found = orjson.loads(out)
    assert code == 0
    assert set(found["parts"]["all"]) == {"n", "a", "b", "difference"}
    assert all(t["p_permutation"] < 0.05 and t["mean_difference"] > 0 for t in found["tests"])
    assert "p, permutation" in ask("evaluate", "--catalog", SAMPLE, "--compare", trained.path, untrained)[1]


def test_a_page_is_written(ask, trained, tmp_path):
    page = tmp_path / "out.html"
    code, _, err = ask("evaluate", "--catalog", SAMPLE, "--model", trained.path, "--report", page)
    assert code == 0
    assert str(page) in err
    assert "Worst intents" in page.read_text("utf-8")


def test_a_protocol_trains_and_tests(ask):
    given = ("evaluate", "--catalog", SAMPLE, "--epochs", "1")
    code, out, err = ask(*given, "--protocol", "holdout", "--json", "--gate", "baseline")
    found = orjson.loads(out)
    assert (code, found["protocol"]) == (0 if found["gate"]["passed"] else 1, "holdout")
    assert len(found["trials"]) == 1
    assert found["standard_deviation"]["shgat"]["mrr"] is None
    assert "shgat: holdout: " in err
    code, out, _ = ask(*given, "--protocol", "temporal", "--train-window", "45d", "--test-window", "20d")
    assert code == 0
    assert "standard deviation" in out


@pytest.mark.parametrize(
    "options", [("cv", "--folds", "2"), ("temporal", "--train-window", "45d", "--test-window", "20d"), ("cold",)]
)
def test_a_protocol_writes_a_page(ask, tmp_path, options):
    page = tmp_path / "out.html"
    code, _, err = ask("evaluate", "--catalog", SAMPLE, "--epochs", "1", "--protocol", *options, "--report", page)
    assert code == 0, err
    text = page.read_text("utf-8")
    assert f"<h1>{options[0]}: shgat against cosine</h1>" in text
    for heading in ("Comparison", "Metrics by K", "By trial", "Worst intents", "Notes"):
        assert heading in text


def test_a_model_is_valued_on_a_log(ask, trained, tmp_path):
    rng, lines = np.random.default_rng(0), []
    for i in range(40):
        ranked = [trained.model.tool_ids[t] for t in rng.choice(83, 3, replace=False)]
        lines.append({"id": f"d{i}", "ranked": ranked, "propensities": [0.5, 0.3, 0.2], "chosen": ranked[i % 3], "outcome": i % 2})
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    np.save(tmp_path / "log.npy", trained.test.vectors(np.arange(40)))
    given = ("evaluate", "--protocol", "counterfactual", "--model", trained.path, "--log", log)
    code, out, _ = ask(*given, "--json")
    assert code == 0
    assert set(orjson.loads(out)["estimates"]) == {"ips", "clipped ips", "snips", "direct method", "doubly robust", "switch-dr"}
    assert "effective decisions" in ask(*given)[1]
    lines[7]["outcome"] = None
    log.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    code, out, err = ask(*given)
    assert (code, out) == (1, "")
    assert "line 8: decision 'd7' has no outcome" in err


def test_an_experiment_is_judged(ask, tmp_path):
    log, rng = tmp_path / "ab.jsonl", np.random.default_rng(0)
    rows = [
        {"id": f"r{i}", "treated": bool(i % 2), "success": bool(rng.random() < (0.9 if i % 2 else 0.3)), "error": 0, "fallback": 0,
         "latency": 0.01 + 0.001 * rng.random()}
        for i in range(3000)
    ]  # fmt: skip
    log.write_bytes(b"".join(orjson.dumps(r) + b"\n" for r in rows))
    code, out, _ = ask("evaluate", "--ab", log, "--json")
    assert code == 0
    assert orjson.loads(out)["success"]["ci_low"] > 0.4
    assert "p99 latency ratio" in ask("evaluate", "--ab", log)[1]
    for change, part in (
        ({"treated": 1}, "treated is true or false"),
        ({"success": None}, "success is a number"),
        ({"id": "r1"}, "'r1' is logged"),
    ):
        log.write_bytes(orjson.dumps(rows[1]) + b"\n" + orjson.dumps({**rows[2], **change}))
        code, out, err = ask("evaluate", "--ab", log)
        assert (code, out) == (1, "")
        assert part in err


def test_bad_input_is_one_line_and_exit_code_1(ask, trained, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"id": "x", "tools": ["nothing"]}\n')
    other = tmp_path / "other.safetensors"
    tools = [{"id": f"t{i}", "embedding": np.eye(8, dtype=np.float32)[i]} for i in range(8)]
    SHGAT.from_catalog(Catalog.from_records(tools, [{"id": "c", "tools": ["t0"], "embedding": np.ones(8, np.float32)}])).save(other)
    model = ("--model", trained.path)
    for arguments, part in (
        ((), "give --model FILE"),
        (model, "give --catalog DIR, or --traces"),
        (("--catalog", SAMPLE, "--model", other), "was made for another catalogue"),
        (("--catalog", SAMPLE, *model, "--split", "nope"), "cannot read"),
        (("--catalog", SAMPLE, *model, "--traces", bad), "pass --skip-unknown"),
        (("--traces", SAMPLE / "test.jsonl", "--compare", trained.path, other), "made for another catalogue"),
        (("--catalog", SAMPLE, "--model", tmp_path / "none"), "cannot read"),
        (("--catalog", SAMPLE, "--protocol", "cv", "--gate", "x"), "their --gate is baseline"),
        (("--catalog", SAMPLE, "--protocol", "cv", "--folds", "1"), "k lies between 2"),
        (("--catalog", SAMPLE, "--protocol", "temporal", "--train-window", "30"), "a duration is a number and one of"),
        (("--ab", bad, "--protocol", "cv"), "give one of --ab and --protocol"),
        (("--ab", bad, "--gate", "baseline"), "--gate asks"),
        (("--protocol", "counterfactual", *model), "give --log"),
    ):
        code, out, err = ask("evaluate", *arguments)
        assert (code, out) == (1, ""), arguments
        assert err.startswith("shgat: error: ")
        assert err.count("\n") == 1
        assert part in err


def test_pictures_are_written(ask, trained, untrained, tmp_path):
    pytest.importorskip("matplotlib")
    code, out, _ = ask("plot", trained.path, "--out", tmp_path / "pictures")
    assert code == 0
    written = [line for line in out.splitlines() if line]
    assert {p.name for p in (tmp_path / "pictures").iterdir()} >= {"loss.png", "validation.png", "channels.png", "heads.png"}
    assert len(written) == len(list((tmp_path / "pictures").iterdir()))
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in (tmp_path / "pictures").iterdir())
    code, _, err = ask("plot", untrained, "--out", tmp_path)
    assert code == 1
    assert "was not trained" in err


def test_why_not(ask, trained):
    given = ("rank", "--catalog", SAMPLE, "--model", trained.path, "--intent-id", "t0404", "--why-not", "files.read_file")
    code, out, _ = ask(*given)
    assert code == 0
    assert "Why not files.read_file?" in out
    found = orjson.loads(ask(*given, "--json")[1])["why_not"]
    assert found["tool"] == "files.read_file"
    assert found["rank"] > 1
    assert ask("rank", "--catalog", SAMPLE, "--intent-id", "t0404", "--why-not", "nothing")[0] == 1
