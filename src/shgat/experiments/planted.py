"""Planted sessions: a small world in which every value is known, with or without a reward for foresight.

A session has one intent out of `n_intents` and `horizon` steps. A tool brings at once what its embedding has in common with the intent,
u(k, a). With foresight every intent has a chain besides: a first tool that brings little at once, and a second one that brings a bonus if the
first was used just before. Those who were logged chose by a mixture of chance and of what a tool brings at once, so that their propensities
are known, and what comes of any policy can be summed up over all sessions that there can be.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np

from .._types import Float32, Float64
from ..model.session_state import SessionState
from ..model.value_network import ValueNetwork
from ..model.values import Values
from ..td.config import TDConfig
from ..td.episodes import Episodes
from ..td.trainer import fit_values, values

Choice = Callable[[int, tuple[int, ...]], Float64]  # intent and tools so far -> probability of each tool


@dataclass(frozen=True, eq=False)
class Plant:
    """The world.

    Attributes
    ----------
    intents, tools : (n_intents, d) and (n_tools, d) embeddings of length 1
    rewards : (n_intents, n_tools + 1, n_tools) mean reward of a tool after another one; the last row: at the begin
    behaviour : (n_intents, n_tools + 1, n_tools) how those who were logged chose
    horizon : steps of a session
    gamma : discount
    noise : standard deviation of rewards
    """

    intents: Float32
    tools: Float32
    rewards: Float64
    behaviour: Float64
    horizon: int = 3
    gamma: float = 0.99
    noise: float = 0.1

    @classmethod
    def grown(
        cls, rng: np.random.Generator, *, foresight: bool, n_intents: int = 6, n_tools: int = 10, d: int = 16, bonus: float = 1.5
    ) -> "Plant":
        """A world from random embeddings."""
        intents, tools = (_unit(rng.standard_normal((n, d))) for n in (n_intents, n_tools))
        alike: Float64 = np.clip(intents.astype(float) @ tools.T, 0.0, 1.0)
        rewards = np.repeat(alike[:, None, :], n_tools + 1, axis=1)
        if foresight:
            for k in range(n_intents):
                first, second = rng.choice(np.argsort(alike[k])[: n_tools // 2], 2, replace=False)
                rewards[k, first, second] += bonus
        eager = np.exp(4.0 * rewards)
        behaviour = 0.5 / n_tools + 0.5 * eager / eager.sum(axis=2, keepdims=True)
        return cls(intents, tools, rewards, behaviour)

    @property
    def n_tools(self) -> int:
        return len(self.tools)

    def sessions(self, n: int, rng: np.random.Generator, truncated: float = 0.1) -> Episodes:
        """n sessions as logged; a share is cut off one step before its end."""
        k = rng.integers(len(self.intents), size=n)
        actions = np.empty((n, self.horizon), np.int32)
        before = np.full((n, self.horizon), self.n_tools)
        cumulative = np.cumsum(self.behaviour, axis=2)
        for step in range(self.horizon):
            before[:, step] = actions[:, step - 1] if step else self.n_tools
            below = cumulative[k, before[:, step]] < rng.random((n, 1))
            actions[:, step] = np.minimum(below.sum(axis=1), self.n_tools - 1)
        rewards = self.rewards[k[:, None], before, actions] + self.noise * rng.standard_normal(actions.shape)
        terminal = rng.random(n) >= truncated
        there = np.ones(actions.shape, np.bool_)
        there[~terminal, -1] = False
        return Episodes(
            np.concatenate([[0], np.cumsum(there.sum(axis=1))]),
            self.intents,
            np.repeat(k, self.horizon).reshape(there.shape)[there].astype(np.int32),
            actions[there],
            rewards[there],
            np.ones(int(there.sum())),
            np.zeros(int(there.sum())),
            terminal,
            self.behaviour[k[:, None], before, actions][there],
        )

    @cached_property
    def behaviour_values(self) -> Float64:
        """(horizon, n_intents, n_tools + 1, n_tools) Q of the behaviour by step, intent and the tool before."""
        q = np.empty((self.horizon, *self.rewards.shape))
        after = np.zeros((len(self.intents), self.n_tools))  # of the state after each tool
        for step in range(self.horizon - 1, -1, -1):
            q[step] = self.rewards + self.gamma * after[:, None, :]
            after = (q[step] * self.behaviour).sum(axis=2)[:, :-1]
        return q

    def true_values(self, episodes: Episodes) -> Float64:
        """(n_steps,) Q of the behaviour at the steps of its sessions."""
        step = np.arange(episodes.n_steps) - episodes.indptr[episodes.session]
        before = np.where(step > 0, np.concatenate([[0], episodes.actions[:-1]]), self.n_tools)
        return np.asarray(self.behaviour_values[step, episodes.intent, before, episodes.actions])

    def value_of(self, policy: Choice) -> float:
        """What a policy earns in a session, on the mean over intents: the sum over all that can happen."""
        return float(np.mean([self._from(k, (), policy) for k in range(len(self.intents))]))

    def _from(self, k: int, used: tuple[int, ...], policy: Choice) -> float:
        if len(used) == self.horizon:
            return 0.0
        total, before = 0.0, used[-1] if used else self.n_tools
        for tool, chance in enumerate(policy(k, used).tolist()):
            if chance > 0.0:
                total += chance * (float(self.rewards[k, before, tool]) + self.gamma * self._from(k, (*used, tool), policy))
        return total

    def greedy(self, network: ValueNetwork, epsilon: float = 0.0) -> Choice:
        """The policy that takes the tool of the highest value, and with probability epsilon any."""
        table = self.table(network)

        def choice(k: int, used: tuple[int, ...]) -> Float64:
            found = np.full(self.n_tools, epsilon / self.n_tools)
            found[int(table[k, used].argmax())] += 1.0 - epsilon
            return found

        return choice

    def table(self, network: ValueNetwork) -> dict[tuple[int, tuple[int, ...]], Float32]:
        """(intent, tools so far) -> (n_tools,) values, of all that can happen."""
        index, found = Values.build(network, self.tools), {}
        for k, intent in enumerate(self.intents):
            for steps in range(self.horizon):
                for used in product(range(self.n_tools), repeat=steps):
                    found[k, used] = index.of(intent, SessionState(used))
        return found

    def short_sighted(self, k: int, used: tuple[int, ...]) -> Float64:
        """The best ranker without values that there is: it knows what each tool brings at once, and takes the most."""
        found = np.zeros(self.n_tools)
        found[int(self.rewards[k, used[-1] if used else self.n_tools].argmax())] = 1.0
        return found

    def best(self) -> float:
        """What the best policy earns."""
        after = np.zeros((len(self.intents), self.n_tools + 1))
        for _ in range(self.horizon):
            after = (self.rewards + self.gamma * after[:, None, :-1]).max(axis=2)
        return float(after[:, -1].mean())


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned from so many sessions of one world.

    Attributes
    ----------
    sessions : learned from
    error : root mean square of the values less the true ones, at the steps of other sessions
    earned : by the policy of the highest value
    near : by that of a network that learned only what comes at once (gamma 0)
    """

    sessions: int
    error: float
    earned: float
    near: float


SIZES = (250, 1000, 4000, 16_000)
_TEST = 3000  # sessions that errors are measured on


def learning_curve(world: Plant, sizes: Sequence[int], seed: int, config: TDConfig | None = None) -> Iterator[Learned]:
    """One network for each number of sessions."""
    config = config or TDConfig()
    test = world.sessions(_TEST, np.random.default_rng([seed, 1]))
    truth = world.true_values(test)
    for n in sizes:
        logged = world.sessions(n, np.random.default_rng([seed, 2, n]))
        far, near = (
            fit_values(logged, world.tools, replace(config, gamma=gamma), np.random.default_rng([seed, 3])).network
            for gamma in (config.gamma, 0.0)
        )
        error = float(np.sqrt(((values(far, test, world.tools) - truth) ** 2).mean()))
        yield Learned(n, error, world.value_of(world.greedy(far)), world.value_of(world.greedy(near)))


def _unit(x: Float64) -> Float32:
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True), np.float32)
