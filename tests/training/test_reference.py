"""What an update has to keep: earlier traces, held-out ones, and tools by their own descriptions."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import Traces, TrainingConfig
from shgat.graph import Incidence
from shgat.model.channels import Fusion
from shgat.model.index import build
from shgat.model.memory import Memory
from shgat.training import reference
from shgat.training.reference import Part, Reference, descriptions, earlier, held_out, loses_descriptions
from training import planted


@pytest.fixture(scope="module")
def trained():
    model, traces, _ = planted.planted_model()
    assert model.fit(traces, config=TrainingConfig(epochs=8, batch_size=64, lr=5e-3)).accepted
    return model, traces


def test_earlier_traces_worked_and_no_tool_takes_more_than_its_share():
    n = 900
    rng = np.random.default_rng(0)
    tools = [0 if i < 800 else 1 + i % 40 for i in range(n)]
    outcome = (rng.random(n) < 0.9).astype(np.float32)
    memory = Memory(
        tuple(map(str, range(n))), planted.unit(rng.standard_normal((n, 8))).astype(np.float32), [""] * n,
        Incidence.from_rows([t] for t in tools), outcome,
    )  # fmt: skip
    part = earlier(memory, rng)
    wanted = part.wanted.indices
    assert np.bincount(wanted).max() <= reference.MOST // reference.TOOL_SHARE
    assert len(part.ids) <= reference.MOST
    assert (outcome[[int(i) for i in part.ids]] == 1.0).all()
    assert np.count_nonzero(wanted != 0) == np.count_nonzero(outcome[800:])  # all of the others


def test_an_earlier_trace_is_ranked_without_its_own_vote(trained):
    model, _traces = trained
    voting = replace(model.learned, fusion=Fusion({"memory": 1.0}, {"memory": 1.0}, 0.0))
    state = replace(model.state, learned=voting)
    part = earlier(model.learned.memory, np.random.default_rng(0))
    own = Part(part.name, part.x, part.texts, part.wanted, [""] * len(part.ids))
    assert own.judge(build(state, 1)).likelihood.mean() > part.judge(build(state, 1)).likelihood.mean()


def test_held_out_traces_are_those_that_worked():
    of, records, _ = planted.rotated(np.random.default_rng(3), n_traces=40)
    for i, record in enumerate(records):
        record["outcome"] = float(i % 2)
    part = held_out(Traces.from_records(records, of))
    assert list(part.ids) == [f"x{i}" for i in range(1, 40, 2)]


def test_descriptions_are_of_tools_that_no_trace_mentions(trained):
    model, traces = trained
    assert descriptions(model.state, traces.tools, np.random.default_rng(0)).wanted.n_rows == 0
    part = descriptions(model.state, None, np.random.default_rng(0))
    assert part.wanted.indices.tolist() == list(range(30))
    assert list(part.texts) == [f"tool {i}" for i in range(30)]
    fresh = planted.planted_model()[0]
    few = Incidence.from_rows([[3], [7]])
    assert set(range(30)) - set(descriptions(fresh.state, few, np.random.default_rng(0)).wanted.indices.tolist()) == {3, 7}
    assert loses_descriptions(fresh.state, part) == ""  # cosine finds what cosine finds


def test_what_cosine_found_and_the_model_does_not_is_told(trained):
    model, _ = trained  # its intents are rotated: it looks for every description elsewhere
    part = descriptions(planted.planted_model()[0].state, None, np.random.default_rng(0))
    blind = Part(part.name, part.x, [""] * 30, part.wanted, part.ids)
    assert "found by their own descriptions" in loses_descriptions(model.state, blind)


def test_a_model_that_forgot_is_refused_and_the_same_is_kept(trained):
    model, _traces = trained
    before = model.state
    parts = [earlier(model.learned.memory, np.random.default_rng(0))]
    found = Reference.of(before, parts)
    assert found.verdict(before, np.random.default_rng(1))[0].passed
    forgotten = planted.planted_model()[0].state
    verdict, comparisons = found.verdict(forgotten, np.random.default_rng(1))
    assert not verdict.passed
    assert {c.part for c in comparisons} == {"earlier"}
    assert not found.verdict(forgotten, np.random.default_rng(1), one_of_many=False)[0].passed


def test_a_part_of_few_intents_decides_nothing(trained):
    model, traces = trained
    part = held_out(traces.take(range(reference.FEWEST - 1)))
    assert Reference.of(model.state, [part]).parts == ()
    assert Reference.of(model.state, [held_out(traces.take(range(reference.FEWEST)))]).parts != ()
