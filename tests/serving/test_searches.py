"""Which search a call follows, and which searches ask for much the same again."""

import numpy as np

from shgat.serving.searches import PERSISTENT, History, Search, note

X, Y = np.eye(2, dtype=np.float32)


def searched(history, decision, offered=("a", "b"), unit=X, words=(), explicit=True):
    search = Search(decision, tuple(offered), unit, frozenset(words), explicit)
    history.append(search)
    return search


def test_a_call_follows_the_search_that_it_names():
    history = History()
    first = searched(history, "1")
    searched(history, "2")
    assert history.following("a", "1") is first


def test_a_call_that_names_none_follows_the_latest_that_offered_the_tool():
    history = History()
    first, second = searched(history, "1", ("a",)), searched(history, "2", ("b",))
    assert history.following("a", "") is first
    assert history.following("b", "unknown") is second
    assert history.following("c", "") is None


def test_searches_for_much_the_same_in_a_row():
    history = History()
    rows = [history.in_a_row(searched(history, str(i))) for i in range(3)]
    assert rows == [1, 2, 3]
    assert history.in_a_row(searched(history, "other", unit=Y)) == 1
    assert history.in_a_row(searched(history, "again")) == 1  # something else was asked in between


def test_a_call_ends_the_row():
    history = History()
    searched(history, "1").calls = 1
    assert history.in_a_row(searched(history, "2")) == 1


def test_what_answers_the_last_would_have_answered_those_before():
    history = History()
    first, second = searched(history, "1"), searched(history, "2")
    third = searched(history, "3")
    searched(history, "later", unit=Y)
    assert history.missed(third) == [second, first]
    assert history.missed(first) == []


def test_without_vectors_words_tell():
    history = History()
    searched(history, "1", unit=None, words=("send", "mail", "boss"), offered=("a",))
    assert history.in_a_row(searched(history, "2", unit=None, words=("mail", "boss"), offered=("b",))) == 2
    assert history.in_a_row(searched(history, "3", unit=None, words=("weather",), offered=("c",))) == 1
    assert history.in_a_row(searched(history, "4", unit=None, offered=())) == 1


def test_without_vectors_what_answers_them_tells_too():
    history = History()
    searched(history, "1", ("mail", "fax"), None, ("send",))
    assert history.in_a_row(searched(history, "2", ("mail", "fax", "post"), None, ("weather",))) == 2


def test_what_a_host_asks_on_its_own_is_no_reformulation():
    history = History()
    rows = [history.in_a_row(searched(history, str(i), explicit=False)) for i in range(3)]
    assert rows == [1, 1, 1]
    assert history.missed(history[-1]) == []
    assert history.in_a_row(searched(history, "own")) == 1


def test_the_oldest_is_forgotten():
    history = History(kept=2)
    for i in range(4):
        searched(history, str(i), (str(i),))
    assert [s.decision for s in history] == ["2", "3"]
    assert history.following("0") is None


def test_a_query_is_kept_as_its_words():
    search = Search.of("d", ["a"], "Send the report!")
    assert search.words == {"send", "report"} | (search.words - {"send", "report"})
    assert search.offered == ("a",)


def test_what_a_model_is_told():
    assert note(1, True) == ""
    assert "No tool here answers this" in note(1, False, " Look at mail.")
    assert note(1, False, " Look at mail.").endswith("Look at mail.")
    assert note(PERSISTENT, True).startswith(f"This is search {PERSISTENT} in a row")
