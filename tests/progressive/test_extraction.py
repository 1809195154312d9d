"""A repository becomes a unit, or nothing of it stays."""

import orjson
import pytest

from shgat.errors import QuotaError, RepositoryError
from shgat.progressive.disk import Disk
from shgat.progressive.extraction import extract
from shgat.progressive.history import History
from shgat.progressive.segment import measured, read


def test_events_and_a_cycle(planted, tmp_path):
    part = tmp_path / "u.part"
    found = extract(History.of(planted.path), part, "5" * 16, "name", Disk(), 1 << 30)
    *events, cycle = map(orjson.loads, read(part))
    assert measured(read(part)) == found.measured
    assert (len(events), found.n_commits) == (planted.commits, planted.commits)
    assert [r["seq"] for r in (*events, cycle)] == list(range(planted.commits + 1))
    assert {r["unit"] for r in (*events, cycle)} == {found.owner.unit}
    assert cycle["repo"]["source"] == found.owner.source == "5" * 16
    assert cycle["patterns"] == found.summary["labels"]


def test_the_same_history_is_the_same_unit_wherever_it_is(planted, tmp_path, git):
    git(tmp_path, "clone", "-q", "--bare", str(planted.path), "copy.git")
    found = [
        extract(History.of(path), tmp_path / f"{i}.part", f"{i:016d}", str(i), Disk(), 1 << 30)
        for i, path in enumerate((planted.path, tmp_path / "copy.git"))
    ]
    assert found[0].owner.unit == found[1].owner.unit
    assert found[0].summary == found[1].summary


def test_nothing_stays_of_what_cannot_be_read_or_is_too_large(planted, work, commit, git, tmp_path):
    part = tmp_path / "u.part"
    assert extract(History.of(work), part, "s", "n", Disk(), 10) is None
    with pytest.raises(QuotaError):
        extract(History.of(planted.path), part, "s", "n", Disk(), 1000)
    assert not part.exists()
    commit("one", {"a/b": b"1"})
    commit("two", {"a/b": b"2"})
    lost = git(work, "rev-parse", "HEAD^{tree}")
    (work / ".git/objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(RepositoryError):
        extract(History.of(work), part, "s", "n", Disk(), 1 << 30)
    assert not part.exists()
