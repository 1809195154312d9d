"""From sessions of traces to episodes."""

import numpy as np

from shgat import Catalog, Trace
from shgat.td.logged import episodes_of, judging
from shgat.traces import Reward, Sessions, load_sessions
from td.traces import REWARD, catalog, sessions, world_of
from worlds import SAMPLE

EYE = np.eye(8, dtype=np.float32)
CATALOG = Catalog.from_records([{"id": f"t{i}", "embedding": EYE[i]} for i in range(6)], [])


def trace(number, tools, **said):
    return Trace(id=f"x{number}", embedding=EYE[7], tools=tools, session="s", step=number, **said)


def test_a_planted_log_is_what_it_was_written_from():
    world = world_of(0, True)
    found = sessions(world, 50, 3)
    episodes = episodes_of(found, REWARD, world.n_tools + 1)
    drawn = world.sessions(50, np.random.default_rng(3), truncated=0.1)
    np.testing.assert_array_equal(episodes.actions, drawn.actions)
    np.testing.assert_array_equal(episodes.terminal, drawn.terminal)
    np.testing.assert_allclose(episodes.propensity, drawn.propensity)
    assert (episodes.offered.degrees == world.n_tools).all()
    later = np.diff(np.append(-1, episodes.session)) == 0
    ours, theirs = episodes.states(catalog(world).tool_embeddings), drawn.states(world.tools)
    np.testing.assert_allclose(ours[:, :16], theirs[:, :16])
    np.testing.assert_allclose(ours[later, 16:32], theirs[later, 16:32])
    np.testing.assert_allclose(ours[~later, 16:32], np.tile(catalog(world).tool_embeddings[-1], (50, 1)))
    assert judging(found).all()


def test_what_was_used_before_the_first_step_is_part_of_its_state():
    found = Sessions.of(
        [trace(0, ["t2", "t3"], context_tools=["t0", "t1"], outcome=0.2, duration_ms=5000.0), trace(1, ["t4"])], CATALOG
    )
    episodes = episodes_of(found, Reward(), 6)
    states = episodes.states(EYE[:6])
    np.testing.assert_array_equal(states[:, 8:16], EYE[[1, 2, 3]])
    np.testing.assert_allclose(states[0, 16:24], EYE[[0, 1]].mean(axis=0))
    np.testing.assert_allclose(states[2, 16:24], EYE[[0, 1, 2, 3]].mean(axis=0))
    assert states[2, 24 + 2] == np.float32(0.2)  # how the last one went
    assert states[2, 24 + 4] == np.float32(np.log1p(5 / 60))
    assert states[1, 24 + 1] == 1.0  # what is not known worked
    part = episodes_of(found.take([0]), Reward(), 6)
    np.testing.assert_array_equal(part.states(EYE[:6]), states)


def test_parts_of_many_sessions_are_parts():
    catalog = Catalog.load(SAMPLE)
    found = load_sessions(SAMPLE / "train.jsonl", catalog, from_order=True)
    n, embeddings = len(catalog.tools), catalog.tool_embeddings
    whole, chosen = episodes_of(found, Reward(), n), np.array([7, 3, 399, 12])
    rows = whole.steps_of(chosen)
    expected = whole.states(embeddings)[rows]
    for part in (whole.take(chosen), episodes_of(found.take(chosen), Reward(), n)):
        np.testing.assert_allclose(part.states(embeddings), expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(part.rewards, whole.rewards[rows])
    assert whole.offered is None
    assert whole.propensity is None
    assert not judging(found).any()


def test_what_was_offered_to_some_and_what_ran_all_the_same():
    found = Sessions.of([trace(0, ["t2"], offered=["t1"], propensity=0.5), trace(1, ["t4"])], CATALOG)
    episodes = episodes_of(found, Reward(), 6)
    assert episodes.offered.row(0).tolist() == [1, 2]
    assert episodes.offered.row(1).tolist() == list(range(6))
    assert episodes.propensity is None
    assert not judging(found).any()
