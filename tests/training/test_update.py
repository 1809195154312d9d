"""`partial_fit`: goes on from where the model is, keeps what is better, and remembers what worked either way."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import SHGAT, InputError, TraceError, Traces, TrainingConfig
from shgat.model.channels import Fusion
from shgat.training import partial_fit
from shgat.training.update import DOUBTED, PROOF
from training import planted


def fitted(seed=0):
    """(trained model, its rotation, its catalogue)"""
    model, traces, rotation = planted.planted_model(seed)
    assert model.fit(traces, config=TrainingConfig(epochs=8, batch_size=64, lr=5e-3)).accepted
    return model, rotation


def more(model, rotation, seed, n=60, first=1000, **options):
    """New traces of the same kind, with ids of their own."""
    _, records, _ = planted.rotated(np.random.default_rng(seed), n_traces=n, of=model.catalog, rotation=rotation, **options)
    return Traces.from_records([{**r, "id": f"y{first + i}"} for i, r in enumerate(records)], model.catalog)


def test_it_goes_on_from_where_the_model_is():
    model, rotation = fitted()
    news = more(model, rotation, 1, n=120)
    version, known = model.version, len(model.learned.memory.ids)
    before = model.params.copy()
    report = model.partial_fit(news, epochs=4, lr=3e-3)
    assert report.accepted
    assert report.reason.startswith("not worse than before")
    assert {(c.part, c.measure) for c in report.comparisons} == {
        (p, m) for p in ("earlier", "held out") for m in ("criterion", "likelihood")
    }
    assert {c.against for c in report.comparisons} == {"before"}
    assert model.version > version
    moved = np.linalg.norm(model.params.buffer - before.buffer) / np.linalg.norm(before.buffer)
    assert 0.0 < moved < 0.2
    assert len(model.learned.memory.ids) == known + 120
    assert 0 < len(report.td_errors) <= 96  # a fifth was held out


def misleading(model, rotation):
    """200 traces that ran tools at random, but the held-out fifth, the latest."""
    news = more(model, rotation, 1, n=200)
    rng = np.random.default_rng(0)
    records = [
        {
            "id": f"z{i}",
            "embedding": x,
            "tools": [f"t{news.tools.row(i)[0] if i >= 160 else rng.integers(30)}"],
            "timestamp": float(i),
        }
        for i, x in enumerate(news.vectors(np.arange(200)))
    ]
    return Traces.from_records(records, model.catalog)


def test_where_it_gets_worse_neither_parameters_nor_memory_change():
    model, rotation = fitted()
    before, ids = model.params.buffer.tobytes(), model.learned.memory.ids
    report = model.partial_fit(misleading(model, rotation), epochs=30, lr=3e-2)
    assert not report.accepted
    assert report.reason.startswith("worse than before on earlier")
    assert model.params.buffer.tobytes() == before
    assert model.learned.memory.ids == ids


@pytest.mark.parametrize("good", [True, False], ids=["accepted", "refused"])
def test_the_given_state_stays_as_it_was(good):
    model, rotation = fitted()
    given, buffer, ids = model.state, model.params.buffer.tobytes(), model.learned.memory.ids
    learned, report = given.learned, dict(given.report)
    traces = more(model, rotation, 1, n=120) if good else misleading(model, rotation)
    found = partial_fit(given, traces, epochs=4 if good else 30, lr=3e-3 if good else 3e-2)
    assert found.report.accepted == good
    assert given.params.buffer.tobytes() == buffer
    assert (given.learned is learned, given.report, given.learned.memory.ids) == (True, report, ids)
    assert (found.state is None) != good
    if good:
        assert found.state.params.buffer.tobytes() != buffer
        assert found.state.learned.memory.ids == (*ids, *traces.ids.tolist())
        assert found.state.report == report  # of the training that chose the weights


def test_what_is_asked_for_changes_nothing_else_of_the_recipe():
    model, traces, _ = planted.planted_model()
    few = traces.take(range(10))
    for options, expected in (
        ({}, (1, 32, 3e-4, 0.0)),
        ({"config": TrainingConfig(clip=2.0)}, (1, 32, 3e-4, 0.0)),
        ({"config": TrainingConfig(epochs=3, rho=0.5), "lr": 1e-3}, (3, 32, 1e-3, 0.5)),
    ):
        choices = model.partial_fit(few, **options).choices
        assert tuple(choices[name] for name in ("epochs", "batch_size", "lr", "rho")) == expected


def test_too_few_traces_to_hold_any_out():
    model, rotation = fitted()
    report = model.partial_fit(more(model, rotation, 2, n=19))
    assert report.accepted
    assert {c.part for c in report.comparisons} == {"earlier"}
    assert len(report.td_errors) == 19


def test_a_tool_that_was_new_is_known_afterwards():
    model, rotation = fitted()
    x = planted.unit(np.random.default_rng(5).standard_normal(16))
    model.add_tool({"id": "new", "text": "a new tool", "embedding": x})
    model.partial_fit(Traces.from_records([planted.record(i, rotation @ x, [0]) | {"id": "n", "tools": ["new"]} for i in (0,)],
                                          model.catalog))  # fmt: skip
    assert "new" not in model.learned.unseen
    assert model.rank(rotation @ x, 1).ids == ("new",)


def test_a_model_that_never_learned():
    model, traces, _ = planted.planted_model()
    before = model.params.buffer.tobytes()
    report = model.partial_fit(traces, epochs=3, lr=1e-2)
    assert report.accepted
    assert model.learned.fusion == Fusion.cold_start()  # no weights of channels were ever chosen
    assert len(model.learned.memory) == len(traces)
    assert model.params.buffer.tobytes() != before
    with pytest.raises(InputError, match="no calibrated probabilities"):
        model.probabilities(traces.vectors(np.arange(1)))


@pytest.mark.slow
def test_a_seed_determines_every_bit():
    (a, rotation), (b, _) = fitted(), fitted()
    one, two = (m.partial_fit(more(m, rotation, 3), seed=4) for m in (a, b))
    assert a.params.buffer.tobytes() == b.params.buffer.tobytes()
    assert one.losses == two.losses
    assert SHGAT.from_catalog(a.catalog).params.buffer.tobytes() != a.params.buffer.tobytes()


def test_nothing_to_learn_from():
    model, traces, _ = planted.planted_model()
    with pytest.raises(TraceError, match="no trace with tools"):
        model.partial_fit(traces.take([]))


def test_what_teaches_nothing_leads_back_to_cosine():
    rng = np.random.default_rng(5)
    of, records, _ = planted.rotated(rng, n_tools=20, n_traces=PROOF, d=16)
    shuffled = [{**r, "tools": records[i]["tools"]} for r, i in zip(records, rng.permutation(PROOF).tolist(), strict=True)]
    traces, model = Traces.from_records(shuffled, of), SHGAT.from_catalog(of)
    model.partial_fit(traces.take(np.arange(30)))
    report = model.fit(traces, epochs=2)
    assert not report.accepted
    assert model.back_to_cosine(traces.take(np.arange(PROOF - 1)), report) is report  # too few to tell
    back = model.back_to_cosine(traces, report)
    assert back.reason == f"back to cosine: {report.reason}"
    assert model.learned.fusion == Fusion.doubted()
    assert len(model.learned.memory) == PROOF
    x = traces.vectors(np.arange(10))
    plain = SHGAT.from_catalog(of).score(x)
    proven = model.index().channels.channels.memory.tools.indices
    chosen = np.unique(proven)  # of tools that nobody ran a hub may be put down
    np.testing.assert_array_equal(np.argsort(-model.score(x)[:, chosen]), np.argsort(-plain[:, chosen]))
    assert model.partial_fit(traces.take(np.arange(20))).reason.startswith(DOUBTED)
    np.testing.assert_array_equal(np.argsort(-model.score(x)[:, chosen]), np.argsort(-plain[:, chosen]))


def test_a_model_that_a_fit_has_proved_does_not_give_way():
    model, rotation = fitted()
    traces, rng = more(model, rotation, 3, PROOF), np.random.default_rng(6)
    shuffled = replace(traces, tools=traces.tools.take(rng.permutation(PROOF)))
    report = model.fit(shuffled, epochs=2)
    assert not report.accepted
    before = model.version
    assert model.back_to_cosine(shuffled, report) is report
    assert model.version == before
