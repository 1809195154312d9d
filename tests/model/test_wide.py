"""Words beside embeddings: what is seen, and that a model with words answers as it was trained, with texts and without."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import SHGAT, SHGATConfig, Traces
from shgat.model import index, question, readout, scoring
from shgat.model.hashing import hashed
from shgat.model.params import resolve_layout
from shgat.model.state import ModelState
from shgat.model.wide import SHARE, WORDS, wide, wide_catalog, wide_intents
from training import planted

TEXTS = ["send the quarterly report", "", "what is the weather"]


@pytest.fixture
def catalog():
    return planted.catalog(np.random.default_rng(0), 9, [((0, 1), ()), ((2, 3), (0,))], 16)


@pytest.fixture
def model(catalog):
    """A model with words whose maps are no identity."""
    model = SHGAT(ModelState.untrained(catalog, SHGATConfig(words=True)))
    return planted.shaken(model, np.random.default_rng(1))


def test_rows_have_length_one_and_their_parts_the_share():
    rng = np.random.default_rng(0)
    rows = wide(7 * rng.standard_normal((3, 16)).astype(np.float32), hashed(["send mail", "read file", "x"], WORDS))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(rows[:, 16:], axis=1) / np.linalg.norm(rows[:, :16], axis=1), SHARE, atol=1e-6)


def test_the_catalogue_keeps_everything_but_its_embeddings(catalog):
    seen = wide_catalog(catalog)
    assert seen is wide_catalog(catalog)
    assert (seen.dimension, seen.fingerprint) == (16 + WORDS, catalog.fingerprint)
    assert seen.hierarchy is catalog.hierarchy
    np.testing.assert_allclose(
        seen.tool_embeddings[:, 16:] * np.sqrt(1 + SHARE**2) / SHARE,
        hashed([f"{t.id} {t.text}" for t in catalog.tools], WORDS),
        atol=1e-6,
    )


def test_parameters_see_embeddings_and_words_and_intents_keep_their_dimension(catalog, model):
    assert resolve_layout(catalog, SHGATConfig(words=True)).d == 16 + WORDS
    assert model.dimension == model.index().dimension == 16
    assert model.params.layout.d == 16 + WORDS


def test_queries_are_those_of_the_wide_intents(model):
    x = np.random.default_rng(2).standard_normal((3, 16)).astype(np.float32)
    expected = readout.queries(wide_intents(x, TEXTS), None, model.params, "cosine").q.rows
    np.testing.assert_allclose(question.queries(model.index(), x, (), TEXTS), expected, atol=2e-6)
    silent = readout.queries(wide_intents(x, [""] * 3), None, model.params, "cosine").q.rows
    np.testing.assert_allclose(question.queries(model.index(), x, (), None), silent, atol=2e-6)


def test_the_length_of_an_intent_changes_nothing(model):
    x = np.random.default_rng(2).standard_normal((3, 16)).astype(np.float32)
    np.testing.assert_allclose(model.score(x, texts=TEXTS), model.score(40 * x, texts=TEXTS), atol=1e-4)


def test_a_tool_that_is_added_is_seen_as_if_it_had_always_been_there(model):
    tool = {"id": "new", "text": "translate a letter", "embedding": np.random.default_rng(3).standard_normal(16)}
    x = np.random.default_rng(4).standard_normal((2, 16)).astype(np.float32)
    model.index()
    model.add_tools([tool])
    grown = model.score(x, texts=TEXTS[:2])
    state = model.state
    fresh = index.build(replace(state, catalog=replace(state.catalog)), 1)
    np.testing.assert_allclose(grown, scoring.score(fresh, x, "tools", TEXTS[:2], ()), atol=1e-5)


def test_it_is_saved_and_exported_and_moved(model, tmp_path, catalog):
    x = np.random.default_rng(4).standard_normal((2, 16)).astype(np.float32)
    expected = model.score(x, texts=TEXTS[:2])
    model.save(tmp_path / "m.shgat")
    np.testing.assert_array_equal(SHGAT.load(tmp_path / "m.shgat").score(x, texts=TEXTS[:2]), expected)
    other = SHGAT.from_catalog(catalog)
    other.import_params(model.export_params())
    np.testing.assert_array_equal(other.score(x, texts=TEXTS[:2]), expected)


def test_words_are_learned_where_they_tell_what_embeddings_do_not(catalog):
    rng = np.random.default_rng(5)
    names = ["invoice", "weather", "calendar", "translate", "picture", "music", "ticket", "recipe", "parcel"]
    records = [
        {
            "id": f"x{i}",
            "intent": f"please do {names[i % 9]} number {i}",
            "embedding": rng.standard_normal(16),
            "tools": [f"t{i % 9}"],
        }
        for i in range(270)
    ]
    model = SHGAT.from_catalog(catalog)
    report = model.fit(Traces.from_records(records, catalog), channels=("semantic", "cosine"), node_offsets=False, epochs=30)
    assert report.accepted
    assert report.choices["words"]
    x = rng.standard_normal((9, 16)).astype(np.float32)
    hits = model.score(x, texts=[f"one more {name}" for name in names]).argmax(axis=1) == np.arange(9)
    assert hits.mean() > 0.7
    plain = SHGAT.from_catalog(catalog)
    assert not plain.fit(
        Traces.from_records(records, catalog), channels=("semantic", "cosine"), words=False, node_offsets=False
    ).accepted
    update = [{**r, "id": f"y{r['id']}"} for r in records[:40]]
    model.partial_fit(Traces.from_records(update, catalog))
    assert model.config.words
    assert (model.score(x, texts=[f"one more {name}" for name in names]).argmax(axis=1) == np.arange(9)).mean() > 0.6
