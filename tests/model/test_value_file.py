"""Values in a model's file and in its JSON: there and back, absent, and altered."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import SHGAT, Catalog
from shgat.errors import InputError
from shgat.model import json_model, model_file, value_file
from shgat.model.session_state import N_FACTS
from shgat.model.value_network import ValueLayout, ValueNetwork
from shgat.model.values import LearnedValues

D = 8


def catalog():
    eye = np.eye(3, D, dtype=np.float32)
    return Catalog.from_records([{"id": f"t{i}", "text": f"tool {i}", "embedding": row} for i, row in enumerate(eye)], [])


def state(weight=0.5):
    network = ValueNetwork.initial(ValueLayout(3 * D + N_FACTS, D, (6, 5, 4)), np.random.default_rng(0))
    return replace(SHGAT.from_catalog(catalog()).state, values=LearnedValues(network, weight, {"n": 3}))


def same(a, b):
    np.testing.assert_array_equal(a.network.buffer, b.network.buffer)
    assert (a.network.layout, a.weight, a.report) == (b.network.layout, b.weight, b.report)


def test_there_and_back():
    before = state()
    same(model_file.from_bytes(model_file.to_bytes(before), "it").values, before.values)
    same(json_model.imported(json_model.export(before), SHGAT.from_catalog(catalog()).state).values, before.values)


def test_a_model_without_values_has_none():
    bare = SHGAT.from_catalog(catalog()).state
    assert model_file.from_bytes(model_file.to_bytes(bare), "it").values is None
    assert json_model.imported(json_model.export(bare), state()).values is None


def test_a_training_leaves_them():
    model = SHGAT(state())
    traces = [{"id": str(i), "embedding": np.eye(3, D)[i % 3], "tools": [f"t{i % 3}"]} for i in range(20)]
    model.fit(traces, epochs=1, validation="none")
    model.partial_fit(traces[:4])
    same(model.state.values, state().values)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hidden": [1, 2]},
        {"hidden": [6, 5, 3]},
        {"weight": -1.0},
        {"weight": "much"},
        {"report": 3},
        {"hidden": None},
        {"weight": None},
    ],
)
def test_an_altered_record_is_refused(wrong):
    record = {**value_file.to_record(state().values), **wrong}
    with pytest.raises(InputError):
        value_file.from_record(record, state().values.network.buffer, D)


@pytest.mark.parametrize(("number", "message"), [(np.nan, "NaN"), (1e35, "overflow")])
def test_numbers_that_nobody_can_compute_with_are_refused(number, message):
    found = state()
    found.values.network["w2"][...] = number
    with pytest.raises(InputError, match=message):
        model_file.to_bytes(found)
