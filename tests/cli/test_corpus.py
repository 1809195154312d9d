"""`shgat corpus`."""

import json

from shgat.progressive.generator import Plan, make


def test_added_once_in_one_spelling(ask, tmp_path):
    path = tmp_path / "list.txt"
    repo = make(tmp_path / "r.git", Plan(commits=2)).path
    assert ask("corpus", "add", path, "https://GitHub.com/A/B.git", repo)[0] == 0
    path.write_text(path.read_text().rstrip("\n"))  # as an editor may leave it
    code, _, said = ask("corpus", "add", path, "https://github.com/a/b", "https://github.com/c/d", "https://github.com/c/D")
    assert (code, "1 added" in said) == (0, True)
    code, out, _ = ask("corpus", "list", path)
    assert out.splitlines() == ["https://github.com/a/b", str(repo), "https://github.com/c/d"]
    assert [r["name"] for r in json.loads(ask("corpus", "list", path, "--json")[1])["repositories"]] == [
        "a/b",
        f"{tmp_path.name}/r.git",
        "c/d",
    ]
    before = path.read_bytes()
    assert ask("corpus", "add", path, "https://github.com/e/f", "ext::sh")[0] == 2
    assert path.read_bytes() == before


def test_checked(ask, tmp_path):
    path = tmp_path / "list.txt"
    repo = make(tmp_path / "r.git", Plan(commits=2)).path
    (tmp_path / "folder").mkdir()
    path.write_text(f"{repo}\nfile://{repo}\nr.git\nfolder\n")
    code, out, _ = ask("corpus", "check", path)
    assert (code, "line 3: the same as line 1" in out) == (0, True)
    code, out, _ = ask("corpus", "check", path, "--reach", "--json")
    assert (code, [f["line"] for f in json.loads(out)["faults"]]) == (1, [4])
    path.write_text("https://a:b@c/d\n")
    code, out, _ = ask("corpus", "check", path)
    assert (code, "line 1: a URL with a user" in out) == (1, True)
    assert ask("corpus", "check", tmp_path / "none")[0] == 2
