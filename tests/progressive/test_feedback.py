from shgat.progressive.feedback import advised
from shgat.progressive.figures import AT_LEAST, AT_MOST


def test_each_figure_that_is_beyond_its_bound_has_advice():
    worst = dict.fromkeys(AT_LEAST, 0.0) | dict.fromkeys(AT_MOST, 100.0)
    found = advised(worst)
    assert len(found) == len(AT_LEAST) + len(AT_MOST)
    assert {r["severity"] for r in found} == {"critical"}
    assert all(r["title"] and r["recommendation"] and r["status"] == "proposed" for r in found)
    assert len({r["id"] for r in found}) == len(found)


def test_what_is_less_bad_can_be_left_out():
    figures = {"ece": 0.06, "entropy": 0.1}
    assert [r["severity"] for r in advised(figures)] == ["critical", "low"]
    assert [r["severity"] for r in advised(figures, "high")] == ["critical"]
    assert advised({}) == []
