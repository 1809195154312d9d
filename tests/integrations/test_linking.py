import threading

import pytest

from shgat.integrations import Searches
from shgat.serving.searches import Search


def searched(searches, key, session, offered, query, explicit=True):
    search = Search.of(key, offered, query, explicit=explicit)
    return search, searches.add(session, search)


def test_a_call_follows_the_latest_search_of_its_session_that_offered_the_tool():
    searches = Searches()
    first, _ = searched(searches, "1", "a", ["mail", "fax"], "send a report")
    second, _ = searched(searches, "2", "a", ["fax"], "weather of Rome")
    searched(searches, "3", "b", ["mail"], "send a report")
    assert searches.followed("mail", "a")[0] is first
    assert searches.followed("fax", "a")[0] is second
    assert searches.followed("mail", "nobody") is None
    assert searches.followed("read", "a") is None


def test_a_call_that_names_its_search_follows_that_one():
    searches = Searches()
    first, _ = searched(searches, "1", "a", ["mail"], "send a report")
    searched(searches, "2", "a", ["mail"], "send a letter")
    assert searches.followed("mail", "a", "1")[0] is first
    assert searches.followed("mail", "elsewhere", "1")[0] is first
    assert searches.followed("mail", "a", "unknown")[0].decision == "2"


def test_the_first_call_after_a_search_is_told_from_others():
    searches = Searches()
    searched(searches, "1", "a", ["mail", "fax"], "send a report")
    assert searches.followed("fax", "a")[2]
    assert not searches.followed("mail", "a")[2]


@pytest.mark.parametrize(
    ("offered", "query", "expected"),
    [
        (["x", "y"], "the annual report, please send", 2),  # by its words
        (["mail", "fax"], "something else", 2),  # by what answers it
        (["x", "y"], "something else", 1),
        ([], "", 1),
    ],
)
def test_searches_for_much_the_same_are_counted(offered, query, expected):
    searches = Searches()
    searched(searches, "1", "a", ["mail", "fax"], "send the annual report")
    assert searched(searches, "2", "a", offered, query)[1] == expected


def test_a_call_ends_a_row_and_other_sessions_are_not_in_it():
    searches = Searches()
    rows = [searched(searches, str(n), "a", ["mail"], "send a report")[1] for n in range(3)]
    assert rows == [1, 2, 3]
    assert searched(searches, "8", "b", ["mail"], "send a report")[1] == 1
    _, missed, _ = searches.followed("mail", "a")
    assert [s.decision for s in missed] == ["1", "0"]
    assert searched(searches, "9", "a", ["mail"], "send a report")[1] == 1


def test_what_a_host_asks_on_its_own_is_no_reformulation():
    searches = Searches()
    assert [searched(searches, str(n), "a", ["mail"], "send a report", False)[1] for n in range(3)] == [1, 1, 1]
    assert searches.followed("mail", "a")[1] == []


def test_a_session_has_another_name():
    searches = Searches()
    search, _ = searched(searches, "1", "a", ["mail"], "send a report")
    searches.also("a", "key")
    assert searches.followed("mail", "key")[0] is search
    searches.also("unknown", "key")


def test_the_longest_unheard_of_is_forgotten():
    searches = Searches(most=2, kept=2)
    for session in "abc":
        for n in range(3):
            searched(searches, f"{session}{n}", session, [f"tool{n}"], f"query {session} {n}")
    assert searches.followed("tool2", "a") is None
    assert searches.followed("tool0", "c") is None
    assert searches.followed("tool1", "c")[0].decision == "c1"
    assert searches.followed("tool0", "c", "a0") is None


def test_many_threads_search_and_call():
    searches, found = Searches(), []

    def work(session):
        for n in range(200):
            searched(searches, f"{session}{n}", session, ["mail"], f"query {n}")
            found.append(searches.followed("mail", session)[0].decision == f"{session}{n}")

    threads = [threading.Thread(target=work, args=(s,)) for s in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 800
    assert all(found)
