"""`shgat eval`."""

import json

import pytest

from shgat.progressive.events import canonical
from shgat.progressive.generator import Plan, make


@pytest.fixture
def repositories(tmp_path):
    return [make(tmp_path / f"r{i}.git", Plan(seed=i, commits=110, adversarial=False)).path for i in range(3)]


def test_files_of_later_commits(ask, repositories):
    code, out, err = ask("eval", "temporal", repositories[0], "--json", "--most", "10")
    assert code == 0
    assert "asked r0" in err
    found = json.loads(out)
    assert set(found) == {"file", "intent", "masked"}
    for kind in found.values():
        figures = kind["repositories"]["r0"]
        assert set(figures["mrr"]) >= {"shgat", "prior", "shgat + prior", "backed off", "recency"}
        assert figures["ships"] in figures["mrr"]
        assert kind["macro"]["of"] == 1


@pytest.mark.slow
def test_files_of_repositories_that_were_never_seen(ask, repositories):
    code, out, _ = ask("eval", "transfer", *repositories[:2], "--held-out", repositories[2], "--json", "--quiet", "--most", "20")
    assert code == 0
    curves = json.loads(out)["curves"]
    assert [(c["name"], c["kind"], len(c["after"])) for c in curves] == [("r2", "file", 3), ("r2", "intent", 3)]
    page = ask("eval", "transfer", repositories[0], "--held-out", repositories[2], "--most", "10")[1]
    assert "own from scratch" in page


def test_kinds_of_work(ask, tmp_path):
    kinds = (("fix", "crash"), ("doc", "guide"))
    lines = []
    for i in range(120):
        word, said = kinds[i % 3 == 0]
        files = [{"p": f"{said}/{i % 4}.py", "s": "M", "mode": "100644"}]
        lines.append(
            {
                "kind": "event", "seq": i, "sha": f"{i:040x}", "parents": ["p"], "ct": 1_500_000_000 + i, "ae": "a", "files": files,
                "msg": f"{word}: {said} {i % 7}", "truncated": False, "labels": [{"t": "other", "p": 30}],
            }
        )  # fmt: skip
    file = tmp_path / "said.jsonl"
    file.write_bytes(b"".join(canonical(line) + b"\n" for line in lines))
    code, out, _ = ask("eval", "labels", file, "--json")
    (found,) = json.loads(out)["repositories"]
    assert code == 0
    assert found["macro_f1"]["shgat"] == 1.0
    assert "said" in ask("eval", "labels", file)[1]


def test_what_cannot_be_asked(ask, repositories, tmp_path):
    code, _, err = ask("eval", "labels", repositories[0])
    assert code == 1
    assert "fix:" in err
    short = make(tmp_path / "short.git", Plan(seed=9, commits=20)).path
    code, _, err = ask("eval", "temporal", short)
    assert code == 1
    assert "100 or more" in err
    assert ask("eval", "temporal", tmp_path / "none")[0] == 2
    code, _, err = ask("eval", "labels", repositories[0], repositories[0])
    assert code == 2
    assert "r0" in err
