"""A candidate is trained in a child, on the earlier traces alone, and refused where it learned nothing."""

import numpy as np
import pytest

from pipeline import town
from shgat import SHGAT
from shgat.errors import WorkerError
from shgat.pipeline.work import CANDIDATE


def test_the_candidate_remembers_what_it_learned_from_and_nothing_else(trained, lived):
    pipeline = trained()
    run = pipeline.runs.latest()
    facts = run.facts("train")
    assert (facts["traces"], facts["parent"], facts["accepted"]) == (160, None, True)
    learned = set(SHGAT.load(pipeline.runs.place(run) / CANDIDATE).learned.memory.ids)
    assert learned <= {t.id for t in lived[:160]}
    assert len(learned) > 100


@pytest.mark.slow
def test_noise_is_refused_by_training_itself(make, rng, sqlite_url):
    labels = rng.integers(0, town.WISHES, 500).tolist()
    town.fill(sqlite_url, town.lived(rng, 200, lambda wish: town.WISHES + labels.pop()))
    run = make().run()
    assert run.status == "refused"
    assert list(run.steps)[-1] in ("train", "compare")
    assert "register" not in run.steps


@pytest.mark.slow
def test_it_goes_on_from_production(trained, make):
    assert trained().run().status == "promoted"
    run = make(training={"start": "production"}).run(again=True)
    assert run.facts("train")["parent"] == 1
    assert np.isfinite(run.facts("train")["hit@1"])


@pytest.mark.slow
def test_a_child_that_fails_leaves_the_run_open(make, lived, up_to):
    short = make(training={"timeout": 1.0, "memory_limit": 64})
    up_to(short, "validate-data")
    with pytest.raises(WorkerError):
        short.step("train")
    step = short.runs.latest().steps["train"]
    assert (step.status, step.tries, short.runs.latest().status) == ("failed", 1, "open")
    with pytest.raises(WorkerError):
        short.run()
    assert short.runs.latest().steps["train"].tries == 2
