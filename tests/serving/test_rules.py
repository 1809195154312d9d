"""Rules over a ranking: checked, deterministic, and said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.errors import InputError
from shgat.graph import Tool
from shgat.serving.items import Items
from shgat.serving.rules import NO_RULES, Rules

ITEMS = Items(("a", "b", "c", "d"), (0.8, 0.5, 0.5, 0.2))


def test_a_boost_multiplies_odds():
    found = Rules(boost={"c": 9.0, "a": 0.25}).boosted(ITEMS)
    assert found.ids == ("c", "a", "b", "d")
    assert found.scores == pytest.approx((0.9, 0.5, 0.5, 0.2))
    assert Rules(boost={"x": 2.0}).boosted(ITEMS) is ITEMS


@given(st.dictionaries(st.sampled_from("abcd"), st.floats(1e-6, 1e6)), st.lists(st.sampled_from("abcdx"), max_size=4))
def test_rules_order_and_lose_nothing(boost, pin):
    rules = Rules(tuple(pin), boost)
    found = rules.pinned(rules.boosted(ITEMS))
    assert sorted(found.ids) == sorted(ITEMS.ids)
    pins = [i for i in dict.fromkeys(pin) if i in ITEMS.ids]
    assert list(found.ids[: len(pins)]) == pins
    assert list(found.scores[len(pins) :]) == sorted(found.scores[len(pins) :], reverse=True)
    assert all(0.0 < s <= 1.0 for s in found.scores)


def test_a_budget_is_spent_in_order():
    rules = Rules(budget=100, tokens={"a": 60, "b": 50, "c": 30})
    texts = {"d": Tool("d", "x" * 39)}
    found, over = rules.affordable(ITEMS, texts.get)
    assert (found.ids, over) == (("a", "c", "d"), [("b", 50)])
    assert rules.cost(texts["d"], "d") == 10
    assert NO_RULES.affordable(ITEMS, texts.get) == (ITEMS, [])


def test_rules_of_the_ranker_and_of_a_request_both_hold():
    both = Rules(("a",), {"b": 2.0}, frozenset({"x"}), 100, {"a": 5}).with_those(Rules(("c",), {"b": 3.0}, frozenset({"y"}), 50))
    assert both == Rules(("a", "c"), {"b": 6.0}, frozenset({"x", "y"}), 50, {"a": 5})
    assert NO_RULES.with_those(both) is both.with_those(NO_RULES) is both


def test_what_rules_did_is_said():
    rules = Rules(("a",), {"b": 2.0}, frozenset({"x", "unknown"}), 10)
    assert rules.touched("ab", [("c", 30)], {"a": 0, "b": 1, "c": 2, "x": 3}) == (
        ("a", "pinned"),
        ("b", "odds times 2"),
        ("x", "blocked"),
        ("c", "left out: its 30 tokens do not fit into 10"),
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pin": "mail"}, "rules: pin is a list of strings"),
        ({"boost": ["mail"]}, "rules: boost is a mapping from ids"),
        ({"boost": {"mail": 0.0}}, "rules: boost of 'mail' lies in"),
        ({"boost": {7: 1.0}}, "rules: an id of boost is a non-empty string"),
        ({"block": [None]}, r"rules: block\[0\] is a non-empty string"),
        ({"budget": 0}, "rules: budget is a whole number"),
        ({"tokens": {"mail": 1.5}}, "rules: tokens of 'mail' is a whole number"),
    ],
)
def test_rules_that_mean_nothing_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        Rules.of(given)
