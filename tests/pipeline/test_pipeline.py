"""The steps in order, each once, one process at a time, and told to whoever listens."""

import json
import threading

import numpy as np
import pytest

from pipeline import town
from pipeline.test_canary import SERVED, living
from shgat.errors import ConflictError, InputError
from shgat.pipeline import STEPS
from shgat.pipeline import pipeline as module
from shgat.registry import StoreRegistry
from shgat.serving import Ranker
from shgat.store import Store

LOCK = "shgat: pipeline of local"


def test_a_better_model_reaches_production_by_itself(make, rng, clock, sqlite_url):
    """What serves has learned what was so before; people live by another habit by now."""
    town.fill(sqlite_url, town.lived(rng, 200))
    town.serve_former(sqlite_url)
    with living(sqlite_url, clock, rng, town.good) as ranker:
        assert worked(ranker, rng) < 0.3
        run = make(canary=SERVED).run()
        ranker.refresh()
        assert (run.status, run.reason) == ("promoted", "v2 serves in place of v1")
        assert ranker.model_version == "v2"
        assert worked(ranker, rng) > 0.6
    served = run.facts("canary")["answers"]
    assert served["v2"]["worked"] / served["v2"]["executed"] > 2 * served["v1"]["worked"] / served["v1"]["executed"]


def worked(ranker: Ranker, rng: np.random.Generator) -> float:
    """The share of people who find what works."""
    return float(np.mean([town.content(ranker.rank(a.embedding, 5, text=a.text).ids, a) for a in town.asked(rng, 100)]))


def test_each_step_is_told_and_written_down(make, lived, events):
    run = make().run()
    assert list(run.steps) == list(STEPS)
    assert [(e.step, e.kind) for e in events if e.kind not in ("said",)] == [
        *((name, kind) for name in STEPS for kind in ("begun", "done")), ("", "ended"),
    ]  # fmt: skip
    assert events[-1].facts["status"] == "promoted"
    assert len({s.given for s in run.steps.values()}) == len(STEPS)
    json.dumps([e.facts for e in events], allow_nan=False)
    place = make().runs.place(run)
    assert sorted(p.name for p in place.iterdir()) == ["report.html", "run.json", "traces.json"]
    assert not [p for p in place.iterdir() if b"wish" in p.read_bytes()]  # no text of an intent


def test_a_step_that_is_done_is_not_done_twice(make, lived):
    pipeline = make()
    pipeline.step("validate-data")
    trained = pipeline.step("train").steps["train"]
    assert pipeline.step("train").steps["train"] == trained
    assert pipeline.step("validate-data").id == pipeline.runs.latest().id
    run = pipeline.run()
    assert run.steps["train"] == trained
    assert all(s.tries == 1 for s in run.steps.values())
    assert pipeline.step("promote").to_dict() == run.to_dict()  # it has ended


def test_what_comes_before_is_named(make, lived):
    pipeline = make()
    with pytest.raises(InputError, match="there is no run yet: shgat pipeline validate-data"):
        pipeline.step("train")
    pipeline.step("validate-data")
    with pytest.raises(InputError, match="train comes before compare: shgat pipeline train"):
        pipeline.step("compare")
    with pytest.raises(InputError, match="there is no step 'deploy'"):
        pipeline.step("deploy")


@pytest.mark.slow
def test_other_settings_do_not_go_on_with_a_run(make, lived, up_to):
    first = up_to(make(), "train")
    other = make(gate={"least": 30})
    with pytest.raises(InputError, match=r"was begun with gate.least = 20, which is 30 now"):
        other.run()
    run = other.run(again=True)
    assert run.status == "promoted"
    assert {r.id: r.status for r in other.runs.all()} == {first.id: "given up", run.id: "promoted"}


@pytest.mark.slow
def test_giving_up_takes_the_canary_away_and_leaves_production_alone(trained, make, clock, sqlite_url):
    assert trained().run().status == "promoted"
    pipeline = make(canary={"percent": 10.0, "duration": "1h"})

    def interrupt():
        raise KeyboardInterrupt

    clock.meanwhile.append(interrupt)
    with pytest.raises(KeyboardInterrupt):
        pipeline.run()
    clock.meanwhile.clear()
    with Store.open(sqlite_url) as store:
        assert StoreRegistry(store).aliases() == {"production": 1, "canary": 2}
        assert make().run(again=True).status == "promoted"
        assert StoreRegistry(store).aliases() == {"production": 3}
        assert [m.why.partition(": ")[2] for m in store.moves(alias="canary")] == ["given up", ""]


def test_one_at_a_time(make, url, rng, monkeypatch):
    """While another process has the lock, on both databases; and that of a dead one ends."""
    town.fill(url, town.lived(rng, 200))
    monkeypatch.setattr(module, "_PATIENCE", 0.2)
    pipeline = make(url)
    with Store.open(url) as store:
        with (
            store.claimed("somebody else", "shgat: pipeline of local"),
            pytest.raises(ConflictError, match="another process runs the pipeline"),
        ):
            pipeline.run()
        assert pipeline.runs.all() == []
        monkeypatch.setattr(module, "_PATIENCE", 5.0)
        store.claim("killed", LOCK, 1.0)
        assert pipeline.step("validate-data").done("validate-data")


def test_two_at_once_train_once(make, lived, sqlite_url, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", 60.0)
    found = []
    threads = [threading.Thread(target=lambda: found.append(make().run())) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(r.status for r in found) == ["promoted", "unchanged"]
    with Store.open(sqlite_url) as store:
        assert len(store.model_versions()) == len(store.moves()) == 1


@pytest.mark.slow
def test_old_versions_and_runs_go(make, lived, sqlite_url):
    keep = {"versions": 1, "runs": 2}
    runs = [make(keep=keep, training={"seed": i}).run() for i in range(3)]
    assert [r.status for r in runs] == ["promoted"] * 3
    with Store.open(sqlite_url) as store:
        assert [v.version for v in store.model_versions()] == [2, 3]  # the one to go back to stays
    assert [r.id for r in make().runs.all()] == [r.id for r in runs[1:]]
