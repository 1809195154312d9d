"""git reads, and a repository's configuration starts nothing."""

import os

import pytest

from shgat.errors import RepositoryError
from shgat.progressive.git import Git, environment, folder_of, is_sha, last_words, options
from shgat.progressive.history import History


def test_a_hostile_configuration_starts_nothing_and_nothing_is_written(work, commit, git, tree, tmp_path):
    commit("one", {"a": b"1"})
    commit("two", {"a": b"2"})
    sentinel = tmp_path / "executed"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho x >> {sentinel}\ncat\n")
    program.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction", "pre-commit", "fsmonitor-watchman"):
        (hooks / name).symlink_to(program)
    for key in ("core.fsmonitor", "core.pager", "pager.log", "diff.external", "diff.x.textconv", "diff.x.command", "gpg.program",
                "core.sshCommand", "core.askPass", "core.gitProxy", "core.alternateRefsCommand", "credential.helper", "filter.x.smudge",
                "core.editor", "alias.log"):  # fmt: skip
        git(work, "config", key, f"!{program}" if key.startswith("alias") else str(program))
    git(work, "config", "core.hooksPath", str(hooks))
    git(work, "config", "log.showSignature", "true")
    git(work, "config", "format.pretty", "%GG")
    (work / ".git/info").mkdir(exist_ok=True)
    (work / ".git/info/attributes").write_text("* diff=x filter=x\n")
    before = tree(work)
    assert [c.message for c in History.of(work).commits()] == [b"one", b"two"]
    assert not sentinel.exists()
    assert tree(work) == before


def test_objects_that_are_missing_are_not_fetched(work, commit, git, tmp_path):
    commit("one", {"a/b": b"1"})
    commit("two", {"a/b": b"2"})
    sentinel = tmp_path / "executed"
    git(work, "config", "remote.origin.url", f"ext::sh -c 'echo x > {sentinel}'")
    git(work, "config", "remote.origin.promisor", "true")
    git(work, "config", "protocol.ext.allow", "always")
    git(work, "config", "extensions.partialClone", "origin")
    lost = git(work, "rev-parse", "HEAD^{tree}")
    (work / ".git/objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(RepositoryError, match="git log ended with 128"):
        list(History.of(work).commits())
    assert not sentinel.exists()


@pytest.mark.parametrize("kind", ["nothing", "file", "folder"])
def test_what_is_no_repository_is_said(tmp_path, kind, git):
    git(tmp_path, "init", "-q", "--template=")  # a folder above is not looked at
    path = tmp_path / "there"
    if kind == "file":
        path.write_text("x")
    if kind == "folder":
        path.mkdir()
    with pytest.raises(RepositoryError, match="no git repository"):
        folder_of(path)


def test_a_broken_repository_is_an_error_with_what_git_said(tmp_path):
    (tmp_path / "objects").mkdir()
    (tmp_path / "HEAD").write_text("nonsense")
    with pytest.raises(RepositoryError, match="ended with 128"):
        _ = History.of(tmp_path).head


def test_who_stops_reading_leaves_no_process(work, commit):
    from processes import children

    commit("one", {f"f{i}": b"1" for i in range(300)})
    before = children()
    stream = Git(work).stream("log", "-p")
    next(stream)
    stream.close()
    assert children() == before


def test_the_environment_is_its_own(monkeypatch):
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "/bin/false")
    assert "GIT_EXTERNAL_DIFF" not in environment()
    assert environment(GIT_DIR="x")["GIT_DIR"] == "x"
    assert environment()["PATH"] == os.environ["PATH"]
    assert options({"a.b": "c"}) == ["-c", "a.b=c"]


def test_ids_and_last_words():
    assert is_sha("abcd")
    assert is_sha("0" * 64)
    assert not any(map(is_sha, ("abc", "--output=x", "ABCD", "0" * 65, "abcd\n")))
    assert last_words(b"one\nfatal: \x1b[31mtwo\n\n") == "fatal: ?[31mtwo"
    assert last_words(b"") == "without a word"
