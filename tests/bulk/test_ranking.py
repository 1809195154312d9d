"""Many intents at once: what one by one gives, in any number of processes the same bits, and faults that stop nobody else."""

import numpy as np
import pytest

from shgat import SHGAT, Catalog
from shgat.bulk import rank_bulk
from shgat.errors import InputError, TraceError
from shgat.executor import Processes, Serial
from shgat.traces import Trace, read_traces
from worlds import SAMPLE


@pytest.fixture(scope="module")
def model():
    return SHGAT.from_catalog(Catalog.load(SAMPLE))


@pytest.fixture(scope="module")
def asked():
    return [(n, t) for n, t in read_traces(SAMPLE / "test.jsonl")] * 8


def test_each_is_ranked_as_it_is_alone(model, asked):
    found = list(rank_bulk(model, asked[:30], Serial(), top_k=4))
    assert [one.id for one in found] == [trace.id for _, trace in asked[:30]]
    for one, (_, trace) in zip(found, asked, strict=False):
        alone = model.rank(trace.embedding, 4, text=trace.intent, context_tools=trace.context_tools)
        assert one.tools == alone.ids
        np.testing.assert_allclose(one.scores, alone.scores, rtol=1e-4, atol=1e-5)


def test_two_processes_give_the_bits_of_one(model, asked):
    done = []
    ours = list(rank_bulk(model, asked, Serial(), top_k=6, on_done=done.append))
    assert done[-1] == len(asked) > 256
    with Processes(2) as executor:
        assert list(rank_bulk(model, asked, executor, top_k=6)) == ours


def test_a_fault_stops_nobody_else(model):
    d, rng = model.dimension, np.random.default_rng(0)
    x = rng.standard_normal(d).astype(np.float32)
    tool = model.tool_ids[0]
    rows = [
        Trace(id="good", embedding=x),
        TraceError("line 2 is none"),
        Trace(id="short", embedding=x[:5]),
        Trace(id="zero", embedding=np.zeros(d, np.float32)),
        Trace(id="silent"),
        Trace(id="lost", embedding=x, context_tools=("no.such",)),
        Trace(id="used", embedding=x, context_tools=(tool,)),
        Trace(id="spoken", intent="send a mail to the team"),
        Trace(id="mute", intent="  "),
    ]
    found = {one.id: one for one in rank_bulk(model, enumerate(rows, 1), Serial(), top_k=3)}
    assert {key for key, one in found.items() if not one.error} == {"good", "used", "spoken"}
    assert found["row 2"].error == "line 2 is none"
    assert "5 dimensions" in found["short"].error
    assert "no direction" in found["zero"].error
    assert "neither" in found["silent"].error
    assert "no.such" in found["lost"].error
    assert found["spoken"].tools == model.rank("send a mail to the team", 3).ids


def test_a_number_of_tools_is_one(model):
    with pytest.raises(InputError, match="top_k"):
        list(rank_bulk(model, [], Serial(), top_k=0))
