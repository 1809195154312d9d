"""`shgat evaluate`: one command a question, its gate, and what it refuses."""

import re

import numpy as np
import orjson
import pytest

from shgat import SHGAT, Catalog
from shgat.store import Decision, Ranked, Store
from shgat.traces import Trace
from worlds import SAMPLE

ESTIMATORS = {"ips", "clipped ips", "snips", "direct method", "doubly robust", "switch-dr"}


def refused(result, *parts, expected=1):
    code, out, err = result
    assert (code, out, err.count("\n")) == (expected, "", 1), err
    assert err.startswith("shgat: error: ")
    for part in parts:
        assert part in err


# ---------------------------------------------------------------- model
def test_metrics_beside_cosine(ask, trained):
    code, out, _ = ask("evaluate", "model", trained.path, "--catalog", SAMPLE, "--json")
    found = orjson.loads(out)
    assert code == 0
    assert (found["model"], found["against"], found["gate"]) == (str(trained.path), "cosine", None)
    assert {part: p["n"] for part, p in found["parts"].items()} == {"all": 100, "warm": 88, "cold": 12}
    everything = found["parts"]["all"]
    for metric in ("hit@1", "recall@5", "ndcg@10", "comp@3", "mrr", "map"):
        a, b, d = (everything[who][metric] for who in ("shgat", "cosine", "difference"))
        assert a["ci_low"] <= a["value"] <= a["ci_high"]
        assert d["value"] == pytest.approx(a["value"] - b["value"])
    code, out, _ = ask("evaluate", "model", trained.path, "--traces", SAMPLE / "test.jsonl")
    assert code == 0
    assert "Recall@5" in out
    assert "cold: 12 intents" in out


def test_the_gate_decides_the_exit_code(ask, trained, untrained):
    given = ("--catalog", SAMPLE, "--gate")
    code, _, err = ask("evaluate", "model", trained.path, *given)
    assert code == 0
    assert err.startswith("shgat: gate passed: ")
    code, out, err = ask("evaluate", "model", untrained, *given)
    assert code == 1
    assert out
    assert err.startswith("shgat: gate failed: not better than cosine")
    assert ask("evaluate", "model", trained.path, "--against", untrained, *given)[0] == 0
    code, _, err = ask("evaluate", "model", untrained, "--against", trained.path, *given)
    assert code == 1
    assert f"not better than {trained.path.stem}" in err


def test_two_models_are_compared(ask, trained, untrained):
    given = ("evaluate", "model", trained.path, "--against", untrained, "--catalog", SAMPLE)
    code, out, _ = ask(*given, "--json")
    found = orjson.loads(out)
    assert code == 0
    assert found["against"] == str(untrained)
    assert set(found["parts"]["all"]) == {"n", "a", "b", "difference"}
    assert all(t["p_permutation"] < 0.05 and t["mean_difference"] > 0 for t in found["tests"])
    out = ask(*given)[1]
    assert "p, permutation" in out
    assert "model against untrained, tested" in out


def test_two_models_of_one_name_are_told_apart(ask, untrained, tmp_path):
    other = tmp_path / untrained.name
    other.write_bytes(untrained.read_bytes())
    code, _, err = ask("evaluate", "model", untrained, "--against", other, "--catalog", SAMPLE, "--gate")
    assert code == 1
    assert f"not better than {other}" in err


def test_the_same_seed_gives_the_same_intervals(ask, trained):
    given = ("evaluate", "model", trained.path, "--catalog", SAMPLE, "--json", "--seed")
    first, again, other = (ask(*given, seed)[1] for seed in (1, 1, 2))
    assert first == again != other


def test_a_page_is_written(ask, trained, tmp_path):
    page = tmp_path / "out.html"
    code, _, err = ask("evaluate", "model", trained.path, "--catalog", SAMPLE, "--report", page)
    assert code == 0
    assert str(page) in err
    assert "Worst intents" in page.read_text("utf-8")


def test_unknown_tools_are_named_or_left_out(ask, trained, tmp_path):
    path = tmp_path / "some.jsonl"
    path.write_bytes((SAMPLE / "test.jsonl").read_bytes() + b'{"id": "x", "tools": ["nothing"]}\n')
    np.save(path.with_suffix(".npy"), np.vstack([np.load(SAMPLE / "test.npy"), np.ones((1, 384), np.float16)]))
    given = ("evaluate", "model", trained.path, "--traces", path)
    refused(ask(*given), "line 101", "'nothing'", "pass --skip-unknown")
    code, out, err = ask(*given, "--skip-unknown", "--json")
    assert (code, orjson.loads(out)["parts"]["all"]["n"]) == (0, 100)
    assert err.startswith("shgat: 1 traces left out, the first is 'x'")


def test_a_model_that_cannot_be_measured(ask, trained, tmp_path):
    other = tmp_path / "other.safetensors"
    tools = [{"id": f"t{i}", "embedding": np.eye(8, dtype=np.float32)[i]} for i in range(8)]
    SHGAT.from_catalog(Catalog.from_records(tools, [{"id": "c", "tools": ["t0"], "embedding": np.ones(8, np.float32)}])).save(other)
    for arguments, part in (
        ((other, "--catalog", SAMPLE), "was made for another catalogue"),
        ((trained.path, "--against", other, "--traces", SAMPLE / "test.jsonl"), "made for another catalogue"),
        ((trained.path, "--against", other, "--catalog", SAMPLE), "was made for another catalogue"),
    ):
        refused(ask("evaluate", "model", *arguments), part)


# ---------------------------------------------------------------- protocol
@pytest.mark.slow
def test_a_protocol_trains_and_tests(ask):
    given = ("--catalog", SAMPLE, "--epochs", "1")
    code, out, err = ask("evaluate", "protocol", "holdout", *given, "--json", "--gate")
    found = orjson.loads(out)
    assert (code, found["protocol"]) == (0 if found["gate"]["passed"] else 1, "holdout")
    assert len(found["trials"]) == 1
    assert found["standard_deviation"]["shgat"]["mrr"] is None
    assert "shgat: holdout: " in err
    code, out, _ = ask("evaluate", "protocol", "temporal", *given, "--train-window", "45d", "--test-window", "20d")
    assert code == 0
    assert "standard deviation" in out


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [("cv", "--folds", "2"), ("temporal", "--train-window", "45d", "--test-window", "20d"), ("cold",)]
)
def test_a_protocol_writes_a_page(ask, tmp_path, options):
    page = tmp_path / "out.html"
    code, _, err = ask("evaluate", "protocol", *options, "--catalog", SAMPLE, "--epochs", "1", "--report", page)
    assert code == 0, err
    text = page.read_text("utf-8")
    assert f"<h1>{options[0]}: shgat against cosine</h1>" in text
    for heading in ("Comparison", "Metrics by K", "By trial", "Worst intents", "Notes"):
        assert heading in text


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ("cv --folds 1 --catalog DIR", "k lies between 2"),
        ("cv --folds 0 --catalog DIR", "k lies between 2"),
        ("temporal --train-window 30 --catalog DIR", "a duration is a number and one of"),
        ("holdout --epochs 0 --catalog DIR", "epochs"),
    ],
)
def test_a_protocol_that_cannot_be_run(ask, monkeypatch, arguments, part):
    monkeypatch.chdir(SAMPLE)
    refused(ask("evaluate", "protocol", *arguments.replace("DIR", str(SAMPLE)).split()), part)


# ---------------------------------------------------------------- log
@pytest.fixture
def decided(trained):
    """40 decisions: their embeddings, and the three tools that were offered, best first."""
    rng = np.random.default_rng(0)
    offered = [[trained.model.tool_ids[t] for t in rng.choice(83, 3, replace=False)] for _ in range(40)]
    return list(zip(trained.test.vectors(np.arange(40)), offered, strict=True))


def test_a_model_is_valued_on_a_file(ask, trained, decided, tmp_path):
    lines = [
        {"id": f"d{i}", "ranked": ranked, "propensities": [0.5, 0.3, 0.2], "chosen": ranked[i % 3], "outcome": i % 2}
        for i, (_, ranked) in enumerate(decided)
    ]
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    np.save(tmp_path / "log.npy", np.stack([x for x, _ in decided]))
    given = ("evaluate", "log", log, "--model", trained.path)
    code, out, err = ask(*given, "--json")
    found = orjson.loads(out)
    assert (code, err) == (0, "")
    assert set(found["estimates"]) == ESTIMATORS
    assert (found["log"], found["decisions"], found["skipped"], found["logged"]["value"]) == (str(log), 40, 0, 0.5)
    assert orjson.loads(ask(*given, "--greedy", "--json")[1])["estimates"] != found["estimates"]
    assert "effective decisions" in ask(*given)[1]
    lines[7]["outcome"] = None
    log.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    refused(ask(*given), "line 8: decision 'd7' has no outcome")


def test_a_model_is_valued_on_a_store(ask, trained, decided, sqlite_url):
    with Store.open(sqlite_url, trained.catalog.dimension) as store:
        store.add_decisions([
            Decision(id=f"d{i}", model_version="v1", intent="i", embedding=x,
                     ranked=tuple(Ranked(t, place) for place, t in enumerate(ranked, 1)))
            for i, (x, ranked) in enumerate(decided)
        ])  # fmt: skip
        store.add_traces([
            Trace(id=f"d{i}", decision_id=f"d{i}", tools=(ranked[i % 3],), outcome=i % 2)
            for i, (_, ranked) in enumerate(decided)
            if i != 6
        ])  # fmt: skip
    given = ("evaluate", "log", "--store", sqlite_url, "--model", trained.path)
    code, out, err = ask(*given, "--json")
    found = orjson.loads(out)
    assert code == 0
    assert set(found["estimates"]) == ESTIMATORS
    assert (found["log"], found["decisions"], found["skipped"]) == (sqlite_url, 39, 1)
    assert err == "shgat: 1 decisions left out, the first is 'd6': it has no feedback\n"
    assert "effective decisions" in ask(*given)[1]


def test_a_log_that_cannot_be_used(ask, trained, tmp_path, sqlite_url):
    Store.open(sqlite_url, trained.catalog.dimension).close()
    with Store.open(f"sqlite:///{tmp_path / 'bare.db'}", trained.catalog.dimension) as store:
        store.add_decision(Decision(id="d", model_version="v1", intent="i", ranked=(Ranked("files.read_file", 1),)))
    log, model = tmp_path / "log.jsonl", ("--model", trained.path)
    log.write_bytes(b"")
    for arguments, part in (
        ((log, *model), "log.jsonl holds no decision"),
        (("--store", sqlite_url, *model), "holds no decision that can be used: there is none"),
        (("--store", f"sqlite:///{tmp_path / 'bare.db'}", *model), "'d' has no feedback"),
        (("--store", f"sqlite:///{tmp_path / 'none.db'}", *model), "there is no such store"),
        ((log, *model, "--catalog", tmp_path), "cannot read"),
    ):
        refused(ask("evaluate", "log", *arguments), part)
    assert ask("evaluate", "log", log)[0] == 2  # no model


# ---------------------------------------------------------------- ab
def test_an_experiment_is_judged(ask, tmp_path):
    log, rng = tmp_path / "ab.jsonl", np.random.default_rng(0)
    rows = [
        {"id": f"r{i}", "treated": bool(i % 2), "success": bool(rng.random() < (0.9 if i % 2 else 0.3)), "error": 0, "fallback": 0,
         "latency": 0.01 + 0.001 * rng.random()}
        for i in range(3000)
    ]  # fmt: skip
    log.write_bytes(b"".join(orjson.dumps(r) + b"\n" for r in rows))
    code, out, _ = ask("evaluate", "ab", log, "--json")
    found = orjson.loads(out)
    assert (code, found["control"], found["treated"]) == (0, 1500, 1500)
    assert found["success"]["ci_low"] > 0.4
    assert "p99 latency ratio" in ask("evaluate", "ab", log)[1]
    for change, part in (
        ({"treated": 1}, "treated is true or false"),
        ({"success": None}, "success is a number"),
        ({"id": "r1"}, "'r1' is logged"),
    ):
        log.write_bytes(orjson.dumps(rows[1]) + b"\n" + orjson.dumps({**rows[2], **change}))
        refused(ask("evaluate", "ab", log), part)


def test_an_experiment_without_the_rates_is_judged_by_what_it_has(ask, tmp_path):
    log = tmp_path / "ab.jsonl"
    log.write_bytes(b"".join(orjson.dumps({"id": f"r{i}", "treated": i % 2 == 0, "success": i % 4 < 2}) + b"\n" for i in range(40)))
    code, out, err = ask("evaluate", "ab", log)
    assert code == 0
    assert "added success rate" in out
    assert "not watched: error rate, fallback rate, p99 latency ratio" in err


# ---------------------------------------------------------------- one run, one set of figures
def intervals_of_page(text):
    """Metric -> (low, high) of the comparison."""
    rows = re.findall(r"<td>([^<]*)</td>(?:<td>[^<]*</td>){3}<td>([-+][\d.]+) to ([-+][\d.]+)</td>", text)
    return {name: (float(low), float(high)) for name, low, high in rows}


@pytest.mark.parametrize("more", [(), ("--gate",), ("--against",), ("--against", "--gate")], ids=" ".join)
def test_terminal_json_and_page_show_the_same_intervals(ask, trained, untrained, tmp_path, more):
    rest = [part for m in more for part in ((m, untrained) if m == "--against" else (m,))]
    given = ("evaluate", "model", trained.path, "--catalog", SAMPLE, "--seed", "3")
    expected = orjson.loads(ask(*given, "--json")[1])["parts"]["all"]["difference"]
    page = tmp_path / "out.html"
    code, out, _ = ask(*given, "--report", page, *rest)
    assert code == 0
    found = intervals_of_page(page.read_text("utf-8"))
    assert len(found) >= 6
    same = 0
    for metric, d in expected.items():
        kind, at, k = metric.partition("@")
        name = (
            {"hit": "Hit", "recall": "Recall", "ndcg": "NDCG", "comp": "COMP", "mrr": "MRR", "map": "MAP"}.get(kind, kind) + at + k
        )
        row = next(line for line in out.splitlines() if f"│ {name} " in line)
        if "--against" not in more:  # an untrained model ranks as cosine, but for rounding
            assert f"{d['ci_low']:.3f} to {d['ci_high']:.3f}" in row
        if name in found:
            same += 1
            assert f"{found[name][0]:.3f} to {found[name][1]:.3f}" in row
    assert same == len(found)


def test_terminal_and_page_of_a_protocol_show_the_same_intervals(ask, tmp_path):
    page = tmp_path / "out.html"
    code, out, _ = ask("evaluate", "protocol", "holdout", "--catalog", SAMPLE, "--epochs", "1", "--report", page, "--gate")
    assert code in (0, 1)
    for name, (low, high) in intervals_of_page(page.read_text("utf-8")).items():
        assert any(f"│ {name} " in line and f"{low:.3f} to {high:.3f}" in line for line in out.splitlines()), name


@pytest.mark.slow
def test_a_protocol_says_which_traces_it_does_not_count(ask):
    code, out, err = ask("evaluate", "protocol", "cv", "--folds", "2", "--catalog", SAMPLE, "--epochs", "1")
    assert code == 0
    assert "all: 362 intents" in out
    assert "shgat: 362 of 400 traces count in the metrics: 38 failed, and say not which tool would have been right." in err


def test_an_option_of_another_question_is_refused(ask, trained, tmp_path):
    for arguments in (
        ("ab", tmp_path / "ab.jsonl", "--gate"),
        ("log", tmp_path / "log.jsonl", "--model", trained.path, "--gate"),
        ("model", trained.path, "--folds", "3"),
        ("protocol", "cv", "--against", trained.path),
        ("protocol", "counterfactual"),
    ):
        code, out, err = ask("evaluate", *arguments)
        assert (code, out, err.count("\n")) == (2, "", 1), arguments
