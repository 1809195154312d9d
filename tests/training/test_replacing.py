"""A model that was trained anew, and what the one before had."""

import numpy as np
import pytest

from shgat import SHGAT, Traces, TrainingConfig
from shgat.training import fit
from shgat.training.fusion import HeldOut
from shgat.training.replacing import behind
from shgat.training.selection import Candidate, Variant
from training import planted

CONFIG = TrainingConfig(epochs=12, batch_size=64, lr=1.5e-2)


@pytest.fixture(scope="module")
def world():
    """(catalogue, 300 planted records, rotation, the model that learned the first 200 of them)"""
    of, records, rotation = planted.rotated(np.random.default_rng(0))
    model = SHGAT.from_catalog(of)
    assert model.fit(Traces.from_records(records[:200], of), config=CONFIG).accepted
    return of, records, rotation, model


def by_cosine(of, asked):
    """Held-out predictions that are frozen cosine's."""
    scores = np.asarray(planted.unit(asked.vectors(np.arange(len(asked)))) @ planted.unit(of.tool_embeddings).T, np.float32)
    held = HeldOut({"cosine": scores}, np.zeros(scores.shape, bool), asked.relevant)
    return Candidate.of(Variant(False, False), held, ["cosine"], 0.1)


def test_new_intents_speak_for_the_model_before_and_those_that_it_learned_from_do_not(world):
    of, records, _, model = world
    for which, lost in ((records[200:], "worse than before on new"), (records[:200], "")):
        asked = Traces.from_records(which, of)
        assert behind(model.state, by_cosine(of, asked), asked, np.random.default_rng(0)).startswith(lost)
    assert not behind(model.state, by_cosine(of, asked), asked, np.random.default_rng(0))
    assert not behind(SHGAT.from_catalog(of).state, by_cosine(of, asked), asked, np.random.default_rng(0))


def test_a_model_that_has_lost_what_other_traces_taught_is_refused(world):
    of, _, _, model = world
    _, others, _ = planted.rotated(np.random.default_rng(5), of=of)  # another rotation: what is learned here is wrong there
    foreign = [{**r, "id": f"z{r['id']}"} for r in others]
    fitted = fit(model.state, Traces.from_records(foreign, of), config=CONFIG)
    assert not fitted.report.accepted
    assert "earlier" in fitted.report.reason or "new" in fitted.report.reason


def test_a_model_that_learned_from_more_takes_the_place_of_the_one_before(world):
    of, records, rotation, model = world
    _, fresh, _ = planted.rotated(np.random.default_rng(9), n_traces=90, of=of, rotation=rotation)
    fitted = fit(model.state, Traces.from_records(records, of), config=CONFIG)
    assert fitted.report.accepted, fitted.report.reason
    after = SHGAT(fitted.state)
    assert planted.hit_at_1(after, Traces.from_records(fresh, of)) >= planted.hit_at_1(model, Traces.from_records(fresh, of))
