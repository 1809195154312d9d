"""How good are suggestions of the next tool? Held-out sessions, the whole catalogue, plain methods beside the ranker.

A step counts where its trace worked: its tool is what should have been suggested, given its intent and what its session had used before.
Intervals resample whole sessions. Where no training session runs a tool twice, what a session used already stands last for every method.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._types import Bool, Float32, Float64, Int64
from ..config import SHGATConfig
from ..errors import InputError
from ..graph import Catalog, Incidence
from ..metrics.ranking import per_query_from_ranks, ranks_of_relevant
from ..metrics.resampling import clustered_intervals
from ..metrics.splits import session_split
from ..shgat import SHGAT
from ..traces import Trace, Traces
from ..traces.session_columns import Sessions
from .measurement import BLOCK, scores
from .next_tool import CoOccurrence, Markov, NextTool, NotAgain, Popularity, repeats
from .pair import Mean
from .point_in_time import known

METRICS = ("hit@1", "hit@3", "mrr")
LEAST = 50  # steps with context that show that nothing is run twice


@dataclass(frozen=True, eq=False)
class Ranked:
    """A ranker that is asked with the intent, its text, and the tools used before as context. context: are those told to it?"""

    model: SHGAT
    context: bool = True

    def scores(self, sessions: Sessions, rows: Int64) -> Float32:
        """Its scores at each step."""
        asked = sessions.asked
        if not self.context:
            asked = replace(asked, context=Incidence.from_rows([[]] * len(asked)))
        return scores(self.model, asked, rows)


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the steps.

    Attributes
    ----------
    steps, sessions : how many
    best : the baseline of the highest MRR
    methods : name -> metric -> mean with its interval
    differences : name -> metric -> mean of the method less that of the best baseline, with its interval
    """

    steps: int
    sessions: int
    best: str
    methods: dict[str, dict[str, Mean]]
    differences: dict[str, dict[str, Mean]]


@dataclass(frozen=True, eq=False)
class Suggested:
    """What methods did on held-out sessions.

    Attributes
    ----------
    parts : "all", "first" (nothing was used before) and "later" steps; a part without steps is left out
    again : may a tool be suggested again?
    """

    parts: dict[str, Part]
    again: bool


@dataclass(frozen=True, eq=False)
class Held:
    """Sessions to learn from and sessions to be judged by.

    Attributes
    ----------
    how : in words
    known : the catalogue as the training sessions alone would have it
    """

    train: Sessions
    test: Sessions
    how: str
    known: Catalog
    notes: list[str] = field(default_factory=list)


def held_out(sessions: Sessions, catalog: Catalog, rng: np.random.Generator, *, test: float = 0.2) -> Held:
    """Whole sessions are held out: the latest where all have times, else a random share in which the same intents stay together.

    Parameters
    ----------
    test : share of the sessions
    """
    if len(sessions) < 2:
        raise InputError(
            f"sessions are held out of at least 2, not {len(sessions)}: see `session` and `step`, or read traces by their order"
        )
    first = [session.steps[0].trace for session in sessions.sessions]
    groups = [f"text {trace.intent}" if trace.intent else f"id {trace.id}" for trace in first]
    timed = not np.isnan(sessions.started).any() and len(np.unique(sessions.started)) > 1
    split = session_split(sessions.started, sessions.ended, rng, test=test, groups=groups)
    across = len(sessions) - len(split.train) - len(split.test)
    notes = [f"{across} sessions stand on both sides of the moment that divides them, and were left out."] if across else []
    train, later = sessions.take(split.train), sessions.take(split.test)
    how = (
        f"the latest {len(later)} of {len(sessions)} sessions"
        if timed
        else f"{len(later)} of {len(sessions)} sessions, drawn at random"
    )
    return Held(train, later, how, _known(catalog, train, later, timed), notes)


def given(train: Sessions, test: Sessions, catalog: Catalog) -> Held:
    """Sessions that somebody has held out."""
    return Held(train, test, f"{len(test)} sessions that were held out", _known(catalog, train, test, False))


def baselines(train: Sessions, n_tools: int) -> dict[str, NextTool]:
    """The plain methods, which learn from the training sessions."""
    _learnable(train)
    return {
        "popularity": Popularity.fit(train, n_tools),
        "markov 1": Markov.fit(train, n_tools, 1),
        "markov 2": Markov.fit(train, n_tools, 2),
        "co-occurrence": CoOccurrence.fit(train, n_tools),
    }


def trained_ranker(
    held: Held, *, by_step: bool = False, config: SHGATConfig | None = None, seed: int = 0, options: Mapping[str, Any] | None = None
) -> SHGAT:
    """A ranker that `fit` made of the training traces, each with what its session used before as context.

    Where there are no times, traces stand in the order of their sessions, so that a fold of `fit` is a stretch of sessions.

    Parameters
    ----------
    by_step : each step is a trace, so that the other tools of its trace are context too
    config, seed, options : of the model, and of `fit`
    """
    traces = held.train.asked if by_step else held.train.traces()
    if by_step or np.isnan(traces.timestamp).any():
        traces = replace(traces, timestamp=1e9 + np.arange(len(traces), dtype=np.float64))
    model = SHGAT.from_catalog(held.known, config, seed)
    model.fit(traces, seed=seed, **(options or {}))
    return model


def compare(methods: Mapping[str, NextTool], held: Held, rng: np.random.Generator, *, ours: Collection[str] = ()) -> Suggested:
    """What each method suggests at the steps of held-out sessions.

    Parameters
    ----------
    rng : of resampling
    ours : names of methods that are no baselines: they are compared with the best of the others
    """
    test = held.test
    rows = np.flatnonzero(test.succeeded)
    if not len(rows):
        raise InputError(f"none of the {test.n_steps} steps that test worked: there is nothing to suggest")
    n_again, n_context = repeats(held.train)
    again = n_again > 0 or n_context < LEAST
    found = {name: _measured(method if again else NotAgain(method), test, rows) for name, method in methods.items()}
    later = test.until[rows] > test.begin[rows]
    masks = {"all": np.ones(len(rows), bool), "first": ~later, "later": later}
    session = test.session[rows]
    return Suggested({name: _part(found, ours, session, mask, rng) for name, mask in masks.items() if mask.any()}, again)


def _measured(method: NextTool, test: Sessions, rows: Int64) -> Float64:
    """(len(rows), 3) metrics of each step."""
    found = []
    for start in range(0, len(rows), BLOCK):
        at = rows[start : start + BLOCK]
        wanted = Incidence.from_rows([c] for c in test.chosen[at].tolist())
        metrics = per_query_from_ranks(ranks_of_relevant(method.scores(test, at), wanted), wanted, (1, 3))
        found.append(np.stack([metrics[name] for name in METRICS], axis=1))
    return np.concatenate(found)


def _part(found: Mapping[str, Float64], ours: Collection[str], session: Int64, mask: Bool, rng: np.random.Generator) -> Part:
    names, m = list(found), len(METRICS)
    each = [found[name][mask] for name in names]
    best = max((name for name in names if name not in ours), key=lambda name: found[name][mask, METRICS.index("mrr")].mean())
    table = np.concatenate([*each, *(x - found[best][mask] for x in each)], axis=1)  # (steps, 2 methods metrics)
    low, high = clustered_intervals(table, session[mask], rng=rng)
    means = [Mean(*map(float, row)) for row in zip(table.mean(axis=0), low, high, strict=True)]
    of = [dict(zip(METRICS, means[i * m : (i + 1) * m], strict=True)) for i in range(2 * len(names))]
    return Part(int(mask.sum()), len(np.unique(session[mask])), best, dict(zip(names, of, strict=False)),
                dict(zip(names, of[len(names) :], strict=True)))  # fmt: skip


def _known(catalog: Catalog, train: Sessions, test: Sessions, timed: bool) -> Catalog:
    """Without what only the sessions that test gave rise to."""
    _learnable(train)
    whole: dict[str, Trace] = {}
    for part in (train, test):
        for step in part.steps:
            if whole.setdefault(step.trace.id, step.trace) is not step.trace:
                raise InputError(
                    f"trace {step.trace.id!r:.100} stands in what trains and in what tests: what tests may not be learned from"
                )
    n = len({step.trace.id for step in train.steps})
    return known(
        catalog, Traces.from_records(list(whole.values()), catalog), np.arange(n), rule="vouched" if timed else "not-later"
    )


def _learnable(train: Sessions) -> None:
    if not train.succeeded.any():
        raise InputError(f"none of the {train.n_steps} steps to learn from worked: there is nothing to learn")
