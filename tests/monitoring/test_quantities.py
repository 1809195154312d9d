import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Histogram

from shgat.monitoring.history import History
from shgat.monitoring.measures import SECONDS, key
from shgat.monitoring.quantities import Gauge, Quantile, Share


def seen(*looks, window=60.0):
    history = History(window)
    for at, samples in looks:
        history.add(at, samples)
    return history


def test_the_worst_of_several_series():
    history = seen((0.0, {key("g", of="a"): 1.0, key("g", of="b"): 3.0, key("g", of="c"): 2.0, key("other"): 9.0}))
    assert Gauge("g").value(history) == 3.0
    assert Gauge("g", worst="min").value(history) == 1.0
    assert Gauge("g", {"of": ("a", "c")}).value(history) == 2.0
    assert Gauge("nothing").value(history) is None
    assert Gauge("g", {"of": ("a", "c")}).expression("5m") == 'max by (job, instance) (g{of=~"a|c"})'
    assert Gauge("g", worst="min").expression_lately("5m") == "min by (job, instance) (min_over_time(g[5m]))"


def test_a_share_says_nothing_of_a_few():
    share = Share("s", "n_total", "n_total", {"by": ("b", "c")}, least=20)
    few = {key("n_total", by="a"): 15.0, key("n_total", by="b"): 4.0}
    assert share.value(seen((0.0, few))) is None
    many = {key("n_total", by="a"): 30.0, key("n_total", by="b"): 8.0, key("n_total", by="c"): 2.0}
    assert share.value(seen((0.0, many))) == 0.25
    assert share.value(seen((0.0, few), (10.0, many))) == pytest.approx(6.0 / 21.0)


@pytest.mark.parametrize("q", [0.5, 0.9, 0.99])
def test_a_quantile_lies_in_the_bucket_of_the_true_one(q):
    registry, rng = CollectorRegistry(), np.random.default_rng(0)
    histogram, values = Histogram("t_seconds", "t", buckets=SECONDS, registry=registry), rng.lognormal(-6.0, 1.0, 500)
    for value in values.tolist():
        histogram.observe(value)
    samples = {(s.name, tuple(sorted(s.labels.items()))): s.value for m in registry.collect() for s in m.samples}
    found = Quantile("r", q, "t_seconds").value(seen((0.0, samples)))
    bounds = np.array([0.0, *SECONDS])
    assert np.searchsorted(bounds, found) == np.searchsorted(bounds, np.quantile(values, q))


def test_a_quantile_of_few_or_of_what_is_beyond_the_last_bound():
    bucket = lambda le, n: (key("t_seconds_bucket", le=le), n)  # noqa: E731
    quantile = Quantile("r", 0.5, "t_seconds")
    assert quantile.value(seen((0.0, dict([bucket("0.1", 3.0), bucket("+Inf", 3.0)])))) is None
    assert quantile.value(seen((0.0, {}))) is None
    assert quantile.value(seen((0.0, dict([bucket("0.1", 10.0), bucket("+Inf", 100.0)])))) == 0.1
