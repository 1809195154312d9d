"""The dashboard: what Grafana's own SDK reads, and expressions over series that there are."""

import re

import pytest

from shgat.monitoring.dashboard import ROWS, dashboard, expressions
from shgat.monitoring.measures import BY_NAME
from shgat.monitoring.rules import RULES


def test_grafana_s_own_sdk_reads_it():
    sdk = pytest.importorskip("grafana_foundation_sdk.models.dashboard")
    read = sdk.Dashboard.from_json(dashboard())
    assert read.title == "shgat"
    assert len(read.panels) == len(ROWS) + sum(len(panels) for _, panels in ROWS)


def test_panels_lie_beside_each_other_and_have_numbers_of_their_own():
    taken, numbers = set(), set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells
        numbers.add(panel["id"])
    assert len(numbers) == len(dashboard()["panels"])


def test_every_expression_is_over_series_that_there_are():
    recorded = {rule.quantity.record for rule in RULES}
    for query in expressions("shgat", ".*", "1m"):
        assert "$" not in query
        for name in re.findall(r"\bshgat[_:][a-z0-9_:]+", query):
            known = re.sub(r"_(bucket|count|sum)$", "", name)
            assert name in recorded or known in BY_NAME or known.startswith("shgat_http_"), name
