"""The table: what it names exists, and what Prometheus is given says the same as what is evaluated here."""

import pytest

from shgat.monitoring.measures import BY_NAME
from shgat.monitoring.quantities import Gauge, Quantile, Share
from shgat.monitoring.rules import RULES

HTTP = {"up", "shgat_http_errors_total", "shgat_http_requests_total"}


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_every_series_of_a_rule_is_a_measure_with_its_labels(rule):
    q = rule.quantity
    asked = [(q.name, q.labels)] if isinstance(q, Gauge | Quantile) else [(q.part, q.of_part), (q.whole, q.of_whole)]
    assert isinstance(q, Gauge | Quantile | Share)
    for name, labels in asked:
        if name not in HTTP:
            assert set(labels) <= set(BY_NAME[name].labels)


def test_expressions_name_what_explains_them():
    by_name = {r.name: r.expression("5m") for r in RULES}
    assert by_name["EncoderDown"] == "min by (job, instance) (shgat_encoder_up) < 1"
    assert by_name["FallbacksHigh"] == (
        "shgat:fallbacks:share > 0.05 unless on (job, instance) (min by (job, instance) (min_over_time(shgat_encoder_up[5m])) < 1)"
    )


def test_limits_are_those_that_were_agreed():
    limits = {r.name: (r.op, r.limit) for r in RULES}
    assert limits["RankingPoor"] == ("<", 0.1)
    assert limits["HitsFew"] == ("<", 0.2)
    assert limits["AnswersSlow"] == (">", 0.05)
    assert limits["SlowestAnswersSlow"] == (">", 0.2)
    assert limits["ErrorsHigh"] == (">", 0.01)
    assert limits["EmbeddingsCollapsed"] == ("<", 0.01)
    assert limits["FeaturesStale"] == (">", 48 * 3600.0)
    assert limits["EmbeddingsMissing"] == (">", 0.05)
