"""Whatever a repository does to a job is an outcome."""

import pytest

from shgat.progressive.disk import Disk
from shgat.progressive.generator import Plan, make
from shgat.progressive.job import Outcome, Task, perform


@pytest.fixture
def task(tmp_path, planted):
    def made(place=planted.path, remote=False, **more):
        clone = str(tmp_path / "c.git") if remote else ""
        options = {"most": 10**8, "clone_most": 10**8, "timeout": 30.0, "tries": 3, "backoff": 1.5, **more}
        return Task(str(place), "k" * 16, "n", str(tmp_path / "u.part"), clone, **options)

    return made


@pytest.mark.parametrize("remote", [False, True])
def test_read(task, planted, tmp_path, remote):
    outcome = perform(task(f"file://{planted.path}" if remote else planted.path, remote), Disk())
    assert (outcome.status, outcome.attempts, outcome.extracted.n_commits) == ("read", 1, planted.commits)
    assert [p.name for p in tmp_path.iterdir()] == ["u.part"]
    assert Outcome.from_dict(outcome.to_dict()) == outcome


def test_what_cannot_be_reached_is_tried_again_ever_later(task, tmp_path):
    waited = []
    outcome = perform(task("file:///nowhere", True), Disk(), waited.append)
    assert (outcome.status, outcome.attempts, waited) == ("failed", 3, [1.5, 3.0])
    assert "git clone ended with 128" in outcome.reason
    assert Outcome.from_dict(outcome.to_dict()) == outcome
    assert perform(task(tmp_path), Disk()).attempts == 1


def test_too_large_empty_and_full(task, planted, tmp_path, work):
    assert perform(task(most=1000), Disk()).status == "too_big"
    assert perform(task(f"file://{planted.path}", True, clone_most=10**5), Disk()).status == "too_big"
    assert perform(task(work), Disk()).status == "empty"

    class Full(Disk):
        def close(self, file):
            file.close()
            raise OSError(28, "No space left on device", file.name)

    outcome = perform(task(), Full())
    assert (outcome.status, "No space left" in outcome.reason) == ("disk", True)


def test_a_repository_that_breaks_the_reader_fails_alone(task, tmp_path):
    planted = make(tmp_path / "broken.git", Plan(commits=5))
    (planted.path / "shallow").write_bytes(b"\xff\xfe not ids\n")
    outcome = perform(task(planted.path), Disk())
    assert outcome.status == "failed"
    assert outcome.reason
