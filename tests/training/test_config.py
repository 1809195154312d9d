"""Training settings: what a caller sets changes that alone, and what depends on the occasion is filled in."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat import InputError, TrainingConfig
from shgat.training.config import FEW_TRACES, MANY_TRACES

OCCASION = ("epochs", "batch_size", "lr", "rho")
CHANGES = {
    "epochs": 3, "batch_size": 7, "lr": 0.02, "scalar_lr_factor": 2.0, "warmup": 0.2, "weight_decay": 0.5, "offset_decay": 0.5,
    "clip": 3.0, "intent_noise": 0.1, "offset_dropout": 0.2, "rho": 0.3, "gate_up_bias": 1.0, "gate_down_bias": 1.0,
    "train_intent_map": True, "temperature": (0.2, 0.1), "unseen_damping": 0.5, "leave_batch_out": False, "positives": "together",
    "negatives": "random", "n_negatives": 5, "all_candidates_up_to": 9, "pool_size": 11, "replay": "prioritized", "alpha": 0.1, "beta": 0.9,
    "priority_eps": 0.5, "patience": 2, "degradation": 0.5,
}  # fmt: skip
OCCASIONS = {
    "a small set": (lambda given=None: TrainingConfig.for_fit(MANY_TRACES - 1, given), (12, 128, 1e-3, 1.0)),
    "a tiny set": (lambda given=None: TrainingConfig.for_fit(FEW_TRACES - 1, given), (8, 128, 1e-3, 1.0)),
    "a large set": (lambda given=None: TrainingConfig.for_fit(MANY_TRACES, given), (10, 512, 4e-3, 1.0)),
    "an update": (TrainingConfig.for_update, (1, 32, 3e-4, 0.0)),
}


def test_every_field_has_a_change_to_test_with():
    plain = TrainingConfig()
    assert CHANGES.keys() == {f.name for f in dataclasses.fields(plain)}
    assert all(getattr(plain, name) != value for name, value in CHANGES.items())


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_the_recipe_by_occasion(occasion):
    recipe, settled = OCCASIONS[occasion]
    assert recipe().settled() == settled
    assert dataclasses.replace(recipe(), **dict.fromkeys(OCCASION)) == TrainingConfig()


@pytest.mark.parametrize("occasion", OCCASIONS)
@given(names=st.sets(st.sampled_from(sorted(CHANGES))))
def test_what_a_caller_sets_changes_that_alone(occasion, names):
    recipe, _ = OCCASIONS[occasion]
    asked = {name: CHANGES[name] for name in names}
    assert recipe(TrainingConfig(**asked)) == dataclasses.replace(recipe(), **asked)


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_a_settled_config_stays_as_it_is_on_every_occasion(occasion):
    recipe, _ = OCCASIONS[occasion]
    for other, _ in OCCASIONS.values():
        assert recipe(other()) == other()


@pytest.mark.parametrize("missing", OCCASION)
def test_a_config_that_is_not_settled_is_refused(missing):
    with pytest.raises(InputError, match="is None; take TrainingConfig"):
        dataclasses.replace(TrainingConfig.for_update(), **{missing: None}).settled()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0), ("epochs", 2.5), ("batch_size", True), ("lr", 0.0), ("lr", "fast"), ("lr", float("nan")), ("rho", 1.5),
        ("n_negatives", None), ("pool_size", 0), ("patience", None), ("warmup", None), ("clip", 0.0), ("offset_dropout", 1.0),
        ("unseen_damping", 0.0), ("train_intent_map", 1), ("leave_batch_out", None), ("negatives", "some"), ("replay", None),
        ("temperature", 0.07), ("temperature", (0.1,)), ("temperature", (0.1, 0.0)), ("temperature", (0.1, float("nan"))),
        ("temperature", "ab"),
    ],
)  # fmt: skip
def test_bad_fields_are_named(field, value):
    with pytest.raises(InputError, match=f"TrainingConfig.{field}"):
        TrainingConfig(**{field: value})
    with pytest.raises(InputError, match=f"TrainingConfig.{field}"):
        TrainingConfig.from_dict({field: value})


@pytest.mark.parametrize("config", [TrainingConfig(), TrainingConfig(**CHANGES), TrainingConfig.for_fit(10)])
def test_a_config_has_been_through_json(config):
    assert TrainingConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_an_unknown_field_is_named():
    with pytest.raises(InputError, match="no field 'epoch'"):
        TrainingConfig.from_dict({"epoch": 3})
