"""Metrics over whole catalogues, with ir-measures beside them at a size that it takes."""

import numpy as np

from shgat import SHGAT, Catalog, Traces
from shgat.experiments.measurement import measure, measure_cosine
from shgat.graph import Incidence
from shgat.metrics.ranking import per_query
from shgat.metrics.resampling import paired_bootstrap

KS = (1, 3, 5, 10)


def _case(n_rows, n):
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((n_rows, n), np.float32)
    return scores, Incidence.from_rows([rng.choice(n, 1 + row % 4, replace=False).tolist() for row in range(n_rows)])


class Metrics:
    """(rows, columns): the tiny one is the cost of a call."""

    params = ([(1, 10), (1000, 1000), (10_000, 10_000)],)
    param_names = ("shape",)

    def setup(self, shape):
        self.scores, self.relevance = _case(*shape)

    def time_per_query(self, shape):
        per_query(self.scores, self.relevance, KS)

    def peakmem_scores_alone(self, shape):
        """What the matrix itself takes: subtract from the next."""

    def peakmem_per_query(self, shape):
        per_query(self.scores, self.relevance, KS)


class Peer:
    """The same metrics at 200 x 1000 from ir-measures, which takes dicts (built beforehand, not timed)."""

    timeout = 120

    def setup(self):
        try:
            import ir_measures
            from ir_measures import AP, RR, R, Success, nDCG
        except ImportError:
            raise NotImplementedError("ir-measures is not installed") from None
        self.ir_measures = ir_measures
        self.scores, self.relevance = _case(200, 1000)
        bounds = zip(self.relevance.indptr[:-1], self.relevance.indptr[1:], strict=True)
        self.qrels = {str(q): {str(c): 1 for c in self.relevance.indices[a:b]} for q, (a, b) in enumerate(bounds)}
        self.run = {str(q): {str(c): float(s) for c, s in enumerate(row)} for q, row in enumerate(self.scores)}
        self.measures = [RR, AP, *(m @ k for k in KS for m in (Success, R, nDCG))]

    def time_shgat(self):
        per_query(self.scores, self.relevance, KS)

    def time_ir_measures(self):
        list(self.ir_measures.iter_calc(self.measures, self.qrels, self.run))


class Measure:
    """(intents, tools) of a model over traces, d = 64: the tiny one is the cost of a call."""

    params = ([(1, 10), (2000, 5000)],)
    param_names = ("shape",)

    def setup(self, shape):
        n_intents, n_tools = shape
        rng = np.random.default_rng(0)
        unit = rng.standard_normal((n_tools + n_intents, 64)).astype(np.float32)
        tools = [{"id": f"t{i}", "embedding": unit[i]} for i in range(n_tools)]
        self.catalog = Catalog.from_records(tools, [{"id": "c", "tools": ["t0", "t1"], "embedding": unit[0]}])
        self.model = SHGAT.from_catalog(self.catalog)
        self.model.index()
        records = [
            {"id": f"r{i}", "tools": [f"t{rng.integers(n_tools)}"], "embedding": unit[n_tools + i]} for i in range(n_intents)
        ]
        self.traces = Traces.from_records(records, self.catalog)

    def time_model(self, shape):
        measure(self.model, self.traces)

    def time_cosine(self, shape):
        measure_cosine(self.catalog, self.traces)

    def peakmem_model(self, shape):
        measure(self.model, self.traces)


class Bootstrap:
    def setup(self):
        rng = np.random.default_rng(0)
        self.a, self.b = rng.random((2, 2000))
        self.hits = (self.a < 0.5).astype(float), (self.b < 0.5).astype(float)

    def time_values(self):
        paired_bootstrap(self.a, self.b, rng=np.random.default_rng(0))

    def time_hits(self):
        paired_bootstrap(*self.hits, rng=np.random.default_rng(0))
