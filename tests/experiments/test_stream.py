"""The simulated stream: whom it asks and when, what it reports, what changes half way, and what is measured."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from shgat.experiments.dataset import Dataset
from shgat.experiments.stream import EXPLORED, LABELLED, SHOWN, SURE, Conditions, Stream
from worlds import SAMPLE


@pytest.fixture(scope="module")
def sample():
    return Dataset.load(SAMPLE)


class Cosine:
    """A gateway that ranks by cosine for ever, and writes down what it is told."""

    def __init__(self, catalog):
        rows = catalog.tool_embeddings
        self.ids, self.rows = [t.id for t in catalog.tools], rows / np.linalg.norm(rows, axis=1, keepdims=True)
        self.shown, self.told, self.trained_at = [], [], []
        self.serves = "untrained"

    def ask(self, x, text, k):
        self.shown.append([self.ids[i] for i in np.argsort(-(self.rows @ x), kind="stable")[:k]])
        return f"d{len(self.shown)}", self.shown[-1]

    def tell(self, decision, tools, outcome):
        assert decision == f"d{len(self.shown)}"
        self.told.append((list(tools), outcome))

    def learn(self):
        self.trained_at.append(len(self.told))

    def scores(self, x, texts):
        return x @ self.rows.T

    def about(self):
        return {}


def played(data, until=50, **conditions):
    """The stream until a look, the looks and the gateways that it was played past."""
    stream, gateways, looks = Stream(data, Conditions(**conditions)), [], []

    @contextmanager
    def opened(catalog):
        gateways.append(Cosine(catalog))
        yield gateways[-1]

    for look in stream.play(opened):
        looks.append(look)
        if look.feedbacks >= until:
            break
    return stream, looks, gateways


def test_what_worked_is_what_was_wanted_among_the_shown(sample):
    stream, _, (gateway,) = played(sample)
    assert len(gateway.told) == 50
    assert {outcome for _, outcome in gateway.told} == {0.0, 1.0}
    tools = sample.train.relevant
    for row, shown, (ran, outcome) in zip(stream.order.tolist(), gateway.shown, gateway.told, strict=False):
        wanted = {sample.catalog.tools[t].id for t in tools.row(row).tolist()}
        right = [t for t in shown if t in wanted]
        assert len(shown) == SHOWN
        assert (ran, outcome) == ((right, 1.0) if right else (shown[:1], 0.0))


def test_wrong_picks_are_reported_as_successes_as_often_as_asked(sample):
    stream, _, (gateway,) = played(sample, until=100, wrong=0.4)
    tools, wrong = sample.train.relevant, 0
    for row, (ran, outcome) in zip(stream.order.tolist(), gateway.told, strict=False):
        wanted = {sample.catalog.tools[t].id for t in tools.row(row).tolist()}
        wrong += outcome == 1.0 and not wanted & set(ran)
    assert 25 <= wrong <= 55


def test_shuffled_feedback_tells_nothing_of_its_intent(sample):
    stream, _, (gateway,) = played(sample, until=100, shuffled=True)
    tools = sample.train.relevant
    right = [
        bool({sample.catalog.tools[t].id for t in tools.row(row).tolist()} & set(ran))
        for row, (ran, outcome) in zip(stream.order.tolist(), gateway.told, strict=False)
        if outcome
    ]
    assert 3 < len(right) < 50
    assert np.mean(right) < 0.5


def test_chance_leaves_the_first_places_alone(sample):
    _, _, (gateway,) = played(sample, explore=1.0)
    assert {len(shown) for shown in gateway.shown} == {EXPLORED}
    places = [shown.index(t) for shown, (ran, _) in zip(gateway.shown, gateway.told, strict=True) for t in ran]
    assert min(places) == 0
    assert any(p >= SHOWN for p in places)
    assert sum(p < SURE for p in places) > len(places) / 2


@pytest.mark.slow
def test_looks_and_trainings(sample):
    stream, looks, (gateway,) = played(sample, until=70, limit=70, every=40)
    assert [look.feedbacks for look in looks] == [0, 50, 70]
    assert gateway.trained_at == [40, 50, 70]
    assert set(looks[1].methods) == {"shgat", "cosine", "knn", "linear_adapter"}
    for look in looks:
        np.testing.assert_allclose(look.methods["shgat"]["mrr"], look.methods["cosine"]["mrr"])
    assert np.nanmean(looks[-1].methods["full_labels"]["recall@5"]) > np.nanmean(looks[-1].methods["cosine"]["recall@5"]) + 0.05
    assert [(v.version, v.gain, v.error) for v in stream.served] == [("untrained", 0.0, 0.0)]
    assert LABELLED == 200


def test_the_order_is_that_of_time_or_of_the_seed(sample):
    untimed = replace(sample, train=replace(sample.train, timestamp=np.full(400, np.nan)))
    one, two = (Stream(untimed, Conditions(limit=100), seed).order.tolist() for seed in (0, 1))
    assert one != two
    assert one == Stream(untimed, Conditions(limit=100), 0).order.tolist()
    timed = replace(sample, train=replace(sample.train, timestamp=-np.arange(400.0)))
    good = np.flatnonzero(sample.train.relevant.degrees > 0)
    assert Stream(timed, Conditions(limit=3), 0).order.tolist() == good[:-4:-1].tolist()


def test_after_a_drift_other_tools_are_wanted(sample):
    stream = Stream(sample, Conditions(drift=True), 0)
    before, after = stream.phases
    assert before.catalog is after.catalog is sample.catalog
    assert sorted(after.moved.tolist()) == list(range(83))
    assert (after.moved != np.arange(83)).sum() == round(0.3 * 83)
    wanted = after.wanted(sample.wanted)
    assert [set(wanted.row(i).tolist()) for i in range(100)] == [
        set(after.moved[sample.wanted.row(i)].tolist()) for i in range(100)
    ]


@pytest.mark.slow
def test_tools_arrive_and_leave(sample):
    stream, looks, gateways = played(sample, until=60, limit=60, churn=True)
    before, after = stream.phases
    late, gone = after.there & ~before.there, before.there & ~after.there
    assert late.sum() == gone.sum() == round(0.15 * 83)
    for phase, gateway in zip(stream.phases, gateways, strict=True):
        assert [t.id for t in phase.catalog.tools] == [
            t.id for t, there in zip(sample.catalog.tools, phase.there, strict=True) if there
        ]
        assert {t for ran, _ in gateway.told for t in ran} <= set(gateway.ids)
        assert not phase.wanted(sample.wanted).touching(~phase.there).any()
    past, ran = stream.past(after)
    assert len(past) == ran.n_rows
    assert not ran.touching(gone).any()
    assert np.isnan(looks[-1].methods["shgat"]["mrr"]).any()  # intents whose tools are all gone
