"""`shgat runs`: what was trained and measured with `--track`, listed, shown and compared."""

import json
import shutil

import pytest

from worlds import SAMPLE


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with two trainings and what both models find of the test traces. Not to be changed."""
    from shgat.cli import main

    folder = tmp_path_factory.mktemp("runs")
    runs = str(folder / "runs")
    for name, epochs in (("a", "1"), ("b", "3")):
        model = str(folder / f"{name}.safetensors")
        code = main(["train", "--catalog", str(SAMPLE), "--out", model, "--epochs", epochs, "--quiet", "--json", "--force",
                     "--track", runs, "--experiment", "epochs", "--hypothesis", "three are better than one"])  # fmt: skip
        assert code == 0
        assert main(["evaluate", "model", model, "--catalog", str(SAMPLE), "--json", "--track", runs, "--experiment", "test"]) == 0
    return folder


def ids(ask, kept, experiment):
    return [r["id"] for r in json.loads(ask("runs", "list", "--runs", str(kept / "runs"), "--experiment", experiment, "--json")[1])]


def test_list_and_show(ask, kept):
    code, out, err = ask("runs", "list", "--runs", str(kept / "runs"))
    assert code == 0, err
    assert out.count("completed") == 4
    b, a = ids(ask, kept, "epochs")
    code, out, err = ask("runs", "show", b[:8], "--runs", str(kept / "runs"))
    assert code == 0, err
    assert "three are better than one" in out
    assert "parameters.epochs" in out
    assert "UTC" in out
    found = json.loads(ask("runs", "show", a, "--runs", str(kept / "runs"), "--json")[1])
    assert found["parameters"]["epochs"] == 1
    assert [p["step"] for p in found["points"] if p["name"] == "loss"] == [1]
    assert found["figures"]["traces"] == 400.0
    assert str(SAMPLE) not in json.dumps(found)


def test_two_over_the_same_traces_are_tested(ask, kept, tmp_path):
    b, a = ids(ask, kept, "test")
    code, out, err = ask("runs", "compare", a, b, "--runs", str(kept / "runs"), "--plot", str(tmp_path / "page.html"))
    assert code == 0, err
    assert "over the same held-out traces" in out
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    found = json.loads(ask("runs", "compare", a, b, "--runs", str(kept / "runs"), "--json")[1])
    assert found["parameters"]["model"] == ["a.safetensors", "b.safetensors"]
    assert found["tests"]["recall@5"]["n"] == 100
    gain = found["figures"]["shgat.all.recall@5"]
    assert found["tests"]["recall@5"]["mean_difference"] == pytest.approx(gain[1] - gain[0])


def test_trainings_are_compared_without_a_test_and_it_is_said_why(ask, kept):
    b, a = ids(ask, kept, "epochs")
    code, out, err = ask("runs", "compare", a, b, "--runs", str(kept / "runs"))
    assert code == 0, err
    assert "No paired test" in out
    assert ", fold" not in out


def test_a_page_of_all(ask, kept, tmp_path):
    code, _, err = ask("runs", "ui", str(tmp_path / "all.html"), "--runs", str(kept / "runs"))
    assert code == 0, err
    assert "4 runs" in err
    assert "three are better than one" in (tmp_path / "all.html").read_text()


def test_what_makes_no_sense_is_refused_before_the_work(ask, tmp_path):
    shutil.copytree(SAMPLE, tmp_path / "sample")
    train = ("train", "--catalog", str(tmp_path / "sample"), "--out", str(tmp_path / "m"))
    code, _, err = ask(*train, "--experiment", "x")
    assert code == 2
    assert "--experiment goes with --track" in err
    code, _, err = ask(*train, "--track", "ftp://x")
    assert code == 1
    assert "runs are kept in a folder, mlflow" in err
    code, out, _ = ask("runs", "list", "--runs", str(tmp_path / "none"))
    assert code == 0
    assert "There is no run" in out
