"""A tool that is near to everything asked stands above what it is right for only as far as tools do that worked."""

import numpy as np

from shgat import SHGAT
from shgat.model import scoring
from shgat.model.evidence import Execution, Recent
from shgat.model.hubs import FEWEST, excess
from training import planted


def test_excess_is_what_lies_above_the_highest_that_worked_twice():
    intents = planted.unit(np.random.default_rng(0).standard_normal((30, 8)) + 1.0).astype(np.float32)
    near = np.array([0.1, 0.4, 0.3, 0.7], np.float32)
    mean = intents.mean(axis=0)
    items = near[:, None] * mean / (mean @ mean)
    found = excess(intents, items, np.array([False, True, False, True]), 10.0)
    np.testing.assert_allclose(found, [0.0, 2.0, 0.0, 8.0], rtol=1e-4)
    assert excess(intents, items, np.array([True, True, True, False]), 10.0) is None
    assert excess(intents, items, np.ones(4, bool), 10.0) is None  # nothing worked yet
    assert excess(intents, items, np.zeros(4, bool), 10.0) is None


def hub(catalog, traces, more=0):
    """A tool whose text holds every word, that of the intents too, and whose embedding is the mean of all intents."""
    words = dict.fromkeys(" ".join([*(t.text for t in catalog.tools), *map(str, traces.texts)]).split())
    return {
        "id": f"hub{more}",
        "text": " ".join(words),
        "embedding": planted.unit(traces.vectors(np.arange(len(traces))).mean(axis=0)),
    }


def share_first(model, traces, evidence=None):
    """Of the intents for which a hub stands first, by vector and text, and by vector alone."""
    x, hubs = traces.vectors(np.arange(len(traces))), [i for i, key in enumerate(model.tool_ids) if key.startswith("hub")]
    texts = [str(t) for t in traces.texts]
    scores = [scoring.score(model.index(), x, "tools", t, (), evidence) for t in (texts, None)]
    return [float(np.isin(z.argmax(axis=1), hubs).mean()) for z in scores]


def test_a_tool_made_to_be_near_to_everything_does_not_stand_first(trained):
    model = SHGAT.from_bytes(trained.model.to_bytes())
    for more in range(3):
        model.add_tool(hub(model.catalog, trained.test, more))
        assert max(share_first(model, trained.test)) <= 0.05
        assert max(share_first(model, trained.train)) <= 0.05


def test_tools_that_are_no_hubs_keep_their_scores(trained):
    memory = trained.model.index().channels.channels.memory
    assert trained.model.index().hubs(memory) == {}
    model = SHGAT.from_bytes(trained.model.to_bytes())
    before = model.score(trained.test.vectors(np.arange(5)))
    model.add_tool(hub(model.catalog, trained.test))
    lost = model.index().hubs(model.index().channels.channels.memory)
    assert all((above[:-1] == 0.0).all() and above[-1] > 0.0 for above in lost.values())
    after = model.score(trained.test.vectors(np.arange(5)))[:, :-1]
    assert (after.argmax(axis=1) == before.argmax(axis=1)).all()


def test_a_new_tool_for_what_everybody_asks_is_found():
    """All traffic is about one thing, and a better tool for it is added: it may come as near as those that worked."""
    rng = np.random.default_rng(1)
    of = planted.catalog(rng, 20, [], 16)
    topic = of.tool_embeddings[3]
    near = planted.unit(topic + 0.1 * rng.standard_normal((200, 16))).astype(np.float32)
    model = SHGAT.from_catalog(of)
    recent, index = Recent(), model.index()
    for i, x in enumerate(near[:40]):
        recent.add(Execution(f"x{i}", x, "", ("t3",), 1.0, f"s{i}", float(i)), index)
    model.add_tool({"id": "better", "text": "better", "embedding": planted.unit(topic + 0.02 * rng.standard_normal(16))})
    index = model.index()
    evidence = recent.evidence(index)
    lost = index.hubs(evidence.memory)
    assert all(above.max() < 0.05 * 20.0 for above in lost.values())


def test_before_any_training_what_worked_tells_hubs(trained):
    """Nobody can tell who knows no intent; from twenty executions on one can."""
    model = SHGAT.from_catalog(trained.catalog)
    model.add_tool(hub(trained.catalog, trained.test))
    assert min(share_first(model, trained.test)) > 0.5  # nothing but cosine
    recent, index = Recent(), model.index()
    x, rows = trained.train.vectors(np.arange(len(trained.train))), trained.train.tools
    for i in range(40):
        ids = tuple(model.tool_ids[t] for t in rows.row(i).tolist())
        recent.add(Execution(f"x{i}", np.ascontiguousarray(x[i]), "", ids, 1.0, f"s{i}", float(i)), index)
    assert max(share_first(model, trained.test, recent.evidence(index))) <= 0.1


def test_few_intents_tell_nothing(trained):
    model = SHGAT.from_catalog(trained.catalog)
    memory = trained.model.index().channels.channels.memory
    model.add_tool(hub(trained.catalog, trained.test))
    assert model.index().hubs(memory.take(np.arange(FEWEST - 1))) == {}
    assert model.index().hubs(memory.take(np.arange(100))) != {}
