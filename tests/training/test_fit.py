"""`fit`: a planted problem is learned, noise is refused, and a seed determines every bit."""

import dataclasses

import numpy as np
import pytest

from shgat import SHGAT, SHGATConfig, TraceError, Traces, TrainingConfig
from shgat.training import fit
from training import planted

QUICK = TrainingConfig(epochs=2, batch_size=64, lr=3e-3)


def shuffled(rng, records):
    tools = [r["tools"] for r in records]
    return [{**r, "tools": tools[i]} for r, i in zip(records, rng.permutation(len(records)), strict=True)]


def state(model):
    return model.params.buffer.tobytes(), model.version, model.learned, model.report, model.config


QUICKLY = [("all", "shuffle")]
PLANTED = [
    (negatives, replay) for negatives in ("all", "random", "semi-hard", "curriculum") for replay in ("shuffle", "prioritized")
]


@pytest.mark.parametrize(
    ("negatives", "replay"), [pytest.param(*p, marks=[] if p in QUICKLY else pytest.mark.slow) for p in PLANTED]
)
def test_a_planted_problem_is_learned(negatives, replay):
    model, traces, rotation = planted.planted_model()
    _, fresh, _ = planted.rotated(np.random.default_rng(9), n_traces=90, of=model.catalog, rotation=rotation)
    test = Traces.from_records(fresh, model.catalog)
    assert planted.hit_at_1(model, test) < 0.3
    config = TrainingConfig(epochs=25, batch_size=64, lr=1.5e-2, negatives=negatives, n_negatives=8, replay=replay, patience=25)
    report = model.fit(traces, config=config)
    assert report.accepted, report.reason
    assert planted.hit_at_1(model, test) == 1.0
    assert report.comparisons[0].ours > report.comparisons[0].theirs + 0.5
    assert model.report == report.to_dict()


def test_shuffled_labels_are_refused_and_the_model_is_untouched():
    rng = np.random.default_rng(1)
    for seed in range(3):
        of, records, _ = planted.rotated(np.random.default_rng(seed))
        model = SHGAT.from_catalog(of)
        before = state(model)
        report = model.fit(Traces.from_records(shuffled(rng, records), of), epochs=10, lr=1e-2, seed=seed)
        assert not report.accepted
        assert report.reason.startswith(("not better than", "worse than"))
        assert report.comparisons
        assert state(model) == before


def test_where_cosine_is_perfect_it_stays():
    of, records, _ = planted.rotated(np.random.default_rng(2), rotation=np.eye(16), noise=0.0)
    model = SHGAT.from_catalog(of)
    before = state(model)
    report = model.fit(Traces.from_records(records, of), config=QUICK)
    assert not report.accepted
    assert "cosine" in report.reason
    assert state(model) == before


@pytest.mark.parametrize("replay", ["shuffle", "prioritized"])
def test_a_seed_determines_every_bit(replay):
    config = dataclasses.replace(QUICK, replay=replay)
    (a, traces, _), (b, same, _), (c, _, _) = (planted.planted_model() for _ in range(3))
    first, second, other = a.fit(traces, config=config), b.fit(same, config=config), c.fit(traces, config=config, seed=1)
    assert first.accepted
    assert a.params.buffer.tobytes() == b.params.buffer.tobytes()
    assert first.losses == second.losses
    assert first.td_errors == second.td_errors
    assert first.weights == second.weights
    assert a.params.buffer.tobytes() != c.params.buffer.tobytes()
    assert other.seed == 1


@pytest.mark.parametrize("good", [True, False], ids=["accepted", "refused"])
def test_the_given_state_stays_as_it_was_and_a_refusal_gives_none(good):
    of, records, rotation = planted.rotated(np.random.default_rng(0))
    model = SHGAT.from_catalog(of)
    assert model.fit(Traces.from_records(records, of), config=QUICK, words=False).accepted
    given, before = model.state, state(model)
    _, news, _ = planted.rotated(np.random.default_rng(1), of=of, rotation=rotation)
    news = [{**r, "id": f"y{i}"} for i, r in enumerate(news if good else shuffled(np.random.default_rng(2), news))]
    fitted = fit(given, Traces.from_records(news, of), config=QUICK, words=False)
    assert fitted.report.accepted == good, fitted.report.reason
    assert (model.state is given, state(model)) == (True, before)
    assert (fitted.state is None) != good
    if good:
        assert fitted.state.params.buffer.tobytes() != given.params.buffer.tobytes()
        assert fitted.state.report == fitted.report.to_dict() != given.report
        assert fitted.state.learned.memory.ids == tuple(r["id"] for r in news)
        assert given.learned.memory.ids == tuple(r["id"] for r in records)


@pytest.mark.parametrize(
    ("options", "epochs", "batch_size", "lr"),
    [
        ({}, 8, 128, 1e-3),
        ({"config": TrainingConfig(negatives="random")}, 8, 128, 1e-3),
        ({"config": TrainingConfig(epochs=2)}, 2, 128, 1e-3),
        ({"config": TrainingConfig(epochs=2), "epochs": 1, "lr": 2e-3}, 1, 128, 2e-3),
    ],
    ids=["nothing", "negatives", "epochs", "beside the config"],
)
def test_what_is_asked_for_changes_nothing_else_of_the_recipe(options, epochs, batch_size, lr):
    model, traces, _ = planted.planted_model()
    choices = model.fit(traces.take(range(40)), validation="none", **options).choices
    assert [choices[name] for name in ("epochs", "batch_size", "lr", "rho")] == [epochs, batch_size, lr, 1.0]
    assert choices["negatives"] == (options["config"].negatives if "config" in options else "all")


def test_what_was_trained_before_does_not_reach_the_next_training():
    a, traces, _ = planted.planted_model()
    b, _, _ = planted.planted_model()
    a.fit(traces, config=QUICK, seed=5)
    a.fit(traces, config=QUICK)
    b.fit(traces, config=QUICK)
    assert a.params.buffer.tobytes() == b.params.buffer.tobytes()


def test_too_few_traces_to_validate_on():
    model, traces, _ = planted.planted_model()
    before = state(model)
    report = model.fit(traces.take(range(15)))
    assert not report.accepted
    assert "15 traces are too few" in report.reason
    assert state(model) == before
    for anyway in ({"validation": "none"}, {"force": True}):
        assert model.fit(traces.take(range(15)), epochs=1, **anyway).accepted
    assert state(model) != before


def test_traces_without_anything_to_learn():
    model, traces, _ = planted.planted_model()
    with pytest.raises(TraceError, match="no trace with tools"):
        model.fit(traces.take([]))
    of, records, _ = planted.rotated(np.random.default_rng(0), n_traces=20)
    with pytest.raises(TraceError, match="no trace with tools"):
        model.fit(Traces.from_records([{**r, "tools": []} for r in records], of))


def test_traces_that_all_failed_are_refused(tmp_path):
    of, records, _ = planted.rotated(np.random.default_rng(0), outcome=0.0)
    model = SHGAT.from_catalog(of)
    before = state(model)
    report = model.fit(Traces.from_records(records, of), config=QUICK, checkpoint=tmp_path / "c")
    assert not report.accepted
    assert "no held-out intent has a tool to find" in report.reason
    assert state(model) == before


def test_the_report_is_complete_and_json():
    import orjson

    model, traces, _ = planted.planted_model(context_tools=["t0"])
    seen = []
    report = model.fit(traces, config=QUICK, on_epoch=seen.append)
    assert seen == report.epochs
    variants = {"plain", *(trial.name for trial in report.trials)}
    kept = [" and ".join(["offsets"] * report.choices["node_offsets"])] if report.choices["node_offsets"] else []
    assert variants == {"plain", "offsets", " and ".join(["message passing", *kept]), " and ".join(["words", *kept])}
    assert {e.stage for e in seen} == {*(f"{v}, fold {i}/3" for i in range(1, 4) for v in variants), "all traces"}
    assert [(e.run, e.runs) for e in seen] == [(run, 13) for run in range(1, 14) for _ in range(2)]
    assert set(report.td_errors) == set(traces.ids.tolist())
    assert all(0.0 <= td <= 1.0 for td in report.td_errors.values())
    assert {"readout", "intent", "scalars"} <= set(report.gradient_norms)
    assert ("attention" in report.gradient_norms) == report.choices["message_passing"]
    assert all(len(norms) == 2 for norms in report.gradient_norms.values())
    assert {(c.against, c.part) for c in report.comparisons} >= {("cosine", "all"), ("cosine", "warm"), ("cosine", "cold")}
    assert report.validation["shgat"]["all"]["n"] >= len(traces)  # whole tools are held out of several folds
    assert orjson.loads(orjson.dumps(report.to_dict())) == report.to_dict()


def test_options_of_fit_are_checked():
    model, traces, _ = planted.planted_model()
    before = state(model)
    for wrong in ({"epochs": 0}, {"lr": -1.0}, {"batch_size": 2.5}, {"validation": "some"}):
        with pytest.raises(ValueError, match=r"is|lies"):
            model.fit(traces, **wrong)
    with pytest.raises(TypeError):
        model.fit(traces, epoch=3)
    assert state(model) == before


def test_a_tool_added_meanwhile_is_kept():
    model, traces, _ = planted.planted_model(config=SHGATConfig(node_offsets=True))
    extra = np.random.default_rng(7).standard_normal(16)

    def grow(epoch):
        if "late" not in model.catalog.tool_column:
            model.add_tool({"id": "late", "embedding": extra})

    assert model.fit(traces, config=QUICK, on_epoch=grow).accepted
    assert model.rank(extra, 31).ids.count("late") == 1
    assert len(model.params["tool_offsets"]) == 31
    assert not model.params["tool_offsets"][30].any()


def test_a_trained_model_saved_and_loaded_is_the_same_bit_for_bit(tmp_path):
    model, traces, _ = planted.planted_model(context_tools=["t3"])
    model.fit(traces, config=QUICK)
    model.save(tmp_path / "model")
    loaded = SHGAT.load(tmp_path / "model")
    x, texts = traces.vectors(np.arange(40)), list(traces.texts.take(np.arange(40)))
    assert loaded.params.buffer.tobytes() == model.params.buffer.tobytes()
    for given in (None, texts):
        assert loaded.score(x, texts=given).tobytes() == model.score(x, texts=given).tobytes()
    assert loaded.score(x, "capabilities").tobytes() == model.score(x, "capabilities").tobytes()
    assert loaded.learned.fusion == model.learned.fusion
    assert loaded.report == model.report
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "model").read_bytes()


def test_probabilities_rise_with_the_scores():
    model, traces, _ = planted.planted_model()
    model.fit(traces, epochs=10, lr=1e-2)
    for i in range(20):
        ranking = model.rank(traces.vectors(np.array([i]))[0], 30, text=traces.texts[i])
        assert (np.diff(ranking.scores) <= 0).all()
        assert (np.diff(ranking.probabilities) <= 1e-7).all()
        assert (ranking.probabilities > 0).all()
        assert (ranking.probabilities < 1).all()
        likely = model.rank(traces.vectors(np.array([i]))[0], 30, text=traces.texts[i], min_score=0.5)
        assert likely.ids == ranking.ids[: (ranking.probabilities >= 0.5).sum()]


@pytest.mark.slow
def test_adding_and_removing_tools_after_training_keeps_the_ranking_sensible():
    model, traces, rotation = planted.planted_model()
    model.fit(traces, epochs=30, lr=1e-2)
    x, texts = traces.vectors(np.arange(60)), list(traces.texts.take(np.arange(60)))
    wanted = [f"t{traces.tools.row(i)[0]}" for i in range(60)]
    before = model.score(x, texts=texts)
    rng = np.random.default_rng(3)
    new = planted.unit(rng.standard_normal(16))
    model.add_tool({"id": "new", "text": "a new tool", "embedding": new})
    after = model.score(x, texts=texts)
    np.testing.assert_allclose(after[:, :30] - after[:, :1], before - before[:, :1], rtol=1e-3, atol=2e-2)
    assert model.rank(rotation @ new, 5, text="a new tool").ids[0] == "new"
    for gone in ("t0", "t29", "t7"):
        model.remove(gone)
    assert model.learned is not None
    hits = [model.rank(v, 1, text=t).ids[0] == w for v, t, w in zip(x, texts, wanted, strict=True) if w not in ("t0", "t29", "t7")]
    assert np.mean(hits) > 0.97
    model.add_tool({"id": "t7", "text": "tool 7", "embedding": model.catalog.tool_embeddings[0]})
    channels, unseen = model.learned.over(model.catalog)
    assert [t.id for t, u in zip(model.catalog.tools, unseen, strict=True) if u] == ["new"]
    remembered = channels.memory.tools
    assert (remembered.degrees <= 1).all()
    back = {tuple(model.tool_ids[t] for t in remembered.row(i)) for i in range(remembered.n_rows)}
    assert ("t7",) in back
    assert () in back  # what remembered a tool that is gone
    assert ("new",) not in back
