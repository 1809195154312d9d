"""What came of calls becomes feedback: to the search that a call follows, to those before it, or to a decision of its own."""

import asyncio

import pytest

from scripted_servers import CHAT, FILES, MAIL
from shgat import Catalog
from shgat.gateway.calling import Feedback
from shgat.gateway.facts import Facts
from shgat.gateway.searching import Searching
from shgat.gateway.sessions import Session
from shgat.gateway.tools import Tools
from shgat.gateway.upstream import Reply
from shgat.serving import Ranker
from shgat.store import Store

SERVERS = ("chat", "files", "mail")


class World:
    """A ranker, a session, and the store afterwards."""

    def __init__(self, folder, keep_sizes=False):
        self.url = f"sqlite:///{folder}/s.db"
        self.ranker = Ranker.open(self.url, Catalog.from_records([], []), mode="off")
        self.facts = Facts(None)
        self.tools = Tools(self.ranker, self.facts)
        for name, listed in zip(SERVERS, (CHAT, FILES, MAIL), strict=True):
            self.tools.take(name, listed, SERVERS)
        self.searching, self.session = Searching(self.tools, 5), Session()
        self.feedback = Feedback(self.ranker, self.searching.worked, self.facts, keep_sizes)

    def search(self, query):
        return self.searching.search(query, list(self.session.used), SERVERS, self.session).noted(self.session).search

    def called(self, tool, outcome="worked", search=None, arguments=None, result=None):
        reply = Reply(result, outcome, "", 12.5)
        asyncio.run(self.feedback.tell(self.session, search, self.tools.find(tool)[0], reply, arguments))

    def traces(self):
        self.ranker.close()
        with Store.open(self.url) as store:
            return list(store.traces()), {d.id: d for d in store.decisions()}


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path)
    yield found
    found.ranker.close()


def test_a_call_is_the_feedback_to_its_search(world):
    search = world.search("send an email")
    world.called("mail/send_message", search=search)
    ((trace,), decisions) = world.traces()
    assert (trace.decision_id, trace.tools, trace.outcome, trace.duration_ms) == (
        search.decision,
        ("mail/send_message",),
        1.0,
        12.5,
    )
    assert decisions[search.decision].ranked[0].id == "mail/send_message"
    assert decisions[search.decision].session == world.session.id


@pytest.mark.parametrize("outcome", ["failed", "protocol error", "time-out"])
def test_what_failed_is_a_failure_and_says_no_more_than_how(world, outcome):
    world.called("mail/send_message", outcome, world.search("send an email"))
    ((trace,), _) = world.traces()
    assert (trace.outcome, trace.error) == (0.0, outcome)
    assert list(world.session.used) == []


def test_a_server_that_ended_is_not_its_tools_fault(world):
    world.called("mail/send_message", "gone", world.search("send an email"))
    assert world.traces()[0] == []


def test_every_call_after_one_search_counts(world):
    search = world.search("send an email")
    world.called("mail/search_mail", "failed", search)
    world.called("mail/send_message", search=search)
    traces, decisions = world.traces()
    assert [(t.tools[0], t.outcome) for t in traces] == [("mail/search_mail", 0.0), ("mail/send_message", 1.0)]
    assert len({t.decision_id for t in traces}) == 2
    assert len({decisions[t.decision_id].intent_hash for t in traces}) == 1
    assert decisions[traces[1].decision_id].context_tools == ()


def test_a_loop_of_calls_after_one_search_teaches_once_and_is_counted(world):
    search = world.search("read a file")
    for outcome in ("worked", "worked", "failed", "worked", "failed"):
        world.called("files/read_file", outcome, search)
    for _ in range(3):
        world.called("files/write_file")
    traces, _ = world.traces()
    assert [(t.tools[0], t.outcome) for t in traces] == [
        ("files/read_file", 1.0),
        ("files/read_file", 0.0),
        ("files/write_file", 1.0),
    ]
    world.facts.keep_servers({})
    tools = world.facts.to_dict()["tools"]
    assert tools["files/read_file"]["repeats"] == {"worked": 2, "failed": 1}
    assert tools["files/write_file"]["repeats"] == {"worked": 2}


def test_a_call_that_follows_no_search_has_a_decision_of_its_own(world):
    world.called("mail/search_mail")
    world.called("mail/send_message")
    traces, decisions = world.traces()
    last = decisions[traces[1].decision_id]
    assert [r.id for r in last.ranked] == ["mail/send_message"]
    assert (last.context_tools, last.intent_hash, last.embedding) == (("mail/search_mail",), "none", None)


def test_what_worked_answers_the_searches_before_it_and_what_was_ignored_is_told_nothing_of(world):
    earlier = [world.search(q) for q in ("send an email to anna", "send anna an email")]
    last = world.search("please send an email to anna")
    world.called("mail/send_message", search=last)
    traces, decisions = world.traces()
    assert {t.decision_id for t in traces} == {s.decision for s in (*earlier, last)}
    assert {t.tools for t in traces} == {("mail/send_message",)}
    assert all(t.outcome == 1.0 for t in traces)
    assert [t.decision_id for t in traces if t.duration_ms is not None] == [last.decision]  # only one was executed
    assert all(len(decisions[s.decision].ranked) == 5 for s in earlier)


def test_a_failure_answers_nothing(world):
    world.search("send an email to anna")
    world.called("mail/send_message", "failed", world.search("send anna an email"))
    assert len(world.traces()[0]) == 1


def test_only_sizes_are_counted_and_only_where_somebody_asked(tmp_path):
    world = World(tmp_path, keep_sizes=True)
    world.called("mail/send_message", arguments={"to": "secret@example.org"})
    world.called("mail/send_message", "failed", arguments=None, result={"a": 1})
    assert world.facts.to_dict()["tools"]["mail/send_message"].get("sizes") is None  # with the next change
    world.facts.keep_servers({})
    sizes = world.facts.to_dict()["tools"]["mail/send_message"]["sizes"]
    assert sizes["calls"] == 2
    assert sizes["arguments"] == len(b'{"to":"secret@example.org"}') + len(b"null")
    world.ranker.close()


def test_nothing_of_arguments_and_results_is_on_the_disk(world, tmp_path):
    world.called("mail/send_message", "failed", world.search("send an email"), {"to": "canary-in"}, {"x": "canary-out"})
    world.traces()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"canary" not in path.read_bytes(), path
