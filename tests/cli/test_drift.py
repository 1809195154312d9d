"""`shgat drift`: 0 without drift, 1 with it, 2 for a mistake."""

import json

import pytest

from drift import stored


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/s.db"


@pytest.mark.parametrize(("shift", "code"), [(0.0, 0), (1.0, 1)])
def test_the_exit_code_says_whether_it_drifted(url, ask, shift, code):
    stored.fill(url, shift)
    found, out, err = ask("drift", "--url", url, "--json")
    assert (found, err) == (code, "")
    report = json.loads(out)
    assert (report["drifted"], report["n"], report["version"]) == (code == 1, 200, 1)
    found, out, _ = ask("drift", "--url", url)
    assert found == code
    assert out.endswith("Drift.\n" if code else "No drift.\n")
    assert "embedding" in out


def test_what_is_remembered_is_what_it_is_compared_with(url, ask):
    stored.fill(url, 1.0, n=(50, 300))
    assert ask("drift", "--url", url)[0] == 1
    assert ask("drift", "--url", url, "--remember")[:2] == (0, "The latest traces are the reference of v1 now.\n")
    assert ask("drift", "--url", url, "--since", str(stored.MADE + 150))[0] == 0


@pytest.mark.parametrize(
    "arguments", [["--since", "yesterday"], ["--alpha", "0.9"], ["--catalog", "/nowhere"], ["--user", "nobody"], ["--since", "nan"]]
)
def test_a_mistake_is_code_2_and_one_line(url, ask, arguments):
    stored.fill(url, 0.0)
    code, out, err = ask("drift", "--url", url, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("shgat: error: ")
    assert len(err.splitlines()) == 1


def test_a_store_that_is_not_there_is_a_mistake(url, ask):
    assert ask("drift", "--url", url)[0] == 2


def test_too_few_traces_before_the_version_are_named(url, ask):
    stored.fill(url, 0.0, n=(20, 60))
    code, _, err = ask("drift", "--url", url)
    assert code == 2
    assert "at least 40 executions" in err


def test_the_benchmark_counts_alarms(ask):
    code, out, _ = ask("benchmark", "drift", "--windows", "5", "--power", "0", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["windows"], set(found["rates"])) == (5, {"directions", "scores", "mix", "embedding", "tools"})
    assert "windows without drift" in ask("benchmark", "drift", "--windows", "2", "--power", "0")[1]
