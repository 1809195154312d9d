"""The planted world as a catalogue and traces of sessions."""

from dataclasses import replace

import numpy as np

from shgat import Catalog, Trace
from shgat.experiments.planted import Plant
from shgat.traces import Reward, Sessions

MOST = 1.6  # beyond it a step worked wholly
REWARD = Reward(step=0.0, second=0.0, rating=0.0)


START = "start"  # a tool that every session has used before its first step, and that is never offered


def world_of(seed, foresight):
    """A world whose rewards are outcomes: in [0, 1]."""
    world = Plant.grown(np.random.default_rng(seed), foresight=foresight)
    return replace(world, rewards=np.clip(world.rewards / MOST, 0.0, 1.0))


def catalog(world):
    start = {"id": START, "embedding": -world.tools.mean(axis=0)}
    return Catalog.from_records([*({"id": f"t{i}", "embedding": e} for i, e in enumerate(world.tools)), start], [])


def sessions(world, n, seed, propensities=True):
    """n of its sessions, read as traces: what a step brings is its outcome, noise left out."""
    found = world.sessions(n, np.random.default_rng(seed), truncated=0.1)
    ids, traces = [f"t{i}" for i in range(world.n_tools)], []
    for s in range(n):
        rows = range(int(found.indptr[s]), int(found.indptr[s + 1]))
        for step, t in enumerate(rows):
            k, a = int(found.intent[t]), int(found.actions[t])
            before = int(found.actions[t - 1]) if step else world.n_tools
            end = ("terminal" if found.terminal[s] else "truncated") if t == rows[-1] else ""
            used = () if step else (START,)
            said = {"offered": ids, "propensity": float(found.propensity[t])} if propensities else {}
            outcome = float(world.rewards[k, before, a])
            traces.append(
                Trace(id=f"{seed}-{s}-{step}", embedding=world.intents[k], intent=f"intent {seed} {s}", tools=[ids[a]], outcome=outcome,
                      session=f"s{s}", step=step, end=end, context_tools=used, **said)
            )  # fmt: skip
    return Sessions.of(traces, catalog(world))
