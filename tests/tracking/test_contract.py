"""What every tracker does, in a folder and in MLflow."""

import pytest

from shgat.errors import InputError, TrackingError
from shgat.tracking import Experiment


def test_a_run_comes_back_as_it_was(tracker, request):
    name = f"{request.node.name} one"
    asked = Experiment(name, "more is better", ("recall@5",))
    with tracker.run(asked, parameters={"lr": 0.1, "n": 3, "who": None, "deep": {"a": "b"}}, tags={"catalog": "abc"}) as run:
        assert [r.status for r in tracker.runs(name)] == ["running"]
        for step in range(1, 4):
            run.log({"recall@5": 0.1 * step, "loss": 1.0 / step}, step)
        run.keep("report.json", b"{}")
        run.keep("report.json", b'{"a":1}')
    (found,) = tracker.runs(name)
    assert found == tracker.find(run.id[:10])
    assert (found.id, found.experiment, found.hypothesis, found.decisive) == (run.id, name, "more is better", ("recall@5",))
    assert found.status == "completed"
    assert found.seconds >= 0.0
    assert found.parameters == {"lr": 0.1, "n": 3, "who": None, "deep.a": "b"}
    assert found.tags["catalog"] == "abc"
    assert found.figures == pytest.approx({"recall@5": 0.3, "loss": 1 / 3})
    points = [(p.step, p.value) for p in tracker.points(run.id) if p.name == "recall@5"]
    assert points == [(1, pytest.approx(0.1)), (2, pytest.approx(0.2)), (3, pytest.approx(0.3))]
    assert found.artefacts == ("report.json",)
    assert tracker.artefact(run.id, "report.json") == b'{"a":1}'


def test_a_run_that_failed_says_by_what_and_keeps_what_it_had(tracker, request):
    name = f"{request.node.name} two"
    run = tracker.run(name)

    def work():
        with run:
            run.log({"loss": 1.0}, 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    (found,) = tracker.runs(name)
    assert (found.status, found.error) == ("failed", "ZeroDivisionError")
    assert len(tracker.points(run.id)) == 1
    run.end()  # once is enough
    assert tracker.find(run.id).status == "failed"


def test_runs_are_listed_the_latest_first_and_by_experiment(tracker, request):
    name, ids, now = request.node.name, [], iter(range(1000, 2000))
    tracker.clock = lambda: float(next(now))
    for _ in range(3):
        with tracker.run(name) as run:
            ids.append(run.id)
    assert [r.id for r in tracker.runs(name)] == ids[::-1]
    assert tracker.runs("nothing of that name") == []


def test_what_is_not_there_is_named(tracker):
    with tracker.run("three") as run:
        pass
    with pytest.raises(TrackingError, match="there is no run 'zzz'; `shgat runs list` names them"):
        tracker.find("zzz")
    with pytest.raises(TrackingError, match=r"keeps no 'x.json'; it keeps nothing"):
        tracker.artefact(run.id, "x.json")
    with pytest.raises(InputError, match="the name of an artefact"):
        run.keep("../x", b"")
