"""The sessions of clients: found by client and by decision."""

from shgat.gateway.sessions import Sessions
from shgat.serving.searches import Search


def test_sessions_are_found_by_client_and_by_decision_and_the_oldest_is_forgotten():
    sessions = Sessions(most=2)
    one = sessions.of("one")
    search = Search("d", ("a",))
    one.searches.append(search)
    assert sessions.of("one") is one
    assert sessions.find("d") == (one, search)
    assert sessions.find("none") is None
    sessions.of("two")
    sessions.of("three")
    assert sessions.of("one") is not one
    assert sessions.of("one").id != one.id
