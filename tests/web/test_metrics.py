from prometheus_client.parser import text_string_to_metric_families

from shgat.monitoring import Exposition
from shgat.web.call import Call
from shgat.web.metrics import Metrics


def call(method="POST"):
    return Call(method, "/v1/rank", {}, "id")


def test_prometheus_can_read_it(ranker, vector):
    metrics = Metrics(Exposition())
    metrics.exposition.watch(ranker)
    ranker.rank(vector)
    for _ in range(3):
        metrics.answered(call(), "/v1/rank", 200, 0.003)
    metrics.answered(call("BREW"), "other", 500, 0.1)
    families = text_string_to_metric_families(metrics.text().decode())
    found = {s.name: s for family in families for s in family.samples if s.labels.get("route") != "other"}
    assert found["shgat_http_requests_total"].value == 3
    assert found["shgat_http_request_seconds_count"].value == 3
    assert found["shgat_tools"].value == 10
    assert found["shgat_http_errors_total"].value == 1
    assert (metrics.requests, metrics.errors) == (4, 1)
    assert 'method="other"' in metrics.text().decode()
