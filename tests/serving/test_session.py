"""A session's set only grows, and what it was shown stays where it is."""

from hypothesis import given
from hypothesis import strategies as st

from shgat.serving.session import Sessions

COLUMN = {key: i for i, key in enumerate("abcdefgh")}
SHOWN = st.lists(st.lists(st.sampled_from("abcdefghXYZ"), max_size=6), max_size=8)


@given(SHOWN)
def test_the_beginning_stays_and_what_is_new_follows_in_catalogue_order(shown):
    sessions, before = Sessions(), ()
    for ids in shown:
        now = sessions.grown("s", "tools", ids, COLUMN)
        fresh = now[len(before) :]
        assert now[: len(before)] == before
        assert set(now) == {*before, *ids}
        assert len(set(now)) == len(now)
        known = [i for i in fresh if i in COLUMN]
        strangers = [i for i in fresh if i not in COLUMN]
        assert [*fresh] == [*sorted(known), *strangers]
        assert strangers == [i for i in dict.fromkeys(ids) if i in strangers]  # as they came
        before = now


def test_sessions_and_kinds_stand_apart():
    sessions = Sessions()
    assert sessions.grown("s", "tools", "b", COLUMN) == ("b",)
    assert sessions.grown("s", "capabilities", "a", COLUMN) == ("a",)
    assert sessions.grown("other", "tools", "a", COLUMN) == ("a",)
    assert sessions.grown("s", "tools", "a", COLUMN) == ("b", "a")


def test_the_session_that_was_asked_for_longest_ago_is_forgotten():
    sessions = Sessions(most=2)
    for session in ("one", "two", "one", "three"):
        sessions.grown(session, "tools", "b", COLUMN)
    assert sessions.grown("one", "tools", "a", COLUMN) == ("b", "a")
    assert sessions.grown("two", "tools", "a", COLUMN) == ("a",)
