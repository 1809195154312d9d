"""`shgat evaluate sessions`: figures of held-out sessions, from a file, two files, or a store; and what it refuses."""

import orjson
import pytest

from shgat import Trace
from shgat.store import Store
from shgat.traces import write_traces
from traces.examples import CATALOG, D
from worlds import SAMPLE

METHODS = ["popularity", "markov 1", "markov 2", "co-occurrence"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sessions in which t1 follows t0, t2 follows t1; every fourth fails. Offered and chosen with a propensity of a half."""
    place = tmp_path_factory.mktemp("sessions")
    CATALOG.save(place)
    write_traces(place / "train.jsonl", made(40), D)
    write_traces(place / "other.csv", made(10, "o"), D)
    return place


def made(n, prefix="s"):
    return [
        Trace(
            id=f"{prefix}{s}.{i}", session=f"{prefix}{s}", step=i, tools=[f"t{i}"], intent=f"intent {s}", embedding=[1.0 + s] * D,
            timestamp=1e9 + 100.0 * s + i, outcome=float(i < 2 or s % 4 > 0), offered=["t0", "t1", "t2"], propensity=0.5, duration_ms=100.0,
            end="terminal" if i == 2 else "",
        )
        for s in range(n)
        for i in range(3)
    ]  # fmt: skip


def test_the_sample_by_the_order_of_its_tools_with_a_ranker(ask, tmp_path):
    chart = tmp_path / "x.svg"
    given = ("evaluate", "sessions", "--catalog", SAMPLE, "--sessions-from-order", "--epochs", 1, "--plot", chart, "--json")
    code, out, err = ask(*given)
    found = orjson.loads(out)
    assert code == 0
    assert err.startswith("shgat: training a ranker on the traces of 320 sessions")
    assert found["sessions"] == {"train": 320, "test": 80}
    assert (found["held_out"], found["again"]) == ("the latest 80 of 400 sessions", False)
    assert list(found["parts"]) == ["all", "first", "later"]
    for part in found["parts"].values():
        assert list(part["methods"]) == [*METHODS, "ranker", "ranker, no context"]
        for of in part["methods"].values():
            assert all(0 <= mean["ci_low"] <= mean["value"] <= mean["ci_high"] <= 1 for mean in of.values())
    later = found["parts"]["later"]["methods"]
    assert later["markov 1"]["hit@1"]["value"] > later["popularity"]["hit@1"]["value"] + 0.2
    first = found["parts"]["first"]["methods"]
    assert {m: v["value"] for m, v in first["ranker"].items()} == {m: v["value"] for m, v in first["ranker, no context"].items()}
    assert "No return of a policy" in found["notes"][-1]
    assert chart.read_text().startswith("<?xml")


def test_tables_of_logged_sessions_with_returns(ask, folder):
    code, out, err = ask("evaluate", "sessions", "--catalog", folder, "--plain")
    assert (code, err) == (0, "")
    assert out.startswith("5 tools, 32 sessions to learn from, the latest 8 of 40 sessions to test\n")
    for line in ("all steps: 22 of 8 sessions", "later steps, given what was used before", "values: the mean return of each tool"):
        assert line in out
    assert "return of a session, 8 logged" in out
    assert "as logged" in out


@pytest.mark.slow
def test_values_stand_beside_the_ranker(ask, folder):
    code, out, err = ask("evaluate", "sessions", "--catalog", folder, "--values", "--epochs", 1)
    assert code == 0
    assert "learning values from 32 sessions" in err
    assert "The weight of values is 0: 0 held-out sessions" not in err
    assert "shgat: The weight of values is " in err
    assert "values by TD(lambda), 24 steps" in out
    for name in ("│ values ", "│ ranker with values "):
        assert name in out


def test_two_files_and_one_seed(ask, folder):
    given = ("evaluate", "sessions", "--catalog", folder, "--plain", "--test", folder / "other.csv", "--json")
    found = orjson.loads(ask(*given)[1])
    assert (found["sessions"], found["held_out"]) == ({"train": 40, "test": 10}, "10 sessions that were held out")
    assert found == orjson.loads(ask(*given)[1])
    assert list(found["returns"]) == METHODS
    for of in found["returns"].values():
        assert of["logged"]["n"] == 10
        assert of["estimate"]["ci_low"] <= of["estimate"]["value"] <= of["estimate"]["ci_high"]
    assert found["values"]["calibration"]["steps"] == 30


def test_the_sessions_of_a_store(ask, folder, tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    with Store.open(url, D) as store:
        store.add_traces(made(20))
    code, out, _ = ask("evaluate", "sessions", "--catalog", folder, "--plain", "--store", url, "--json")
    found = orjson.loads(out)
    assert code == 0
    assert found["sessions"] == {"train": 16, "test": 4}


def test_a_session_that_is_none_is_refused_or_left_out_and_said(ask, folder, tmp_path):
    path = tmp_path / "x.jsonl"
    write_traces(path, [t for t in made(20) if t.id != "s3.1"], D)
    given = ("evaluate", "sessions", "--catalog", folder, "--plain", "--traces", path)
    code, out, err = ask(*given)
    assert (code, out) == (1, "")
    assert "x.jsonl: session 's3', step 2: step 1 is missing before it" in err
    assert "pass --skip-faults" in err
    code, out, err = ask(*given, "--skip-faults")
    assert code == 0
    assert "shgat: 1 sessions were left out, the first: session 's3', step 2" in err


def test_traces_without_sessions_are_told_how_to_be_read(ask):
    code, _, err = ask("evaluate", "sessions", "--catalog", SAMPLE, "--plain")
    assert code == 1
    assert "sessions are held out of at least 2, not 0" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--split", "train", "--store", "sqlite:///x"), "give either --split or --store"),
        (("--test", SAMPLE / "test.jsonl", "--share", "0.5"), "--share goes without --test"),
        (("--plot", "x.png"), "with .svg at its end"),
        (("--split", "nowhere"), "give --split NAME or --traces FILE"),
        (("--plain", "--values"), "--values goes with a ranker"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_the_work(ask, options, said):
    code, out, err = ask("evaluate", "sessions", "--catalog", SAMPLE, *options)
    assert (code, out) == (2, "")
    assert said in err
