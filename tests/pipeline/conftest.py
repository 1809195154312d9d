"""A town's store, pipelines over it, and a clock that a pipeline's waiting moves on."""

import shutil
import time

import numpy as np
import pytest

from pipeline import town
from shgat.pipeline import STEPS, Pipeline


class Clock:
    """The time, and what was waited for."""

    def __init__(self):
        self.ahead = 0.0
        self.meanwhile = []  # what happens at each wait

    def __call__(self):
        return time.time() + self.ahead

    def sleep(self, seconds):
        self.ahead += seconds
        for work in self.meanwhile:
            work()


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def events():
    return []


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A folder with the town's store, 200 traces of the habit in it, and a run that is trained."""
    folder = tmp_path_factory.mktemp("town")
    url = f"sqlite:///{folder}/store.db"
    town.fill(url, town.lived(np.random.default_rng(1), 200))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOWN_URL", url)
        pipeline = Pipeline(town.settings(folder))
        for name in ("validate-data", "train"):
            pipeline.step(name)
    return folder


@pytest.fixture
def make(tmp_path, sqlite_url, clock, events, monkeypatch):
    """Makes pipelines of these sections over a store, that of the test where none is named."""

    def make_one(url=sqlite_url, **sections):
        monkeypatch.setenv("TOWN_URL", url)
        return Pipeline(town.settings(tmp_path, **sections), clock=clock, sleep=clock.sleep, on_event=events.append)

    return make_one


@pytest.fixture
def lived(prepared, tmp_path):
    """200 traces of the habit are in the store; they are given."""
    shutil.copy(prepared / "store.db", tmp_path)
    return town.lived(np.random.default_rng(1), 200)


@pytest.fixture
def trained(make, lived, prepared, tmp_path):
    """Makes a pipeline whose run is open, with a candidate already trained."""

    def make_one(**sections):
        pipeline = make(**sections)
        shutil.copytree(prepared / "pipeline-runs", tmp_path / "pipeline-runs")
        run = pipeline.runs.latest()
        run.settings = pipeline.settings.to_dict()
        pipeline.runs.save(run)
        return pipeline

    return make_one


@pytest.fixture
def up_to():
    """Lets a pipeline do its steps up to one of them; the run."""

    def steps(pipeline, last):
        for name in STEPS:
            run = pipeline.step(name)
            if name == last:
                return run
        raise AssertionError(last)

    return steps
