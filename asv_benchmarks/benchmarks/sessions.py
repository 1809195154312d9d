"""Sessions: from traces to columns, rewards and returns, and the plain methods for the next tool."""

import numpy as np

from benchmarks.sizes import sized
from shgat import Catalog, Trace
from shgat.experiments.next_tool import CoOccurrence, Markov
from shgat.traces import Reward, Sessions

N_TOOLS, D, STEPS = 500, 384, 10


def _traces(n):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, D)).astype(np.float32)
    return [
        Trace(id=f"{s}.{i}", session=f"s{s}", step=i, tools=[f"t{rng.integers(N_TOOLS)}"], embedding=x[s % 100])
        for s in range(n // STEPS)
        for i in range(STEPS)
    ]


class Steps:
    """By the number of steps, ten a session: the tiny one is the cost of a call."""

    params = (sized([10, 100_000], [10, 1000]),)
    param_names = ("steps",)
    timeout = 300

    def setup(self, steps):
        rng = np.random.default_rng(0)
        tools = [{"id": f"t{i}", "text": f"tool {i}", "embedding": e} for i, e in enumerate(rng.standard_normal((N_TOOLS, D)))]
        self.catalog, self.traces = Catalog.from_records(tools, []), _traces(steps)
        self.sessions = Sessions.of(self.traces, self.catalog)
        self.chain, self.rows = Markov.fit(self.sessions, N_TOOLS, 2), np.arange(min(steps, 1000))

    def time_columns(self, steps):
        Sessions.of(self.traces, self.catalog)

    def peakmem_columns(self, steps):
        Sessions.of(self.traces, self.catalog)

    def time_returns(self, steps):
        Reward().returns(self.sessions)

    def time_returns_numpy(self, steps):
        """The peer: undiscounted, so that one cumulative sum over all steps does it."""
        worth = Reward().of(self.sessions)[::-1].cumsum()[::-1]
        ends = np.append(worth, 0.0)[self.sessions.indptr[1:]]
        return worth - ends[self.sessions.session]

    def time_markov(self, steps):
        Markov.fit(self.sessions, N_TOOLS, 2)

    def time_co_occurrence(self, steps):
        CoOccurrence.fit(self.sessions, N_TOOLS)

    def time_scores_of_1000_steps(self, steps):
        self.chain.scores(self.sessions, self.rows)
