"""Values from logged sessions, and what they may weigh: learned on earlier sessions, weighed on later ones, then learned on all.

Where a session has begun, values move the best candidates (`shgat.model.foresight`). Their weight is the one of `WEIGHTS` that is most surely
better than none on held-out sessions, if the one gate says that it is better at all, else 0. "Better" is what a session brings, by the doubly
robust estimate, where at least 30 held-out sessions have propensities; else the mean reciprocal rank of the tools that worked, given what was
used before. States hold what a request says: the ids of what was used, and not how that went.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .._types import Bool, Float32, Float64, Int32, Int64
from ..errors import InputError
from ..graph import Incidence
from ..metrics.gate import CONFIDENCE, Comparison, compare
from ..metrics.ranking import per_query_from_ranks, ranks_of_relevant
from ..metrics.splits import session_split
from ..model import foresight
from ..model.session_state import SessionState
from ..model.value_network import ValueNetwork
from ..model.values import LearnedValues, Values
from ..traces.reward import Reward
from ..traces.session_columns import Sessions
from .config import TDConfig
from .episodes import Episodes
from .gating import AGAINST, LEAST, worth_it
from .logged import episodes_of, judging
from .trainer import ValueEpoch, fit_values

WEIGHTS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)  # in units of the score for one of reward
HELD_OUT = 0.2  # of the sessions
_CONFIDENCE = 1.0 - (1.0 - CONFIDENCE) / len(WEIGHTS)  # the best of several looks better than it is (Bonferroni)

Rank = Callable[[Sessions, Sessions], Float32]


@dataclass(frozen=True, slots=True)
class ValueReport:
    """What came of learning values.

    Attributes
    ----------
    weight : of values in the score; 0: they change no ranking
    reason : why, with the figures
    basis : "return" or "next tool", by which it was decided; "" where nothing could be
    comparison : of the best weight with none; None where there were too few sessions
    sessions, steps, held_out : learned from in the end, and sessions that decided
    error, spread : root mean square of values against held-out returns, and of those returns about their mean
    epochs : of the last training
    seconds : in all
    """

    weight: float
    reason: str
    basis: str
    comparison: Comparison | None
    sessions: int
    steps: int
    held_out: int
    error: float
    spread: float
    epochs: tuple[ValueEpoch, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, NaN among them."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """What a weight is worth on held-out sessions."""

    weight: float
    passed: bool
    reason: str
    comparison: Comparison | None


def learn(
    sessions: Sessions,
    embeddings: Float32,
    rank: Rank,
    reward: Reward,
    config: TDConfig,
    rng: np.random.Generator,
    *,
    on_epoch: Callable[[ValueEpoch], None] | None = None,
) -> tuple[LearnedValues, ValueReport]:
    """Values of sessions over tools of these embeddings (n_tools, d).

    Parameters
    ----------
    rank : (sessions to learn from, sessions to judge by) -> (n_steps, n_tools) scores without values at the steps of the latter
    reward : its gamma is to be that of `config`

    Raises
    ------
    InputError
        for fewer than two sessions, and where there is no step to learn from.
    """
    started = time.perf_counter()
    if reward.gamma != config.gamma:
        raise InputError(f"the reward discounts by {reward.gamma:g}, TDConfig by {config.gamma:g}: give both the same gamma")
    if len(sessions) < 2:
        raise InputError(f"values are learned from at least 2 sessions, not {len(sessions)}")
    texts = np.array([f"text {s.steps[0].intent}" if s.steps[0].intent else f"id {s.steps[0].trace.id}" for s in sessions.sessions])
    split = session_split(sessions.started, sessions.ended, rng, test=HELD_OUT, groups=texts)
    train, test = sessions.take(split.train), sessions.take(split.test)
    earlier = fit_values(episodes_of(train, reward, len(embeddings), ids_alone=True), embeddings, config, rng, on_epoch=on_epoch)
    basis, best = _weighed(earlier.network, test, embeddings, rank(train, test), reward, rng)
    weight = best.weight if best.passed else 0.0
    whole = episodes_of(sessions, reward, len(embeddings), ids_alone=True)
    fit = fit_values(whole, embeddings, config, rng, on_epoch=on_epoch)
    report = ValueReport(
        weight, best.reason, basis, best.comparison, len(sessions), sessions.n_steps, len(test), fit.epochs[fit.best - 1].held_out,
        fit.spread, fit.epochs, time.perf_counter() - started,
    )  # fmt: skip
    about = {**report.to_dict(), "config": config.to_dict(), "reward": asdict(reward)}
    return LearnedValues(fit.network, weight, about), report


def _weighed(
    network: ValueNetwork, test: Sessions, embeddings: Float32, z: Float32, reward: Reward, rng: np.random.Generator
) -> tuple[str, _Weighed]:
    """The basis and the best weight."""
    if z.shape != (test.n_steps, len(embeddings)):
        raise InputError(f"rank gave scores of shape {z.shape}, expected ({test.n_steps}, {len(embeddings)})")
    episodes = episodes_of(test, reward, len(embeddings), ids_alone=True)
    above = _led(network, episodes, embeddings, z, test.until > test.begin)
    usable = np.flatnonzero(judging(test))
    if len(usable) >= LEAST:
        rows = episodes.steps_of(usable)
        judges = episodes_of(test.take(usable), reward, len(embeddings), ids_alone=True)
        found = [_by_return(network, judges, embeddings, z[rows], above[rows], w, reward.gamma, rng) for w in WEIGHTS]
        return "return", max(found, key=_surely)
    rows = np.flatnonzero(test.succeeded & (test.until > test.begin))
    if len(np.unique(test.session[rows])) < LEAST:
        few = f"{len(np.unique(test.session[rows]))} held-out sessions with a step after another one are too few to weigh values by"
        return "", _Weighed(0.0, False, f"{few}, at least {LEAST} are needed", None)
    plain = _ranks(z, test, rows)
    tried = [_by_next_tool(plain, _ranks(z + np.float32(w) * above, test, rows), w, rng) for w in WEIGHTS]
    return "next tool", max(tried, key=_surely)


def _surely(found: _Weighed) -> float:
    return -np.inf if found.comparison is None else found.comparison.low


def _led(network: ValueNetwork, episodes: Episodes, embeddings: Float32, z: Float32, after: Bool) -> Float32:
    """(n_steps, n_tools) what values of weight 1 add, as a request has it, at the steps that came after others."""
    found, path = np.zeros_like(z), episodes.used
    values = Values.build(network, embeddings)
    for t in np.flatnonzero(after).tolist():
        rows = slice(int(path.begin[t]), int(path.until[t]))
        state = SessionState(tuple(path.tools[rows].tolist()))
        tools = foresight.best(z[t])
        found[t, tools] = foresight.added(values, 1.0, episodes.intents[episodes.intent[t]], state, tools)
    return found


def _by_return(
    network: ValueNetwork, episodes: Episodes, embeddings: Float32, z: Float32, above: Float32, weight: float, gamma: float,
    rng: np.random.Generator,
) -> _Weighed:  # fmt: skip
    assert episodes.offered is not None
    ours, theirs = _best(episodes.offered, z + np.float32(weight) * above), _best(episodes.offered, z)
    verdict = worth_it(network, episodes, embeddings, ours, theirs, rng, gamma=gamma, confidence=_CONFIDENCE)
    return _Weighed(weight, verdict.passed, verdict.reason, verdict.comparison)


def _best(offered: Incidence, z: Float32) -> Int32:
    """(n_steps,) the best of what was offered."""
    scores = z[offered.row_of_entry, offered.indices]
    best = np.maximum.reduceat(scores, offered.indptr[:-1])
    first = np.flatnonzero(scores == best[offered.row_of_entry])
    _, where = np.unique(offered.row_of_entry[first], return_index=True)
    return offered.indices[first[where]]


def _ranks(z: Float32, test: Sessions, rows: Int64) -> Float64:
    """(sessions,) mean reciprocal rank of the tools of the given steps."""
    wanted = Incidence.from_rows([c] for c in test.chosen[rows].tolist())
    each = per_query_from_ranks(ranks_of_relevant(z[rows], wanted), wanted, (1,))["mrr"]
    _, session = np.unique(test.session[rows], return_inverse=True)
    return np.asarray(np.bincount(session, each) / np.bincount(session), np.float64)


def _by_next_tool(plain: Float64, ours: Float64, weight: float, rng: np.random.Generator) -> _Weighed:
    found = compare(AGAINST, "all", ours, plain, rng, _CONFIDENCE)
    assert found is not None
    passed = found.low > 0.0
    what = "name the next tool better" if passed else "are not shown to name the next tool better"
    figures = f"MRR {found.ours:.3f} against {found.theirs:.3f}, difference [{found.low:.3f}, {found.high:.3f}], {found.n} sessions"
    return _Weighed(weight, passed, f"values {what} than the ranking without them: {figures}", found)
