"""A history is whole, in order, and read the same whatever is in it."""

import re
from collections import Counter

import pytest

from shgat.errors import InputError, RepositoryError
from shgat.progressive import history as module
from shgat.progressive.history import History


def read(path, since=""):
    return list(History.of(path, since).commits())


def test_the_same_files_as_dulwich_says(planted):
    from dulwich.diff_tree import tree_changes
    from dulwich.repo import Repo

    repo = Repo(str(planted.path))
    found = read(planted.path)
    assert len(found) == planted.commits
    for c in found:
        theirs = repo[c.sha.encode()]
        assert [p.decode() for p in theirs.parents] == list(c.parents)
        assert (theirs.author_time, theirs.commit_time) == (c.authored, c.committed)
        assert theirs.message.rstrip(b"\n") == c.message.rstrip(b"\n")
        if len(theirs.parents) < 2:
            before = repo[theirs.parents[0]].tree if theirs.parents else None
            changes = tree_changes(repo.object_store, before, theirs.tree, want_unchanged=False)
            assert sorted((n.new or n.old).path for n in changes) == sorted(x.path for x in c.changes)
        else:
            assert c.changes == []
    repo.close()


def test_parents_come_first_then_time_then_id(planted):
    history = History.of(planted.path)
    place = {sha: i for i, sha in enumerate(history.order)}
    assert [c.sha for c in history.commits()] == history.order
    assert all(place[p] < place[sha] for sha, (_, parents) in history.graph.items() for p in parents)
    late = [sha for sha, (time, parents) in history.graph.items() if any(history.graph[p][0] > time for p in parents)]
    assert late, "the generator plants clocks that went back"


def test_order_does_not_depend_on_how_git_stores_it(planted, tmp_path, git):
    git(tmp_path, "clone", "-q", "--bare", "--no-local", str(planted.path), "copy.git")
    git(tmp_path / "copy.git", "commit-graph", "write", "--reachable")
    assert History.of(tmp_path / "copy.git").order == History.of(planted.path).order


def test_since_is_what_came_after(planted):
    history = History.of(planted.path)
    middle = history.order[len(history.order) // 2]
    after = [c.sha for c in read(planted.path, middle)]
    assert middle not in after
    before = set(history.order) - set(after)
    assert all(p in before for sha in before for p in history.graph[sha][1])
    for bad in ("--output=/tmp/x", "HEAD", "abc"):
        with pytest.raises(InputError, match="id of a commit"):
            History.of(planted.path, bad)
    with pytest.raises(RepositoryError):
        read(planted.path, "0" * 40)


def test_no_commit_yet(work, git):
    history = History.of(work)
    assert (history.head, history.order, history.roots, list(history.commits())) == ("", [], (), [])
    bare = work.parent / "bare.git"
    git(work, "init", "-q", "--bare", str(bare))
    assert History.of(bare).head == ""


def test_a_head_that_names_a_lost_commit_is_an_error(work, commit):
    sha = commit("one", {"a": b"1"})
    (work / ".git/refs/heads/main").write_text("1" * 40 + "\n")
    with pytest.raises(RepositoryError):
        _ = History.of(work).head or read(work)
    (work / ".git/refs/heads/main").write_text(sha + "\n")
    assert len(read(work)) == 1


def test_a_detached_head_and_two_roots(work, commit, git):
    one = commit("one", {"a": b"1"})
    git(work, "checkout", "-q", "--orphan", "other")
    two = commit("two", {"b": b"1"})
    git(work, "merge", "-q", "--allow-unrelated-histories", "-m", "both", one)
    git(work, "checkout", "-q", "--detach")
    history = History.of(work)
    assert history.roots == tuple(sorted((one, two)))
    assert len(read(work)) == 3


def test_an_octopus_merge_and_merges_alone(work, commit, git):
    base = commit("base", {"a": b"1"})
    for name in "xyz":
        git(work, "checkout", "-q", "-b", name, base)
        commit(name, {name: b"1"})
    git(work, "merge", "-q", "-m", "octopus", "x", "y")
    last = read(work)[-1]
    assert (len(last.parents), last.changes) == (3, [])


def test_a_shallow_copy_knows_its_boundary(planted, tmp_path, git):
    git(tmp_path, "clone", "-q", "--bare", "--depth", "5", f"file://{planted.path}", "shallow.git")
    history = History.of(tmp_path / "shallow.git")
    found = list(history.commits())
    assert history.boundary
    assert {c.sha for c in found if c.sha in history.boundary} == set(history.roots)
    assert all(c.changes == [] for c in found if c.sha in history.boundary)


def test_grafts_and_replacements_are_passed_over(work, commit, git):
    one = commit("one", {"a": b"1"})
    two = commit("two", {"a": b"2"})
    commit("three", {"a": b"3"})
    git(work, "replace", "--graft", two)
    (work / ".git/info").mkdir(exist_ok=True)
    (work / ".git/info/grafts").write_text(two + "\n")
    assert History.of(work).roots == (one,)


def test_submodules_symlinks_and_kinds_of_change(work, commit, git):
    sha = commit("one", {"a": b"1", "gone": b"1"})
    git(work, "update-index", "--add", "--cacheinfo", f"160000,{sha},module")
    git(work, "commit", "-q", "-m", "module")
    (work / "link").symlink_to("a")
    (work / "gone").unlink()
    (work / "module").mkdir()
    git(work, "add", "link", "gone")
    git(work, "commit", "-q", "-m", "more")
    (work / "a").unlink()
    (work / "a").symlink_to("link")
    git(work, "add", "a")
    git(work, "commit", "-q", "-m", "another type")
    found = [[(x.status, x.mode, x.path) for x in c.changes] for c in read(work)]
    assert found[1] == [("A", "160000", b"module")]
    assert found[2] == [("D", "100644", b"gone"), ("A", "120000", b"link")]
    assert found[3] == [("T", "120000", b"a")]


def test_ids_of_64_digits(tmp_path):
    from shgat.progressive.generator import Plan, make

    planted = make(tmp_path / "r.git", Plan(commits=20, sha256=True))
    found = read(planted.path)
    assert len(found) == planted.commits
    assert all(re.fullmatch("[0-9a-f]{64}", c.sha) for c in found)


def test_too_many_files_are_counted_and_a_commit_may_have_none(work, commit):
    commit("many", {f"d/{i}": b"1" for i in range(module.MOST_FILES + 7)})
    commit("none")
    many, none = read(work)
    assert (len(many.changes), many.n_changes) == (module.MOST_FILES, module.MOST_FILES + 7)
    assert (none.changes, none.n_changes) == ([], 0)


def test_a_message_of_megabytes_is_cut_and_its_length_is_known(work, commit):
    length = 3_000_000
    commit(b"x" * length, {"a": b"1"})
    commit("after", {"a": b"2"})
    first, second = read(work)
    assert (len(first.message), first.length) == (module.LONGEST, length)
    assert second.message == b"after"


def test_messages_that_look_like_something_else(work, commit):
    messages = ["", ":100644 100644 a b M", "a\x01b", "1" * 40, "\n\n:x"]
    for i, message in enumerate(messages):
        commit(message, {"a": b"%d" % i})
    found = read(work)
    assert [c.n_changes for c in found] == [1] * len(messages)
    assert [c.message.strip().decode() for c in found] == [m.strip() for m in messages]


def test_dates_at_the_edges(work, commit):
    dates = ("0 +0000", "2147483648 -1200", "4102444800 +1400")
    for i, date in enumerate(dates):
        commit("m", {"a": b"%d" % i}, GIT_AUTHOR_DATE="@" + date, GIT_COMMITTER_DATE="@1 +0000")
    assert [c.authored for c in read(work)] == [0, 2**31, 4_102_444_800]


def test_a_commit_without_a_date_has_none(work, commit, git):
    commit("m", {"a": b"1"})
    raw = git(work, "cat-file", "commit", "HEAD") + "\n"
    broken = re.sub(r"(author|committer) (.*) \d+ \+0000", r"\1 \2", raw)
    sha = git(work, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", given=broken.encode())
    git(work, "update-ref", "refs/heads/main", sha)
    (found,) = read(work)
    assert found.n_changes == 1
    assert found.authored in (0, None)


def test_paths_are_bytes(planted):
    from shgat.progressive.generator import BAD_NAMES

    seen = Counter(x.path.rpartition(b"/")[2] for c in read(planted.path) for x in c.changes)
    assert set(BAD_NAMES) <= set(seen)
