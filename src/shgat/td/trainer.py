"""Learning the value network from whole sessions: lambda-returns as targets, Adam, the best epoch by held-out sessions.

Targets are computed for all sessions at once with a copy of the network, which stands for `refresh` epochs (a target network; Daley and
Amato, 2019, cache lambda-returns in the same way), or, with refresh 0, for the sessions of each step with the network itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .._types import Float32, Float64, Int64
from ..errors import InputError
from ..model.session_state import N_FACTS
from ..model.value_network import HIDDEN, ValueLayout, ValueNetwork
from ..training.optim import Adam, Group
from ..training.schedule import learning_rate
from .config import TDConfig
from .episodes import Episodes
from .policy import judged, ratios
from .returns import targets

_CHUNK = 4096  # steps whose states are in memory at once
_CHUNK_OFFERED = 262_144  # the same with what they were offered


@dataclass(frozen=True, slots=True)
class ValueEpoch:
    """One pass.

    Attributes
    ----------
    number : from 1
    loss : mean of (q - G)^2 / 2 over steps
    held_out : root mean square of q minus what held-out sessions then brought; NaN where nothing is held out
    """

    number: int
    loss: float
    held_out: float


@dataclass(frozen=True, eq=False)
class ValueFit:
    """What came of a training.

    Attributes
    ----------
    network : of the best epoch
    epochs : all passes
    best : number of the epoch that was kept: of "sarsa" the best on held-out sessions, of "expected" the last
    spread : root mean square of the held-out returns about their mean, what values that know nothing miss by; NaN where nothing is held out
    """

    network: ValueNetwork
    epochs: tuple[ValueEpoch, ...]
    best: int
    spread: float


def fit_values(
    episodes: Episodes,
    embeddings: Float32,
    config: TDConfig,
    rng: np.random.Generator,
    *,
    start: ValueNetwork | None = None,
    on_epoch: Callable[[ValueEpoch], None] | None = None,
) -> ValueFit:
    """Trains a network.

    Parameters
    ----------
    episodes : sessions
    embeddings : (n_tools, d) of the tools that they name
    start : a network to go on from, which stays as it is

    Raises
    ------
    InputError
        without a step to learn from, where a tool has no embedding, and where a correction has no propensities.
    """
    if episodes.n_steps and int(episodes.actions.max()) >= len(embeddings):
        raise InputError(f"a session names tool {int(episodes.actions.max())}, there are {len(embeddings)} embeddings")
    order = rng.permutation(len(episodes))
    n_held = int(config.held_out * len(episodes))
    held, learned = episodes.take(np.sort(order[:n_held])), episodes.take(np.sort(order[n_held:]))
    if not learned.ends.known.any():
        raise InputError("there is no step to learn values from: sessions that were cut off need at least two steps")
    d = embeddings.shape[1]
    network = ValueNetwork.initial(ValueLayout(3 * d + N_FACTS, d, HIDDEN), rng) if start is None else start.copy()
    trainer = _Trainer(network, learned, embeddings, config, rng)
    truth = returns(held, config.gamma)
    kept, best = network.copy(), 0
    epochs: list[ValueEpoch] = []
    for loss in trainer.epochs():
        miss = _rms(values(network, held, embeddings) - truth, held)
        epochs.append(ValueEpoch(len(epochs) + 1, loss, miss))
        if on_epoch is not None:
            on_epoch(epochs[-1])
        # What those who were logged got says nothing of what the policy of "expected" would get: its last epoch is kept.
        if config.rule == "expected" or not best or not miss >= epochs[best - 1].held_out:  # NaN: the last one
            kept, best = network.copy(), len(epochs)
        elif config.rule == "sarsa" and len(epochs) - best >= config.patience:
            break
    known = truth[~np.isnan(truth)]
    return ValueFit(kept, tuple(epochs), best, float(known.std()) if known.size else float("nan"))


def values(network: ValueNetwork, episodes: Episodes, embeddings: Float32) -> Float64:
    """(n_steps,) q of what was done."""
    found = [network.forward(part.states(embeddings), embeddings[part.actions]).q for part in _parts(episodes, _CHUNK)]
    return np.concatenate([np.zeros(0), *found])


def value_targets(network: ValueNetwork, episodes: Episodes, embeddings: Float32, config: TDConfig) -> tuple[Float64, Float64]:
    """(q, G), (n_steps,) each: values of what was done, and what they would be drawn to. G - q are the TD errors."""
    if config.rule == "sarsa":
        q = values(network, episodes, embeddings)
        return q, targets(config, episodes.rewards, q, q, np.ones_like(q), episodes.ends)
    every = len(embeddings) if episodes.offered is None else int(episodes.offered.degrees.max(initial=1))
    found, parts = [], network.parts(embeddings)
    for part in _parts(episodes, max(1, _CHUNK_OFFERED // every)):
        said = judged(network, part, part.states(embeddings), parts, config.epsilon)
        rho = np.ones_like(said.done) if config.correction == "none" else ratios(part, said.probability)
        found.append((said.done, targets(config, part.rewards, said.done, said.expected, rho, part.ends)))
    return np.concatenate([np.zeros(0), *(q for q, _ in found)]), np.concatenate([np.zeros(0), *(g for _, g in found)])


def returns(episodes: Episodes, gamma: float) -> Float64:
    """(n_steps,) discounted rewards from each step to the end; NaN in sessions that were cut off."""
    nothing = np.zeros(episodes.n_steps)
    found = targets(TDConfig(gamma=gamma, lam=1.0), episodes.rewards, nothing, nothing, nothing, episodes.ends)
    return np.asarray(np.where(episodes.terminal[episodes.session], found, np.nan))


def _rms(errors: Float64, episodes: Episodes) -> float:
    known = errors[~np.isnan(errors)]
    return float(np.sqrt((known**2).mean())) if known.size else float("nan")


def _parts(episodes: Episodes, steps: int) -> Iterator[Episodes]:
    """Runs of sessions of about so many steps."""
    for rows in _groups(episodes, np.arange(len(episodes)), steps):
        yield episodes.take(rows)


def _groups(episodes: Episodes, order: Int64, steps: int) -> Iterator[Int64]:
    """Runs of an order of sessions: each ends with the session that reaches the next multiple of `steps`."""
    through = np.cumsum(np.diff(episodes.indptr)[order])
    number = np.maximum(0, through - 1) // steps
    cuts = np.flatnonzero(np.diff(number)) + 1
    yield from (rows for rows in np.split(order, cuts) if rows.size)


class _Trainer:
    """The passes of one training, over a network that changes in place."""

    def __init__(
        self, network: ValueNetwork, episodes: Episodes, embeddings: Float32, config: TDConfig, rng: np.random.Generator
    ) -> None:
        self.network, self.episodes, self.embeddings, self.config, self.rng = network, episodes, embeddings, config, rng
        matrices = Group(("w_state", "w_action", "w2", "w3", "w4"), decay=config.weight_decay)
        self._adam = Adam(network, (matrices, Group(("b1", "b2", "b3", "b4"))))
        self._gradient = ValueNetwork(network.layout)

    def epochs(self) -> Iterator[float]:
        """Mean loss of each pass."""
        config, goal = self.config, np.zeros(0)
        total = config.epochs * max(1, self.episodes.n_steps // config.batch_size)
        for epoch in range(config.epochs):
            if config.refresh and epoch % config.refresh == 0:
                goal = value_targets(self.network, self.episodes, self.embeddings, config)[1]
            losses = steps = 0.0
            for rows in _groups(self.episodes, self.rng.permutation(len(self.episodes)), config.batch_size):
                batch = self.episodes.take(rows)
                if not batch.ends.known.any():
                    continue
                if config.refresh:
                    wanted = goal[self.episodes.steps_of(rows)]
                else:
                    wanted = value_targets(self.network, batch, self.embeddings, config)[1]
                lr = learning_rate(self._adam.step_count, total, config.lr, config.warmup)
                loss, n = self._step(batch, wanted, lr)
                losses, steps = losses + loss, steps + n
            yield losses / max(steps, 1.0)

    def _step(self, batch: Episodes, wanted: Float64, lr: float) -> tuple[float, int]:
        """(sum of the losses, steps that count)"""
        states, actions = batch.states(self.embeddings), self.embeddings[batch.actions]
        found = self.network.forward(states, actions)
        n = int(batch.ends.known.sum())
        error = np.where(batch.ends.known, found.q - wanted, 0.0)
        self.network.backward((error / n).astype(np.float32), states, actions, found, self._gradient)
        self._adam.step(self.network, self._gradient, lr, self.config.clip)
        return float(error @ error / 2.0), n
