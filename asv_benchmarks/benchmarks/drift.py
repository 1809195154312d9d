"""A whole report on 10 000 intents of 1024 dimensions, beside SciPy's equivalents on the same projections."""

import numpy as np

from shgat.drift import Reference, Window, compared
from shgat.drift.reference import coordinates


def _window(n, d, rng):
    tools = tuple((f"t{i}",) for i in rng.integers(0, 60, n))
    return Window(rng.standard_normal((n, d), np.float32), rng.random(n), tools, rng.random(n) < 0.9)


class Report:
    """(executions, dimensions): the tiny one is the cost of a call."""

    params = ([(40, 8), (10_000, 1024)],)
    param_names = ("shape",)
    timeout = 300

    def setup(self, shape):
        rng = np.random.default_rng(0)
        self.window = _window(*shape, rng)
        self.reference = Reference.of(self.window, rng)

    def time_reference(self, shape):
        Reference.of(self.window, np.random.default_rng(0))

    def time_compared(self, shape):
        compared(self.reference, self.window, np.random.default_rng(0))

    def peakmem_compared(self, shape):
        compared(self.reference, self.window, np.random.default_rng(0))

    def time_scipy(self, shape):
        """17 Kolmogorov-Smirnov tests and one permutation test of PSI: less than the report does."""
        from scipy import stats

        now = coordinates(self.window.intents, self.reference.mean, self.reference.directions)
        then = self.reference.coordinates
        for i in range(min(17, then.shape[1])):
            stats.ks_2samp(then[:, i], now[:, i], method="asymp")
        edges = self.reference.edges

        def psi(x, y):
            p, q = ((np.bincount(np.searchsorted(edges, v), minlength=10) + 0.5) / (len(v) + 5.0) for v in (x, y))
            return ((q - p) * np.log(q / p)).sum()

        stats.permutation_test((self.reference.scores, self.window.scores), psi, n_resamples=1999, rng=0)
