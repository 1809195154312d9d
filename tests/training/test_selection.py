"""Message passing and offsets are chosen by held-out traces, and what was not chosen costs nothing afterwards."""

import dataclasses

import numpy as np
import pytest

from shgat import SHGAT, SHGATConfig, Traces, TrainingConfig
from shgat.graph import Incidence
from shgat.metrics.gate import decide
from shgat.model.channels import Fusion
from shgat.model.index import gates_open
from shgat.training.fusion import HeldOut
from shgat.training.selection import Candidate, Selection, Variant, against_baselines, choose
from training import planted

QUICK = TrainingConfig(epochs=2, batch_size=64, lr=3e-3)
NOTHING = HeldOut({}, np.zeros((0, 0), bool), Incidence.from_rows([]))


def speaking(seed, n_tools=60, d=32, n_traces=300):
    """(catalogue, traces): intents lie near a capability, and what is wanted is one of its tools, which the graph alone can tell."""
    rng = np.random.default_rng(seed)
    members = [(tuple(range(i, i + 4)), ()) for i in range(0, n_tools, 4)]
    of = planted.catalog(rng, n_tools, members, d)
    records = []
    for i in range(n_traces):
        c = int(rng.integers(len(members)))
        x = planted.unit(of.capability_embeddings[c] + 0.5 / np.sqrt(d) * rng.standard_normal(d))
        records.append(planted.record(i, x, [int(rng.choice(members[c][0]))]))
    return of, Traces.from_records(records, of)


def choice(scores):
    """What is chosen where a variant's held-out intents have these criteria; and the names of what was tried."""

    def validate(variant):
        return Candidate(variant, NOTHING, Fusion({}, {}, 0.0), np.asarray(scores[str(variant)], np.float64))

    chosen, tried = choose(validate, Variant(False, False), ["node_offsets", "message_passing"], np.random.default_rng(0))
    return str(chosen.variant), [(t.name, t.against) for t in tried]


def test_the_plainest_stays_unless_another_is_better_beyond_noise():
    rng = np.random.default_rng(0)
    base = rng.uniform(0.2, 0.8, 400)
    noise, gain = rng.normal(0.0, 0.1, 400), rng.normal(0.02, 0.1, 400)
    noise -= noise.mean()
    assert choice({"plain": base, "offsets": base + noise, "message passing": base - gain})[0] == "plain"
    assert choice({"plain": base, "offsets": base, "message passing": base}) == (
        "plain",
        [("offsets", "plain"), ("message passing", "plain")],
    )
    both = "message passing and offsets"
    scores = {"plain": base, "offsets": base + gain, both: base + gain + noise, "message passing": base + 1.0}
    assert choice(scores) == ("offsets", [("offsets", "plain"), (both, "offsets")])
    assert choice(scores | {both: base + 2 * gain})[0] == both


def test_intents_without_a_relevant_tool_have_no_say():
    base = np.full(50, 0.5)
    with_nan = np.where(np.arange(50) < 10, np.nan, base)
    assert choice({"plain": with_nan, "offsets": with_nan + 0.1, "message passing and offsets": with_nan + 0.2})[0].startswith("m")
    nothing = np.full(50, np.nan)
    assert choice({"plain": nothing, "offsets": nothing, "message passing": nothing}) == ("plain", [])


@pytest.mark.parametrize("seed", range(3))
def test_message_passing_is_chosen_where_only_the_graph_knows(seed):
    of, traces = speaking(seed)
    model = SHGAT.from_catalog(of)
    report = model.fit(traces, channels=("semantic",), node_offsets=False, words=False, epochs=6, lr=3e-3)
    assert report.accepted, report.reason
    assert report.choices["message_passing"]
    trial = report.trials[-1]
    assert (trial.name, trial.against) == ("message passing", "plain")
    assert trial.ours > trial.theirs + 0.1
    assert gates_open(model.params)


def test_what_was_not_chosen_leaves_the_gates_closed():
    of, traces = speaking(0)
    model = SHGAT.from_catalog(of)
    report = model.fit(traces, message_passing=False, node_offsets=False, words=False, config=QUICK, force=True)
    assert report.trials == []
    assert not report.choices["message_passing"]
    assert model.config.message_passing  # allowed still: the next training may choose it
    assert not gates_open(model.params)
    assert model.index().shares is None
    model.partial_fit(traces.take(range(100)), epochs=2)
    assert not gates_open(model.params)
    assert model.fit(traces, channels=("semantic",), node_offsets=False, words=False, epochs=6, lr=3e-3).choices["message_passing"]


def test_what_the_configuration_rules_out_is_not_tried():
    of, traces = speaking(0)
    silent = SHGAT.from_catalog(of, SHGATConfig(message_passing=False))
    assert [t.name for t in silent.fit(traces, config=QUICK, words=False).trials] == ["offsets"]
    few = SHGAT.from_catalog(of)
    assert [t.name for t in few.fit(traces.take(range(40)), config=QUICK, words=False).trials] == [
        "message passing"
    ]  # too few traces for offsets


def test_words_are_not_tried_where_there_are_none():
    of, traces = speaking(0)
    mute = dataclasses.replace(traces, texts=type(traces.texts)(["", *traces.texts[1:20], *[""] * (len(traces) - 20)]))
    assert not any("words" in t.name for t in SHGAT.from_catalog(of).fit(mute, config=QUICK).trials)
    by_words = SHGAT.from_catalog(dataclasses.replace(of, encoder="hashed-words-1-800"))
    assert not any("words" in t.name for t in by_words.fit(traces, config=QUICK).trials)
    assert [t.name for t in SHGAT.from_catalog(of).fit(traces, config=QUICK).trials] == ["offsets", "words", "message passing"]


class TestChoice:
    """`choose` with made-up criteria: 0.5 for plain, and what each variant adds."""

    def tried(self, **gains):
        rng = np.random.default_rng(0)
        noise = 0.05 * rng.standard_normal(300)

        def validate(variant):
            gain = sum(gains.get(name, 0.0) * on for name, on in dataclasses.asdict(variant).items())
            return Candidate(variant, None, None, 0.5 + gain + noise * (1.0 + dataclasses.asdict(variant)["words"]))

        chosen, trials = choose(validate, Variant(False, False), ["node_offsets", "words", "message_passing"], rng)
        return str(chosen.variant), [t.name for t in trials]

    def test_where_words_are_chosen_message_passing_is_not_tried(self):
        assert self.tried(words=0.1, message_passing=0.2) == ("words", ["offsets", "words"])

    def test_where_they_are_not_it_is(self):
        assert self.tried(message_passing=0.2) == ("message passing", ["offsets", "words", "message passing"])

    def test_what_brings_nothing_is_left_out(self):
        assert self.tried() == ("plain", ["offsets", "words", "message passing"])


def test_offsets_are_chosen_anew_in_each_training():
    model, traces, _ = planted.planted_model(config=SHGATConfig(node_offsets=True))
    first = model.fit(traces, config=QUICK, words=False)
    assert first.choices["node_offsets"]
    assert {t.name for t in first.trials} == {"message passing and offsets"}
    assert "tool_offsets" in model.params
    again = model.fit(traces, config=QUICK, words=False)
    assert again.trials[0].name == "offsets"
    fresh, same, _ = planted.planted_model()
    assert dataclasses.asdict(fresh.fit(same, config=QUICK, words=False).trials[0]) == dataclasses.asdict(again.trials[0])


def test_cold_intents_count_as_often_as_they_come():
    rng = np.random.default_rng(0)
    scores = {"cosine": rng.standard_normal((40, 6)).astype(np.float32)}
    unseen = np.zeros((40, 6), bool)
    unseen[:, 5] = True
    held = HeldOut(scores, unseen, Incidence.from_rows([[5] if i < 10 else [i % 5] for i in range(40)]))
    found = {share: Candidate.of(Variant(False, False), held, ["cosine"], share).criterion for share in (0.0, 0.25, 1.0)}
    plain = found[0.25]  # a quarter of the held-out intents is cold
    np.testing.assert_allclose(found[0.0], np.where(held.cold, 0.0, plain / 0.75))
    np.testing.assert_allclose(found[1.0], np.where(held.cold, plain / 0.25, 0.0))
    assert found[0.0].mean() == pytest.approx(plain[10:].mean())


def judged(*, cold, helpful, seed=0, n=120, n_tools=30):
    """The selection of a candidate whose semantic channel tells the wanted tool, or nothing, while cosine tells a little."""
    rng = np.random.default_rng(seed)
    wanted = rng.integers(n_tools - 2, size=n)
    wanted[:cold] = n_tools - 1
    unseen = np.zeros((n, n_tools), bool)
    unseen[:, n_tools - 1] = bool(cold)
    right = np.zeros((n, n_tools), np.float32)
    right[np.arange(n), wanted] = 1.0
    noise = rng.standard_normal((2, n, n_tools)).astype(np.float32)
    scores = {"semantic": noise[0] + (6.0 if helpful else 0.0) * right, "cosine": noise[1] + right}
    held = HeldOut(scores, unseen, Incidence.from_rows([[t] for t in wanted.tolist()]))
    chosen = Candidate.of(Variant(False, False), held, ("semantic", "cosine"), 0.1)
    popularity = np.tile(np.arange(n_tools, 0.0, -1.0, dtype=np.float32), (n, 1))
    return Selection(chosen, [], *against_baselines(chosen, popularity, np.random.default_rng(1)))


def test_what_beats_every_baseline_passes():
    found = judged(cold=20, helpful=True)
    assert found.verdict.passed, found.verdict.reason
    parts = [(c.against, c.part, c.n) for c in found.comparisons if c.measure == "criterion"]
    assert parts == [(name, part, n) for name in ("cosine", "popularity", "novelty")
                     for part, n in (("all", 120), ("warm", 100), ("cold", 20))]  # fmt: skip
    ties = [c for c in found.comparisons if c.measure == "likelihood"]
    assert [(c.against, c.part) for c in ties] == [(name, "all") for name in ("cosine", "popularity", "novelty")]
    assert all(c.low > 0.0 for c in ties)
    assert found.validation.keys() == {"shgat", "cosine"}
    assert {part: metrics["n"] for part, metrics in found.validation["shgat"].items()} == {"all": 120, "warm": 100, "cold": 20}


def test_without_cold_intents_novelty_has_nothing_to_say():
    assert [(c.against, c.part) for c in judged(cold=0, helpful=True).comparisons if c.measure == "criterion"] == [
        (name, part) for name in ("cosine", "popularity") for part in ("all", "warm")
    ]


def test_being_new_is_not_enough():
    found = judged(cold=60, helpful=False)
    over_all = {c.against: c.low > 0.0 for c in found.comparisons if c.part == "all"}
    assert over_all == {"cosine": True, "popularity": True, "novelty": False}
    assert decide([c for c in found.comparisons if c.part == "all"], ()).reason.startswith("not better than novelty")
    assert not found.verdict.passed
