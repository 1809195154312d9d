"""Searches: what they offer, nothing where nothing answers, a word after the third, and how far a description lifts a tool."""

import pytest

from scripted_servers import CHAT, FILES, MAIL, tool
from shgat import Catalog
from shgat.gateway.facts import Facts
from shgat.gateway.searching import Searching, next_tools
from shgat.gateway.sessions import Session
from shgat.gateway.tools import Tools
from shgat.serving import Ranker

SERVERS = ("chat", "files", "mail")
UNRELATED = ("train a puppy to sit", "symptoms of influenza in toddlers", "who won the world cup in 1998")


@pytest.fixture
def searching(tmp_path):
    with Ranker.open(f"sqlite:///{tmp_path}/s.db", Catalog.from_records([], []), mode="off") as ranker:
        tools = Tools(ranker, Facts(None))
        for name, listed in zip(SERVERS, (CHAT, FILES, MAIL), strict=True):
            tools.take(name, listed, SERVERS)
        yield Searching(tools, 3)


def ask(searching, session, query, ready=SERVERS):
    return searching.search(query, list(session.used), ready, session).noted(session)


def worked(searching, session, query, key):
    offer = ask(searching, session, query)
    searching._ranker.feedback(offer.search.decision, tools=[key], outcome=1.0)
    searching.worked.add(offer.search.unit, "", key)
    offer.search.calls = 1
    return offer


def test_the_tools_for_a_query_best_first_with_all_that_a_call_needs(searching):
    offer = ask(searching, Session(), "send an email")
    first = offer.to_dict()["tools"][0]
    assert (first["name"], first["server"]) == ("mail/send_message", "mail")
    assert first["input_schema"] == MAIL[0]["inputSchema"]
    assert list(offer.scores) == sorted(offer.scores, reverse=True)
    assert len(offer.tools) == 3
    assert offer.note == ""


def test_only_servers_that_are_ready_are_offered(searching):
    offer = ask(searching, Session(), "send an email", ready=("chat", "files"))
    assert {t.server for t in offer.tools} <= {"chat", "files"}
    assert ask(searching, Session(), "send an email", ready=()).tools == ()


@pytest.mark.parametrize("query", UNRELATED)
def test_a_query_that_nothing_answers_gets_nothing_and_is_told_so(searching, query):
    offer = ask(searching, Session(), query)
    assert offer.to_dict()["tools"] == []
    assert offer.note.startswith("No tool here answers this.")
    assert searching._ranker._journal.decision(offer.search.decision).ranked == ()  # what is written down is what was shown


def test_what_worked_once_is_offered_whatever_its_words_are(searching):
    query = "brew kombucha at home"
    session = Session()
    assert ask(searching, session, query).tools == ()
    searching._ranker.feedback(session.searches[-1].decision, tools=["chat/post_message"], outcome=1.0)
    searching.worked.add(session.searches[-1].unit, "", "chat/post_message")
    assert ask(searching, Session(), query).tools[0].id == "chat/post_message"


def test_the_third_search_in_a_row_for_the_same_gets_a_directive(searching):
    session = Session()
    notes = [ask(searching, session, f"send an email to {who}").note for who in ("my boss", "the boss", "your boss", "our boss")]
    assert notes[:2] == ["", ""]
    assert notes[2].startswith("This is search 3 in a row for much the same, and nothing was called.")
    assert "tell the user so instead of searching again" in notes[2]
    assert "The servers nearest to it are: mail" in notes[2]
    assert notes[3].startswith("This is search 4")
    assert ask(searching, session, "read a file from disk").note == ""


def test_servers_that_are_being_started_are_named(searching):
    offer = searching.search("send an email", [], SERVERS, Session()).noted(Session(), ["slow"])
    assert offer.note == "Still being started: slow."


def test_a_changed_description_warns(searching):
    tools = searching._tools
    tools.take("mail", [{**MAIL[0], "description": "Sends an email, and a copy elsewhere."}, MAIL[1]], SERVERS)
    shown = ask(searching, Session(), "send an email").to_dict()["tools"]
    assert "description changed" in next(t for t in shown if t["name"] == "mail/send_message")["warning"]
    assert "warning" not in next(t for t in shown if t["name"] == "mail/search_mail")


HABITS = ("send an email to my boss", "email the team about friday")


def test_a_description_that_says_every_word_is_lifted_only_so_far(searching):
    """Where nothing was learned it may come first for what it repeats; never above what worked when the same was asked."""
    everything = " ".join([*HABITS, "read write file disk post chat channel search"] * 40)
    tools, ready = searching._tools, (*SERVERS, "spam")
    tools.take("spam", [tool("best_tool", everything)], ready)
    assert searching.search(HABITS[0], [], ready, Session()).tools[0].id == "spam/best_tool"
    for query in HABITS:
        worked(searching, Session(), query, "mail/send_message")
    for query in (*HABITS, "please send an email to my boss"):
        assert searching.search(query, [], ready, Session()).tools[0].id == "mail/send_message", query
    other = searching.search("read a file from disk", [], ready, Session())
    assert other.tools[0].id == "files/read_file"  # it repeats these words too


def test_next_is_what_came_next_before_then_what_is_near(searching):
    assert searching.suggest([], SERVERS, Session()).note == "Nothing was called yet: search first."
    searching.worked.add(None, "files/read_file", "chat/post_message")
    offer = searching.suggest(["files/read_file"], SERVERS, Session())
    assert offer.tools[0].id == "chat/post_message"
    assert "files/read_file" not in [t.id for t in offer.tools]  # just used
    assert searching.suggest(["chat/list_channels"], SERVERS, Session()).tools[0].id == "chat/post_message"


def test_next_tools_of_what_nobody_knows(searching):
    assert next_tools(searching._ranker, ["strange"], 3) is None
    assert next_tools(searching._ranker, ["mail/search_mail"], 1).ids == ("mail/send_message",)


def test_what_worked_for_one_principal_is_not_what_another_one_is_given(searching):
    one, two, nobody = Session(principal="one"), Session(principal="two"), Session()
    query = "post the news to everybody"
    for session, key in ((one, "mail/send_message"), (two, "chat/post_message")):
        offer = ask(searching, session, query)
        searching._ranker.feedback(offer.search.decision, tools=[key], outcome=1.0)
        searching.worked.add(offer.search.unit, "files/read_file", key, True, session.principal)
    assert ask(searching, one, query).tools[0].id == "mail/send_message"
    assert ask(searching, two, query).tools[0].id == "chat/post_message"
    assert searching.worked.proven(ask(searching, nobody, query).search.unit) == ""
    assert searching.worked.after("files/read_file", 3, "one") == ["mail/send_message"]
    assert searching.worked.after("files/read_file", 3) == []
    searching.worked.add(None, "files/read_file", "mail/search")
    assert searching.worked.after("files/read_file", 3, "one") == ["mail/send_message", "mail/search"]
    assert (searching.worked.times("mail/search", "one"), searching.worked.times("chat/post_message", "one")) == (1, 0)
