"""Which search a call follows, and which searches ask for much the same again."""

import numpy as np

from shgat.gateway.sessions import Search, Session, Sessions

X, Y = np.eye(2, dtype=np.float32)


def searched(session, decision, offered=("a", "b"), unit=X, words=()):
    search = Search(decision, tuple(offered), unit, frozenset(words))
    session.searches.append(search)
    return search


def test_a_call_follows_the_search_that_it_names():
    session = Session()
    first = searched(session, "1")
    searched(session, "2")
    assert session.following("a", "1") is first


def test_a_call_that_names_none_follows_the_latest_that_offered_the_tool():
    session = Session()
    first, second = searched(session, "1", ("a",)), searched(session, "2", ("b",))
    assert session.following("a", "") is first
    assert session.following("b", "unknown") is second
    assert session.following("c", "") is None


def test_searches_for_much_the_same_in_a_row():
    session = Session()
    rows = [session.in_a_row(searched(session, str(i))) for i in range(3)]
    assert rows == [1, 2, 3]
    assert session.in_a_row(searched(session, "other", unit=Y)) == 1
    assert session.in_a_row(searched(session, "again")) == 1  # something else was asked in between


def test_a_call_ends_the_row():
    session = Session()
    searched(session, "1").calls = 1
    assert session.in_a_row(searched(session, "2")) == 1


def test_what_answers_the_last_would_have_answered_those_before():
    session = Session()
    first, second = searched(session, "1"), searched(session, "2")
    third = searched(session, "3")
    searched(session, "later", unit=Y)
    assert session.missed(third) == [second, first]
    assert session.missed(first) == []


def test_without_vectors_words_tell():
    session = Session()
    searched(session, "1", unit=None, words=("send", "mail", "boss"))
    assert session.in_a_row(searched(session, "2", unit=None, words=("mail", "boss"))) == 2
    assert session.in_a_row(searched(session, "3", unit=None, words=("weather",))) == 1
    assert session.in_a_row(searched(session, "4", unit=None)) == 1


def test_sessions_are_found_by_client_and_by_decision_and_the_oldest_is_forgotten():
    sessions = Sessions(most=2)
    one = sessions.of("one")
    search = searched(one, "d")
    assert sessions.of("one") is one
    assert sessions.find("d") == (one, search)
    assert sessions.find("none") is None
    sessions.of("two")
    sessions.of("three")
    assert sessions.of("one") is not one
    assert sessions.of("one").id != one.id
