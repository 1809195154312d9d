"""The page of a gateway that nobody has used."""

from shgat import Catalog
from shgat.gateway.page import render
from shgat.gateway.report import report
from shgat.serving import Ranker
from worlds import SAMPLE


def test_a_page_of_nothing(tmp_path):
    url = f"sqlite:///{tmp_path}/s.db"
    with Ranker.open(url, Catalog.load(SAMPLE), mode="off"):
        pass
    page = render(report(url))
    assert "No search has led to a call yet." in page
    assert "<h2>Tools</h2>" not in page
    assert "NaN" not in page
