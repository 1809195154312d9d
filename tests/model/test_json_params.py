"""Parameters as JSON: the round trip is exact, and what does not fit is named."""

import copy
import json
import math

import numpy as np
import orjson
import pytest

from shgat import SHGAT, InputError, SHGATConfig
from shgat.model.json_arrays import decode
from shgat.model.json_params import KEYS
from worlds import catalog, trained, unit

X = unit(np.random.default_rng(0), 16)
CONFIGS = [SHGATConfig(), SHGATConfig(attention="gat", n_heads=2, d_head=7), SHGATConfig(node_offsets=True)]


@pytest.mark.parametrize("library", [json, orjson])
@pytest.mark.parametrize("config", CONFIGS, ids=["default", "gat", "offsets"])
def test_round_trip(config, library):
    model, other = trained(config=config), SHGAT.from_catalog(catalog(), config, seed=5)
    other.import_params(library.loads(library.dumps(model.export_params())))
    np.testing.assert_array_equal(other.params.buffer, model.params.buffer)
    np.testing.assert_array_equal(other.score(X), model.score(X))


def test_the_key_names_of_the_first_design():
    values = trained(config=SHGATConfig(attention="gat", n_heads=2, n_message_heads=4)).export_params()
    decoded(values)
    assert {"headParams", "W_intent", "levelParams", "v2vParams", "config"} <= values.keys()
    assert [set(head) for head in values["headParams"]] == [{"W_q", "W_k"}] * 2
    assert np.shape(values["headParams"][0]["W_q"]) == (8, 16)
    assert set(values["levelParams"]) == {"0", "1", "2"}
    level = values["levelParams"]["0"]
    assert np.shape(level["W_child"]) == np.shape(level["W_parent"]) == (4, 4, 16)
    assert np.shape(level["a_upward"]) == np.shape(level["a_downward"]) == (4, 8)
    assert set(values["v2vParams"]) == {"residualLogit", "temperatureLogit"}


def test_what_is_absent_keeps_its_value():
    model = trained()
    before = model.params.buffer.copy()
    model.import_params({"headParams": model.export_params()["headParams"]})
    np.testing.assert_array_equal(model.params.buffer, before)


def decoded(values):
    """Arrays as nested lists of numbers, in place."""
    for key, value in values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ():
        if isinstance(value, dict) and "dtype" in value:
            values[key] = decode(value, key).tolist()
        else:
            decoded(value)
    return values


@pytest.mark.parametrize("config", CONFIGS, ids=["default", "gat", "offsets"])
def test_arrays_may_be_lists_of_numbers(config):
    model, other = trained(config=config), SHGAT.from_catalog(catalog(), config, seed=5)
    values = decoded(model.export_params())
    assert isinstance(values["headParams"][0]["W_q"][0][0], float)
    other.import_params({key: value for key, value in values.items() if key in KEYS})
    np.testing.assert_array_equal(other.params.buffer, model.params.buffer)


def test_maps_that_are_where_they_began_are_named():
    model = SHGAT.from_catalog(catalog())
    values = model.export_params()
    assert (values["W_intent"], values["W_context"]) == ("identity", "zero")
    other = trained()
    other.import_params(values)
    np.testing.assert_array_equal(other.params.buffer, model.params.buffer)


def at(path, value):
    def change(values):
        for key in path[:-1]:
            values = values[key]
        values[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.clear(), "no headParams"),
        (at(["extra"], 1), "parameters: unknown key 'extra'"),
        (at([7], 1), "parameters: unknown key '7'"),
        (at(["headParams"], {}), "headParams is a list of 5 heads, not dict"),
        (lambda v: v["headParams"].pop(), "headParams is a list of 5 heads, not 4"),
        (at(["headParams", 1], None), r"headParams\[1\] is a mapping, not NoneType"),
        (at(["headParams", 1, "W_v"], []), r"headParams\[1\]: unknown key 'W_v'"),
        (lambda v: v["headParams"][0].pop("W_q"), r"headParams\[0\].W_q is not an array of numbers"),
        (at(["headParams", 0, "W_q", 0, 0], None), r"headParams\[0\].W_q is not an array of numbers"),
        (at(["headParams", 0, "W_q", 0], [1.0]), r"headParams\[0\].W_q is not an array of numbers"),
        (at(["headParams", 0, "W_k"], [[1.0]]), r"headParams\[0\].W_k has shape \(1, 1\)"),
        (at(["W_intent", 0, 0], math.nan), "W_intent holds NaN"),
        (at(["W_intent"], "x"), "W_intent is not an array"),
        (at(["logScale"], None), "logScale is not an array of numbers"),
        (at(["v2vParams"], []), "v2vParams is a mapping"),
        (at(["v2vParams", "residualLogit"], None), "v2vParams.residualLogit is not"),
        (at(["v2vParams", "beta"], 1), "v2vParams: unknown key 'beta'"),
        (at(["levelParams", "9"], {}), "levelParams: unknown key '9'"),
        (at(["levelParams", "0", "W"], []), r"levelParams\[0\]: unknown key 'W'"),
        (at(["levelParams", "1", "a_upward"], [[1.0]]), r"levelParams\[1\].a_upward has shape \(1, 1\)"),
        (at(["levelParams", "1", "gate_upward"], [None] * 3), r"levelParams\[1\].gate_upward is not"),
        (at(["toolOffsets"], [[0.0]]), r"toolOffsets has shape \(1, 1\)"),
        (at(["W_intent"], "unit"), "W_intent is not an array"),
        (at(["config", "reliability"], "none"), "config.reliability is 'none'"),
        (at(["config", "similarity"], "dot"), "config.similarity is 'dot', this model's is 'cosine'"),
        (at(["config", "heads"], 1), "no field 'heads'"),
        (at(["config"], 1), "config is a mapping"),
    ],
)
def test_bad_values_are_named_and_change_nothing(change, message):
    model = trained(config=SHGATConfig(n_heads=5, d_head=4))
    values = decoded(copy.deepcopy(model.export_params()))
    change(values)
    before, version = model.params.buffer.copy(), model.version
    with pytest.raises(InputError, match=message):
        model.import_params(values)
    np.testing.assert_array_equal(model.params.buffer, before)
    assert model.version == version


@pytest.mark.parametrize("values", [None, [], "x", 3])
def test_no_mapping(values):
    with pytest.raises(InputError, match="parameters are a mapping"):
        trained().import_params(values)


def test_numbers_json_cannot_hold_are_not_exported():
    model = trained()
    model.params["w_context"][0, 0] = np.inf
    with pytest.raises(InputError, match="w_context holds NaN or infinity"):
        model.export_params()
