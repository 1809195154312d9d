"""What was run for similar intents: votes against plain NumPy, and which traces are remembered."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import Traces
from shgat.graph import Incidence
from shgat.model import memory
from shgat.model.memory import Memory
from shgat.model.success import SuccessRates
from shgat.model.words import asked, terms
from training import planted


@pytest.mark.parametrize("n", [1, 5, 50])
def test_memory_votes(n):
    rng = np.random.default_rng(0)
    remembered, rows = planted.memory(rng, n)
    x = rng.standard_normal((7, 8)).astype(np.float32) * 3.0
    expected = np.zeros((7, 9))
    for i, v in enumerate(planted.unit(x.astype(float))):
        cosine = remembered.vectors.astype(float) @ v
        near = np.argsort(-cosine)[:20]
        weight = np.exp(20.0 * (cosine[near] - 1.0))
        fade = 1.0 / (1.0 + np.exp(-10.0 * (cosine[near].max() - 0.5)))
        for at, w in zip(near, weight / (weight.sum() + 1e-9), strict=True):
            expected[i, rows[at]] += fade * w
    np.testing.assert_allclose(remembered.votes(x, 9), np.log(expected + 1e-3), rtol=1e-3, atol=1e-3)


def test_an_empty_memory_says_nothing():
    remembered = Memory((), np.zeros((0, 8), np.float32), [], Incidence.from_rows([]))
    np.testing.assert_allclose(remembered.votes(np.ones((2, 8), np.float32), 3), np.log(1e-3), rtol=1e-5)
    np.testing.assert_allclose(remembered.word_votes([["a"], ["b"]], 3), np.log(1e-3), rtol=1e-5)


def test_a_text_that_shares_no_word_has_no_votes():
    remembered = Memory(("a", "b"), np.eye(2, 8, dtype=np.float32), ["send it", "open it"], Incidence.from_rows([[0], [1]]))
    np.testing.assert_allclose(remembered.word_votes([asked("\u8bf7\u5220\u9664"), []], 3), np.log(1e-3), rtol=1e-5)
    assert remembered.word_votes([["send"]], 3).argmax() == 0
    np.testing.assert_allclose(remembered.word_votes([["send"]], 3)[0, 1:], np.log(1e-3), rtol=1e-5)


def test_word_votes():
    rng = np.random.default_rng(1)
    remembered, rows = planted.memory(rng, 15)
    documents = [terms(t) for t in remembered.texts]
    expected = np.zeros((2, 9))
    for i, text in enumerate(("send anna a mail", "open file")):
        s = planted.bm25(documents, asked(text))
        weight = np.exp(10.0 * (s / (s.max() + 1e-6) - 1.0))
        for at, w in enumerate(weight / weight.sum()):
            expected[i, rows[at]] += w
    np.testing.assert_allclose(
        remembered.word_votes([asked("send anna a mail"), asked("open file")], 9), np.log(expected + 1e-3), rtol=1e-3, atol=1e-3
    )


def some_traces(n, *, seed=0, first=0):
    """n traces, one after another in time."""
    of, records, _ = planted.rotated(np.random.default_rng(seed), n_tools=9, n_traces=n, d=8)
    for i, record in enumerate(records):
        record.update(id=f"x{first + i}", timestamp=float(first + i))
    return Traces.from_records(records, of)


def test_what_ran_a_tool_is_remembered():
    of, records, _ = planted.rotated(np.random.default_rng(0), n_tools=9, n_traces=5, d=8)
    for record, outcome in zip(records, (1.0, 0.0, 0.5, 0.49, 1.0), strict=True):
        record["outcome"] = outcome
    records[4]["tools"] = []
    traces = Traces.from_records(records, of)
    found = Memory.of(traces, np.arange(5))
    assert found.ids == ("x0", "x1", "x2", "x3")  # x4 ran no tool
    assert found.failed.tolist() == [1, 3]
    assert found.texts == [f"intent {i}" for i in range(4)]
    assert [found.tools.row(i).tolist() for i in range(4)] == [traces.tools.row(i).tolist() for i in range(4)]
    assert Memory.of(traces, np.arange(1, 3)).ids == ("x1", "x2")


def test_what_failed_has_no_vote_and_a_trace_none_for_itself():
    tools, outcome = Incidence.from_rows([[0], [1], [2]]), np.array([1.0, 0.0, 1.0], np.float32)
    remembered = Memory(("a", "b", "c"), np.eye(3, 8, dtype=np.float32), ["send it", "open it", "read it"], tools, outcome)
    x = np.eye(3, 8, dtype=np.float32)
    assert remembered.votes(x, 3).argmax(axis=1).tolist() == [0, 0, 2]  # row 1 finds the others, equally far
    assert remembered.votes(x, 3)[1, 1] == np.log(np.float32(1e-3))
    assert remembered.votes(x[:1], 3, [0])[0, 0] == np.log(np.float32(1e-3))
    assert remembered.word_votes(["open"], 3)[0].tolist() == [np.log(np.float32(1e-3))] * 3
    assert remembered.word_votes(["send"], 3, [0])[0, 0] == np.log(np.float32(1e-3))
    assert remembered.nearest(x).tolist() == [1.0, 0.0, 1.0]
    assert remembered.nearest(x, [0, -1, 2]).tolist() == [0.0, 0.0, 0.0]


def test_vectors_are_unit_intents_as_a_file_keeps_them():
    traces = some_traces(20)
    traces.intents[:] *= 7.0
    vectors = Memory.of(traces, np.arange(20)).vectors
    np.testing.assert_allclose(vectors, planted.unit(traces.intents), atol=1e-3)
    np.testing.assert_array_equal(vectors, vectors.astype(np.float16))


@pytest.mark.parametrize("timed", [True, False])
def test_beyond_the_limit_the_latest_are_remembered(monkeypatch, timed):
    """Of traces that ran the same tools; see `test_condensing`."""
    monkeypatch.setattr(memory, "capacity", lambda *of: 5)
    traces = some_traces(12)
    order = np.random.default_rng(1).permutation(12)
    traces.timestamp[:] = order if timed else np.nan
    traces = replace(traces, tools=Incidence.from_rows([[1]] * 12))
    kept = Memory.of(traces, np.arange(12)).ids
    assert kept == tuple(f"x{i}" for i in range(12) if (order[i] >= 7 if timed else i >= 7))  # in the order of their rows


def test_it_grows_by_what_is_new_and_forgets_the_oldest(monkeypatch):
    a = Memory.of(some_traces(6), np.arange(6))
    b = Memory.of(some_traces(6, seed=1, first=4), np.arange(6))
    grown = a.extended(b)
    assert grown.ids == tuple(f"x{i}" for i in range(10))
    np.testing.assert_array_equal(grown.vectors, np.concatenate([a.vectors, b.vectors[2:]]))  # what was known stays as it was
    assert [grown.tools.row(i).tolist() for i in range(10)] == [
        *(a.tools.row(i).tolist() for i in range(6)), *(b.tools.row(i).tolist() for i in range(2, 6))
    ]  # fmt: skip
    assert len(grown.texts) == 10
    alike = [replace(m, tools=Incidence.from_rows([[1]] * 6)) for m in (a, b)]
    for room in (5, 3):
        monkeypatch.setattr(memory, "capacity", lambda *of, room=room: room)
        assert alike[0].extended(alike[1]).ids == tuple(f"x{i}" for i in range(10 - room, 10))


def test_nothing_extended_is_the_other_and_by_nothing_the_same():
    a, nothing = Memory.of(some_traces(4), np.arange(4)), Memory.empty(8)
    for same in (a.extended(nothing), nothing.extended(a), a.extended(a)):
        assert (same.ids, same.texts) == (a.ids, a.texts)
        np.testing.assert_array_equal(same.vectors, a.vectors)
        np.testing.assert_array_equal(same.tools.indices, a.tools.indices)


def test_a_sample_is_spread_over_the_intents_that_have_a_vector():
    vectors = np.zeros((100, 8), np.float32)
    vectors[::2, 0] = np.arange(1, 51)
    remembered = Memory(tuple(map(str, range(100))), vectors, [""] * 100, Incidence.from_rows([[0]] * 100))
    assert remembered.sample(256)[:, 0].tolist() == list(range(1, 51))
    assert remembered.sample(10)[:, 0].tolist() == list(range(1, 51, 5))
    assert remembered.sample(1).shape == (1, 8)
    assert Memory.empty(8).sample(3).shape == (0, 8)


def test_proven_is_what_worked():
    outcome = np.array([1.0, 0.0, 0.5], np.float32)
    remembered = Memory(("a", "b", "c"), np.eye(3, 8, dtype=np.float32), [""] * 3, Incidence.from_rows([[4], [1], [2]]), outcome)
    assert remembered.proven.tolist() == [4, 2]


def test_a_large_memory_votes_by_the_nearest_cells_as_by_all_of_it(monkeypatch):
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((300, 24))
    topic = rng.integers(0, 300, 6000)
    vectors = (centres[topic] + 0.5 * rng.standard_normal((6000, 24))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    tools, outcome = Incidence.from_rows((topic % 50)[:, None].tolist()), (rng.random(6000) < 0.9).astype(np.float32)
    ids, texts = tuple(map(str, range(6000))), [""] * 6000
    intents = (centres[rng.integers(0, 300, 40)] + 0.5 * rng.standard_normal((40, 24))).astype(np.float32)
    plain, celled = (Memory(ids, vectors, texts, tools, outcome) for _ in range(2))
    expected = [(plain.votes(x[None], 50), plain.nearest(x[None]), plain.closest(x[None], 3)) for x in intents]
    rates = [SuccessRates.of(plain, 50).rates(x[None], vectors.mean(axis=0)) for x in intents]
    monkeypatch.setattr(memory, "CELLED", 1000)
    assert celled.celled
    agreed = 0
    for x, (votes, near, closest), rate in zip(intents, expected, rates, strict=True):
        agreed += int(celled.votes(x[None], 50).argmax() == votes.argmax())
        np.testing.assert_allclose(celled.nearest(x[None]), near, atol=1e-5)
        np.testing.assert_allclose(celled.closest(x[None], 3), closest, atol=0.02)
        np.testing.assert_allclose(SuccessRates.of(celled, 50).rates(x[None], vectors.mean(axis=0)), rate, rtol=1e-4)
    assert agreed >= 39
    np.testing.assert_allclose(celled.votes(intents, 50), plain.votes(intents, 50), rtol=1e-6)  # many at once: by all of it
    own = plain.votes(vectors[7:8], 50, [7])
    assert celled.votes(vectors[7:8], 50, [7]).argmax() == own.argmax()
