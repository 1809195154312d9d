"""Settings are checked where they are made."""

import json

import pytest

from shgat.errors import InputError, StoreURLError
from shgat.pipeline.settings import (
    CanarySettings,
    DataSettings,
    EvaluationSettings,
    GateSettings,
    KeepSettings,
    Settings,
    TrainingSettings,
)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: DataSettings(window="a month"), "data.window: a duration is a number"),
        (lambda: DataSettings(held_out=0.0), "data.held_out lies in"),
        (lambda: DataSettings(most=0), "data.most"),
        (lambda: TrainingSettings(start="anew"), "training.start is one of scratch, production"),
        (lambda: TrainingSettings(epochs=0), "training.epochs"),
        (lambda: TrainingSettings(learning_rate=7.0), "training.learning_rate"),
        (lambda: TrainingSettings(seed=-1), "training.seed"),
        (lambda: EvaluationSettings(protocols=("holdout", "crystal ball")), "evaluation.protocols is one of"),
        (lambda: EvaluationSettings(protocols="holdout"), "a list"),
        (lambda: GateSettings(least=5), "gate.least lies in [20"),
        (lambda: GateSettings(floors={"recal@5": 0.5}), "gate.floors is one of"),
        (lambda: GateSettings(floors={"recall@5": 50}), "gate.floors: recall@5 lies in [0, 1]"),
        (lambda: CanarySettings(percent=80.0), "canary.percent lies in [0.1, 50]"),
        (lambda: CanarySettings(duration="0s"), "canary.duration"),
        (lambda: KeepSettings(runs=0), "keep.runs"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(make, says):
    with pytest.raises(InputError) as error:
        make()
    assert says in str(error.value)


@pytest.mark.parametrize("url", ["postgresql://me:s3cr3t@db/shgat", "postgresql+psycopg://db/shgat?password=s3cr3t"])
def test_a_password_is_no_part_of_the_settings(tmp_path, url):
    with pytest.raises(InputError, match="env:NAME") as error:
        Settings(store=url, state=tmp_path)
    assert "s3cr3t" not in str(error.value)
    assert Settings(store="postgresql://me@db/shgat", state=tmp_path).store == "postgresql://me@db/shgat"


def test_a_url_that_is_none_is_refused(tmp_path):
    with pytest.raises(StoreURLError):
        Settings(store="nonsense", state=tmp_path)


def test_they_are_json_and_say_nothing_of_where_the_runs_lie(tmp_path):
    found = Settings(store="env:URL", state=tmp_path).to_dict()
    assert json.loads(json.dumps(found)) == found
    assert "state" not in found
    assert found["canary"]["percent"] == 10.0
