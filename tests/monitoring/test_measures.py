from pathlib import Path

from shgat.monitoring.measures import MEASURES, key
from shgat.monitoring.rules import RULES

PAGE = Path(__file__).parents[2] / "docs/monitoring.md"


def test_a_key_does_not_depend_on_the_order_of_its_labels():
    assert key("n", a="1", b="2") == key("n", b="2", a="1") == ("n", (("a", "1"), ("b", "2")))


def test_the_page_names_every_measure_and_every_rule():
    text = PAGE.read_text()
    assert [m.name for m in MEASURES if f"`{m.name}`" not in text] == []
    assert [r.name for r in RULES if f"`{r.name}`" not in text] == []
