"""Eight threads rank while another changes the model; every answer is that of a single-threaded replay at the same version."""

import threading

import numpy as np
import pytest

from shgat import SHGATConfig
from worlds import pairs, trained, unit


def changes(rng):
    """(what to do to a model) in order."""
    steps = []
    for i in range(30):
        e, m = unit(rng, 16), unit(rng, 16)
        steps.append(lambda model, i=i, e=e: model.add_tool({"id": f"new{i}", "embedding": e}))
        capability = {"id": f"cap{i}", "embedding": m, "tools": [f"new{i}", "t3"], "capabilities": ["c0"]}
        steps.append(lambda model, capability=capability: model.add_capability(capability))
        steps.append(lambda model: model.invalidate())
        if i % 3 == 1:
            steps.append(lambda model, i=i: model.remove(f"new{i - 1}"))
            steps.append(lambda model, i=i: model.remove(f"cap{i - 1}"))
        if i % 7 == 3:
            steps.append(lambda model, i=i: model.set_cooccurrence(pairs() if i % 2 else []))
    return steps


def ask(model, x):
    ranking = model.rank(x, 6, explain=True)
    return ranking.model_version, ranking.ids, ranking.scores.tobytes(), ranking.explanations


@pytest.mark.parametrize("config", [SHGATConfig(), SHGATConfig(node_offsets=True, similarity="dot")], ids=["default", "offsets"])
def test_answers_are_those_of_a_replay(config):
    rng = np.random.default_rng(0)
    intents, steps = [unit(rng, 16) for _ in range(8)], changes(rng)
    model, done, answers, errors = trained(config=config), threading.Event(), [[] for _ in intents], []

    def reader(n):
        try:
            while not done.is_set():
                answers[n].append(ask(model, intents[n]))
            answers[n].append(ask(model, intents[n]))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=reader, args=(n,)) for n in range(len(intents))]
    for thread in threads:
        thread.start()
    for step in steps:
        step(model)
    done.set()
    for thread in threads:
        thread.join()
    assert not errors
    replay = trained(config=config)
    expected = {replay.version: [ask(replay, x) for x in intents]}
    for step in steps:
        step(replay)
        expected[replay.version] = [ask(replay, x) for x in intents]
    seen = set()
    for n, given in enumerate(answers):
        versions = [a[0] for a in given]
        assert versions == sorted(versions)
        seen.update(versions)
        for answer in given:
            assert answer == expected[answer[0]][n]
    assert replay.version in seen
