"""A model as JSON: the same scores bit for bit over the same catalogue, what follows the ids over another, and no surprise."""

import copy
import dataclasses
import json

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shgat import SHGAT, Catalog, InputError, SHGATConfig
from shgat.graph import Incidence
from shgat.model import json_model
from shgat.model.calibration import Calibration
from shgat.model.channels import CHANNELS, Fusion, Learned
from shgat.model.memory import Memory
from worlds import catalog, pairs, trained, unit

X = np.array([unit(np.random.default_rng(i), 16) for i in range(5)])
TEXTS = ["send mail", "a text 3", "", "text", "words"]


def learned_model(**config):
    """With something in every field that a training fills."""
    model, rng = trained(config=SHGATConfig(**config)), np.random.default_rng(1)
    model.set_cooccurrence(pairs())
    vectors = np.array([unit(rng, 16) for _ in range(6)], np.float16).astype(np.float32)
    memory = Memory(
        tuple("abcdef"), vectors, [f"a text {i}" for i in range(6)], Incidence.from_rows([[0], [1, 2], [3], [4], [0, 4], [2]]),
        np.array([1, 0, 0.5, 1, 1, 0], np.float32), np.array([1e9, np.nan, 2e9, 3, 4, 5]),
    )  # fmt: skip
    weights = {name: 0.1 + 0.1 * i for i, name in enumerate(CHANNELS)}
    calibration = Calibration((1.25, 0.5), (-2.0,), -0.75, near=0.4, spread=0.1)
    fusion = Fusion(weights, weights, 0.5, calibration, True, 0.3)
    state = dataclasses.replace(model.state, learned=Learned(fusion, memory, tuple(model.tool_ids), frozenset(["t3"])))
    return SHGAT(dataclasses.replace(state, report={"accepted": True, "losses": [1.0, None]}))


def assert_same_answers(one, other):
    for kind in ("tools", "capabilities"):
        for texts in (None, TEXTS):
            expected = one.score(X, kind, texts=texts, context_tools=["t1"])
            assert other.score(X, kind, texts=texts, context_tools=["t1"]).tobytes() == expected.tobytes()
    assert other.probabilities(X, texts=TEXTS).tobytes() == one.probabilities(X, texts=TEXTS).tobytes()


@pytest.mark.parametrize("library", [json, orjson])
@pytest.mark.parametrize(
    "config", [{}, {"node_offsets": True}, {"attention": "gat", "fusion": "sigmoid"}, {"message_passing": False}]
)
def test_the_same_scores_bit_for_bit(config, library):
    model = learned_model(**config)
    kind = {key: value for key, value in config.items() if key not in ("node_offsets", "message_passing")}
    values = library.loads(library.dumps(model.export_params()))
    for other in (SHGAT.from_catalog(catalog(), SHGATConfig(**kind), seed=9), trained(seed=0, config=SHGATConfig(**kind))):
        other.import_params(values)
        assert_same_answers(model, other)
        assert other.report == model.report
        if model.config.message_passing:  # else parameters of levels, which say nothing, stay
            assert other.export_params() == model.export_params()


def test_a_training_in_json_gives_the_same_model_and_is_not_much_larger_than_its_file(trained):
    model = trained.model
    text = orjson.dumps(model.export_params())
    other = SHGAT.from_catalog(trained.catalog)
    other.import_params(orjson.loads(text))
    rows = np.arange(40)
    x, texts = trained.test.vectors(rows), [str(trained.test.texts[i]) for i in rows.tolist()]
    assert other.score(x, texts=texts).tobytes() == model.score(x, texts=texts).tobytes()
    assert other.probabilities(x, texts=texts).tobytes() == model.probabilities(x, texts=texts).tobytes()
    assert len(text) < 1.5 * len(model.to_bytes())


def test_over_another_catalogue_everything_follows_its_ids():
    model = learned_model(node_offsets=True)
    tools, capabilities = model.catalog.records()
    turned = Catalog.from_records([*tools[::-1], {"id": "new", "embedding": X[0]}], capabilities)
    other = SHGAT.from_catalog(turned)
    other.import_params(model.export_params())
    order = [other.tool_ids.index(t) for t in model.tool_ids]
    np.testing.assert_array_equal(other.params["tool_offsets"][order], model.params["tool_offsets"])
    assert not other.params["tool_offsets"][other.tool_ids.index("new")].any()
    np.testing.assert_allclose(other.score(X, "capabilities"), model.score(X, "capabilities"), rtol=1e-4, atol=1e-4)
    edges = {(t.id, turned.tools[j].id) for i, t in enumerate(turned.tools) for j in other.state.cooccurrence.incidence.row(i)}
    assert edges == {(source, target) for source, target, _ in pairs()}


def test_what_is_absent_stays_and_null_takes_away():
    model = learned_model()
    heads = {"headParams": model.export_params()["headParams"]}
    learned, edges = model.learned, model.state.cooccurrence
    model.import_params(heads)
    assert (model.learned, model.state.cooccurrence) == (learned, edges)
    model.import_params({**heads, "learned": None, "cooccurrence": None, "report": None})
    assert (model.learned, model.state.cooccurrence, model.report) == (None, None, None)


NASTY = st.sampled_from(
    [None, True, -1, 10**9, 0.5, 1e300, "", "x", "\ud800", [], [1], [None], {}, {"a": None}, ["t0", "t0"], "x" * 3000]
)


def places(value, path=()):
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*path, key))


VALUES = learned_model(node_offsets=True).export_params()
PLACES = [path for path in places(VALUES) if path and path[0] != "report"]


@settings(max_examples=400)
@given(st.sampled_from(PLACES), NASTY)
def test_whatever_stands_there_is_refused_and_changes_nothing_or_ranks(place, value):
    values = copy.deepcopy(VALUES)
    parent = values
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = copy.deepcopy(value)
    model = SHGAT.from_catalog(catalog())
    before, version = model.state, model.version
    try:
        model.import_params(values)
    except InputError as error:
        assert len(str(error)) < 1000  # noqa: PT017
        assert (model.state, model.version) == (before, version)
        return
    assert np.isfinite(model.score(X, texts=TEXTS)).all()


def test_weights_that_could_not_be_computed_with_are_refused():
    model = SHGAT.from_catalog(catalog())
    values = model.export_params() | {"W_intent": [[3e38] * 16] * 16}
    with pytest.raises(InputError, match="its parameters"):
        model.import_params(values)


@pytest.mark.parametrize(
    "values",
    [
        {"seen": {}, "unseen": {}},
        {"seen": {}, "unseen": {}, "bonus": 0, "x": 1},
        [],
        {"seen": [], "unseen": {}, "bonus": 0},
        *(
            {"seen": {}, "unseen": {}, "bonus": 0, "calibration": c}
            for c in (
                [],
                {"slopes": []},
                {"slopes": [1, "x"]},
                {"slopes": 1.0},
                {"slopes": [1.0], "spread": 0},
                {"slopes": [-1.0]},
                {"slopes": [1.0], "near": 7},
                {"slopes": [1.0], "intercept": None},
                {"slopes": [1.0, 1.0]},
                {"y": 1},
            )
        ),
    ],
)
def test_a_fusion_that_is_none_is_named(values):
    with pytest.raises(InputError, match="fusion"):
        json_model.fusion(values)
