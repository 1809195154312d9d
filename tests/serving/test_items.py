"""The best items of one way, and what a threshold leaves of them."""

from hypothesis import given
from hypothesis import strategies as st

from shgat.serving.items import Items, above

SCORES = st.lists(st.floats(0.0, 1.0), max_size=6).map(lambda scores: tuple(sorted(scores, reverse=True)))


@given(SCORES, st.floats(0.0, 1.0), st.booleans())
def test_a_threshold_leaves_what_is_seen_with_as_much(scores, least, calibrated):
    items = Items(tuple("abcdef"[: len(scores)]), scores, calibrated)
    for by, whole in (("model", False), ("lexical", False), ("catalogue", True)):
        why = []
        left, strangers = above(items, ("x",), least, by, why)
        assert left.scores == (scores if whole else tuple(s for s in scores if s >= least))
        assert left.ids == items.ids[: len(left.scores)]
        assert strangers == (("x",) if whole or least == 0.0 else ())
        assert len(why) == (whole or not calibrated)


@given(SCORES)
def test_strangers_follow_with_nothing(scores):
    items = Items(tuple("abcdef"[: len(scores)]), scores, True, tuple(None for _ in scores)).followed_by(["x", "y"])
    assert items.ids[-2:] == ("x", "y")
    assert items.scores[-2:] == (0.0, 0.0)
    assert len(items.explanations) == len(items.ids) == len(items.scores) == len(list(items.each()))
