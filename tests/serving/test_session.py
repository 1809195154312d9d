"""A session's set only grows, what it was shown stays where it is, and no request gets what it may not have."""

from hypothesis import given
from hypothesis import strategies as st

from shgat import Catalog
from shgat.serving.session import Sessions, whose

COLUMN = {key: i for i, key in enumerate("abcdefgh")}
IDS = "abcdefghXYZ"
SHOWN = st.lists(st.lists(st.sampled_from(IDS), max_size=6), max_size=8)
REQUESTS = st.lists(st.tuples(st.lists(st.sampled_from(IDS), max_size=6), st.frozensets(st.sampled_from(IDS))), max_size=12)


def grown(sessions, session, ids, allowed=IDS, kind="tools"):
    return sessions.grown(session, kind, ids, COLUMN, allowed)


@given(SHOWN)
def test_the_beginning_stays_and_what_is_new_follows_in_catalogue_order(shown):
    sessions, before = Sessions(), ()
    for ids in shown:
        now = grown(sessions, "s", ids)
        fresh = now[len(before) :]
        assert now[: len(before)] == before
        assert set(now) == {*before, *ids}
        assert len(set(now)) == len(now)
        known = [i for i in fresh if i in COLUMN]
        strangers = [i for i in fresh if i not in COLUMN]
        assert [*fresh] == [*sorted(known), *strangers]
        assert strangers == [i for i in dict.fromkeys(ids) if i in strangers]  # as they came
        before = now


@given(REQUESTS, st.integers(2, 8))
def test_a_request_gets_what_it_may_have_in_one_order_for_all(requests, most):
    sessions, place = Sessions(most_items=most), {}
    for wanted, allowed in requests:
        ids = [i for i in wanted if i in allowed]
        now = grown(sessions, "s", ids, allowed)
        assert set(ids) <= set(now) <= allowed
        assert len(set(now)) == len(now) <= max(most, len(set(ids)) + most // 2)
        for i, one in enumerate(now):  # two that stood together before stand in the same order
            for other in now[i + 1 :]:
                if (other, one) in place:  # one of the two was forgotten in between, which only a full set does
                    assert most < len({i for ids, _ in requests for i in ids})
                    del place[other, one]
                place[one, other] = True


def test_what_was_not_allowed_for_a_while_comes_back_to_its_place():
    sessions = Sessions()
    assert grown(sessions, "s", "cba") == ("a", "b", "c")
    assert grown(sessions, "s", "c", "ac") == ("a", "c")
    assert grown(sessions, "s", "", "") == ()
    assert grown(sessions, "s", "d") == ("a", "b", "c", "d")


def test_sessions_and_kinds_stand_apart():
    sessions = Sessions()
    assert grown(sessions, "s", "b") == ("b",)
    assert grown(sessions, "s", "a", kind="capabilities") == ("a",)
    assert grown(sessions, "other", "a") == ("a",)
    assert grown(sessions, "s", "a") == ("b", "a")


def test_the_session_that_was_asked_for_longest_ago_is_forgotten():
    sessions = Sessions(most=2)
    for session in ("one", "two", "one", "three"):
        grown(sessions, session, "b")
    assert grown(sessions, "one", "a") == ("b", "a")
    assert grown(sessions, "two", "a") == ("a",)


def test_a_set_that_is_full_keeps_what_was_wanted_latest():
    sessions = Sessions(most_items=4)
    for item in "abcd":
        grown(sessions, "s", item)
    assert grown(sessions, "s", "a") == ("a", "b", "c", "d")
    assert grown(sessions, "s", "e") == ("a", "e")
    assert grown(sessions, "s", "f") == ("a", "e", "f")
    assert grown(sessions, "s", IDS) == ("a", "e", "f", "b", "c", "d", "g", "h", "X", "Y", "Z")  # a request gets all it wants


@given(st.lists(st.tuples(st.sampled_from("stuv"), st.lists(st.text(max_size=30), max_size=9)), max_size=30))
def test_all_sets_together_stay_within_their_bytes(requests):
    sessions = Sessions(most_bytes=4000, most_items=8)
    for session, ids in requests:
        assert set(sessions.grown(session, "tools", ids, COLUMN, set(ids))) == set(ids)
        assert 0 <= sessions.bytes <= 4000
    for session in "stuv":
        grown(sessions, session, ["x" * 5000])  # more than there is room for: answered, not kept
    assert (sessions.bytes, len(sessions)) == (0, 0)


def test_sessions_begin_where_the_store_has_them():
    catalog = Catalog.from_records([{"id": i} for i in "abc"], [{"id": "x", "tools": ["a"]}])
    sessions = Sessions()
    shown = [("", "s", ("c", "a")), ("", "s", ("c", "a", "mine")), ("", "s", ("x",)), ("team", "s", ("b",))]
    sessions.restore(shown, catalog)
    assert grown(sessions, whose("team", "s"), ["a"], IDS) == ("b", "a")
    assert grown(sessions, "s", ["b"], (*IDS, "mine")) == ("c", "a", "mine", "b")
    assert sessions.grown("s", "capabilities", [], {"x": 0}, {"x"}) == ("x",)
