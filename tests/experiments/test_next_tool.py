"""Plain methods for the next tool: by hand on a few steps, and in worlds whose order is known."""

import numpy as np
import pytest

from shgat import InputError, Trace
from shgat.experiments.next_tool import ByValues, CoOccurrence, Markov, NotAgain, Popularity, repeats
from shgat.traces import Sessions
from traces.examples import CATALOG, D

N = 5  # tools of the catalogue


def sessions(*tools, outcomes=None, context=()):
    """A session a list of tool numbers, a trace a step; outcomes by session, 1 where nothing is said."""
    return Sessions.of(
        [
            Trace(
                id=f"{s}.{i}", session=f"s{s}", step=i, tools=[f"t{t}"], embedding=[1.0] * D,
                outcome=1.0 if outcomes is None else outcomes[s], context_tools=context,
            )
            for s, run in enumerate(tools)
            for i, t in enumerate(run)
        ],
        CATALOG,
    )  # fmt: skip


def every(of):
    return np.arange(of.n_steps)


def test_popularity_by_hand():
    train = sessions([0, 1], [0], [3], outcomes=[1, 1, 0])
    np.testing.assert_allclose(Popularity.fit(train, N).share, np.array([2.2, 1.2, 0.2, 0.2, 0.2]) / 4)
    assert Popularity.fit(train, N).scores(train, every(train)).shape == (4, N)


def test_a_chain_by_hand():
    train = sessions([0, 1, 2], [0, 1, 3], [0, 2])
    share = Popularity.fit(train, N).share
    first = Markov.fit(train, N, 1)
    asked = sessions([0, 1, 2, 4, 0])
    found = first.scores(asked, every(asked))
    begin = (np.array([3, 0, 0, 0, 0]) + share) / 4
    after_0 = (np.array([0, 2, 1, 0, 0]) + 2 * share) / 5
    after_1 = (np.array([0, 0, 1, 1, 0]) + 2 * share) / 4
    np.testing.assert_allclose(found, [begin, after_0, after_1, share, share], rtol=1e-6)
    second = Markov.fit(train, N, 2).scores(asked, every(asked))
    np.testing.assert_allclose(second[2], (np.array([0, 0, 1, 1, 0]) + 2 * after_1) / 4, rtol=1e-6)
    np.testing.assert_allclose(second[3], share, rtol=1e-6)  # 2 after 1 was never followed, nor 2 by anything
    np.testing.assert_allclose(second[0], (np.array([3, 0, 0, 0, 0]) + begin) / 4, rtol=1e-6)


def test_what_occurs_together_by_hand():
    train = sessions([0, 1], [1, 0, 2], [3], outcomes=[1, 1, 1])
    share = Popularity.fit(train, N).share
    asked = sessions([0, 2, 4])
    found = CoOccurrence.fit(train, N).scores(asked, every(asked))
    with_0, with_2 = (np.array([0, 2, 1, 0, 0]) + share) / 3, (np.array([1, 1, 0, 0, 0]) + share) / 2
    np.testing.assert_allclose(found, [share, with_0, (with_0 + with_2) / 2], rtol=1e-6)


def test_probabilities_sum_to_one():
    rng = np.random.default_rng(0)
    train = sessions(*(rng.integers(0, N, 4).tolist() for _ in range(20)))
    for method in (Popularity.fit(train, N), Markov.fit(train, N, 1), Markov.fit(train, N, 2)):
        np.testing.assert_allclose(method.scores(train, every(train)).sum(axis=1), 1.0, rtol=1e-5)


def test_a_world_of_the_second_order_is_known_by_the_second_order_alone():
    rng = np.random.default_rng(0)
    after = rng.permutation(N * N).reshape(N, N) % N

    def walk():
        run = rng.integers(0, N, 2).tolist()
        while len(run) < 8:
            run.append(int(after[run[-2], run[-1]]) if rng.random() < 0.9 else int(rng.integers(N)))
        return run

    train, test = (sessions(*(walk() for _ in range(n))) for n in (300, 60))
    rows = np.flatnonzero(test.until - test.begin >= 2)
    hits = {}
    for name, method in {"2": Markov.fit(train, N, 2), "1": Markov.fit(train, N), "0": Popularity.fit(train, N)}.items():
        hits[name] = (method.scores(test, rows).argmax(axis=1) == test.chosen[rows]).mean()
    assert hits["2"] > 0.85
    assert hits["2"] > hits["1"] + 0.2
    assert hits["1"] >= hits["0"]


def test_tools_that_were_used_before_are_context_from_the_first_step_on():
    train = sessions([1, 2], context=("t0",))
    found = Markov.fit(train, N, 1).scores(train, every(train))
    assert found.argmax(axis=1).tolist() == [1, 2]
    assert repeats(train) == (0, 2)
    assert repeats(sessions([0, 1, 0])) == (1, 2)


def test_what_was_used_may_stand_last():
    train = sessions([0, 1, 0, 1])
    found = NotAgain(Markov.fit(train, N, 1)).scores(train, every(train))
    assert np.isneginf(found).sum(axis=1).tolist() == [0, 1, 2, 2]
    assert np.isneginf(found[2, [0, 1]]).all()


def test_any_object_with_values_is_an_order():
    class Next:
        def values(self, step):
            return np.eye(N)[len(step.context) % N]

    train = sessions([0, 1, 2])
    assert ByValues(Next()).scores(train, np.array([2, 0])).argmax(axis=1).tolist() == [2, 0]


def test_another_order_is_refused():
    with pytest.raises(InputError, match="of order 1 or 2, not 3"):
        Markov.fit(sessions([0]), N, 3)
