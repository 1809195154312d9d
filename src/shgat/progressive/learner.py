"""SHGAT of histories: one set of parameters for all repositories, trained in a child process, one snapshot after another.

What it learned of one repository goes on to the next (`SHGAT.over`): attention, projections and the weights of channels. What it remembers
is the repository's own, and is taken from the commits so far each time it is asked.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .._types import Float32
from ..model.channels import Fusion, Learned
from ..model.memory import Memory
from ..shgat import SHGAT
from ..traces.files import write_traces
from ..worker.parent import Child
from ..worker.result import Result
from .snapshot import Snapshot

FEWEST = 50  # traces from which a snapshot is worth a training
_EPOCHS, _RATE = 2, 3e-4  # of going on
_LATEST = 2000  # traces that it goes on from, so that no repository counts more than the others


@dataclass
class Learner:
    """Learns from snapshots.

    Attributes
    ----------
    child : trains
    model : that is trained so far; None before
    seed : of each training
    trained : snapshots that it learned from
    """

    child: Child
    model: SHGAT | None = None
    seed: int = 0
    trained: int = 0

    def learn(self, snapshot: Snapshot, *, from_scratch: bool | None = None) -> Result | None:
        """Trains on a snapshot: the first from scratch, each other one by a few steps from where the model is. None: there is too little of it.

        The child keeps what it learned only where held-out commits are ranked no worse, so the model may stay as it is.
        """
        traces = snapshot.records
        if len(traces) < FEWEST:
            return None
        anew = self.model is None if from_scratch is None else from_scratch
        start = (
            SHGAT.from_catalog(snapshot.catalog, seed=self.seed)
            if self.model is None or anew
            else self.model.over(snapshot.catalog)
        )
        with tempfile.TemporaryDirectory(prefix="shgat-history-") as name:
            folder = Path(name)
            start.save(folder / "model")
            write_traces(folder / "traces.jsonl", traces if anew else traces[-_LATEST:], snapshot.catalog.dimension)
            config: dict[str, object] = {"fromScratch": anew, "seed": self.seed}
            if not anew:
                config |= {"epochs": _EPOCHS, "learningRate": _RATE}
            result = self.child.train(
                {
                    "modelPath": str(folder / "model"),
                    "examplesPath": str(folder / "traces.jsonl"),
                    "paramsPath": str(folder / "trained"),
                    "config": config,
                }
            )
            self.model = SHGAT.load(folder / "trained")
        self.trained += 1
        return result


def over(model: SHGAT | None, snapshot: Snapshot) -> SHGAT:
    """The model over a snapshot, with the commits so far as its memory; None: an untrained one."""
    moved = SHGAT.from_catalog(snapshot.catalog) if model is None else model.over(snapshot.catalog)
    traces, state = snapshot.traces, moved.state
    seen = set(np.unique(traces.tools.indices).tolist())
    fusion = Fusion.cold_start() if state.learned is None else state.learned.fusion
    unseen = frozenset(name for column, name in enumerate(snapshot.ids) if column not in seen)
    learned = Learned(fusion, Memory.of(traces, np.arange(len(traces))), tuple(snapshot.ids), unseen)
    return SHGAT(replace(state, learned=learned))


def scores(model: SHGAT, x: Float32, texts: list[str]) -> Float32:
    """(B, n_files) log probabilities of the files of the model's catalogue for intents (B, d) with their words."""
    z = model.score(x, texts=texts).astype(np.float64)
    z -= z.max(axis=1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=1, keepdims=True)), np.float32)
