"""What a report counts: searches, misses, places of tools that were called, outcomes; and the page of it."""

import pytest

from scripted_servers import CHAT, MAIL
from shgat import Catalog
from shgat.errors import InputError, StoreError
from shgat.gateway.blinding import blinding
from shgat.gateway.calling import Feedback
from shgat.gateway.facts import Facts
from shgat.gateway.page import render
from shgat.gateway.report import report
from shgat.gateway.searching import Searching
from shgat.gateway.sessions import Session
from shgat.gateway.tools import Tools
from shgat.gateway.upstream import Reply
from shgat.serving import Ranker


async def _used(url, keep_texts=False):
    """A little history."""
    with Ranker.open(url, Catalog.from_records([], []), mode="off") as ranker:
        ranker.blind = None if keep_texts else blinding(b"secret")
        facts = Facts.beside(url)
        tools, session = Tools(ranker, facts), Session()
        servers = ("mail", "chat", "<b>odd</b>")
        for name, listed in zip(servers, (MAIL, CHAT, CHAT), strict=True):
            tools.take(name, listed, servers)
        searching = Searching(tools, 3)
        feedback = Feedback(ranker, searching.worked, facts, keep_sizes=True)

        def search(query):
            return searching.search(query, list(session.used), servers, session).noted(session).search

        async def call(name, outcome="worked", search=None):
            await feedback.tell(session, search, tools.find(name)[0], Reply({"x": 1}, outcome, "", 10.0), {"a": 1})

        await call("mail/send_message", search=search("send an email"))
        await call("mail/search_mail", "failed", search("search the mailbox"))
        search("train a puppy to sit")
        for query in ("post a message into the chat", "post the message into a chat"):
            search(query)
        await call("chat/post_message", search=search("post message into chat"))
        offer = searching.suggest(list(session.used), servers, session)
        assert offer.search.decision
        await call("chat/list_channels", "time-out")
        pulled = {**MAIL[0], "description": "Sends an email, and a copy elsewhere."}
        tools.take("mail", [pulled, MAIL[1]], servers)
        await call("mail/send_message")
        facts.keep_servers(
            {
                "mail": {"state": "ready", "error": "", "tools": 2},
                "<b>odd</b>": {"state": "waiting", "error": "<i>x</i>", "tools": 0},
            }
        )


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    import anyio

    url = f"sqlite:///{tmp_path_factory.mktemp('report')}/s.db"
    anyio.run(_used, url)
    return url


def test_what_was_searched_found_and_missed(url):
    found = report(url)
    assert found["searches"] == {
        "searches": 6, "nothing_offered": 1, "called": 3, "worked": 2, "answered_by_a_later_call": 2, "repeated": 2, "with_directive": 1,
    }  # fmt: skip
    assert (found["suggestions"], found["calls_without_search"]) == (1, 2)
    assert sum(b["calls"] for b in found["learning"]) == 3
    assert all(0.0 <= b["hit_at_1"] <= b["offered"] <= 1.0 for b in found["learning"])
    assert [m["without_call"] for m in found["missed"]] == [1]
    assert len(found["found"]) == 5
    assert all(q["query"].startswith("#") and len(q["query"]) == 11 for q in (*found["missed"], *found["found"]))


def test_each_tool_under_its_own_name_whatever_it_says_by_now(url):
    tools = {t["tool"]: t for t in report(url)["tools"]}
    send = tools["mail/send_message"]
    assert (send["called"], send["worked"], send["success_rate"], send["p50_ms"]) == (2, 2, 1.0, 10.0)
    assert tools["mail/search_mail"]["failures"] == {"failed": 1}
    assert tools["chat/list_channels"]["failures"] == {"time-out": 1}
    assert not any("@" in name for name in tools)


def test_what_is_flagged_how_servers_are_and_sizes(url):
    found = report(url)
    assert [f["tool"] for f in found["flagged"]] == ["mail/send_message"]
    assert found["servers"]["mail"]["state"] == "ready"
    assert found["sizes"]["mail/send_message"]["calls"] == 2


@pytest.mark.slow
def test_queries_by_their_texts_where_they_are_kept(tmp_path):
    import anyio

    url = f"sqlite:///{tmp_path}/s.db"
    anyio.run(_used, url, True)
    assert [m["query"] for m in report(url)["missed"]] == ["train a puppy to sit"]


def test_only_of_a_user_and_of_the_last_days(url):
    assert report(url, user="nobody")["searches"]["searches"] == 0
    assert report(url, days=0.001, now=4e9)["searches"]["searches"] == 0
    with pytest.raises(InputError, match="days"):
        report(url, days=0.0)
    with pytest.raises(StoreError, match="does not exist"):
        report("sqlite:////nowhere/at/all.db")


def test_the_page_stands_alone_and_escapes_what_others_say(url):
    page = render(report(url))
    assert page.startswith("<!doctype html>")
    for said in ("Learning", "Servers", "Changed descriptions", "mail/send_message", "<svg", "time-out 1", "&lt;i&gt;x&lt;/i&gt;"):
        assert said in page, said
    assert "<b>odd</b>" not in page
    assert "<i>x</i>" not in page
    assert "src=" not in page
    assert "<script" not in page
