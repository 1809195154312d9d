import asyncio
import logging

import pytest

import habits
from shgat import SHGAT, InputError
from shgat.integrations import ToolSearch
from shgat.integrations.offered import catalog_of
from shgat.serving import Ranker

UNRELATED = ("bake a sourdough bread", "knit a woolen scarf", "how tall is a giraffe")


@pytest.fixture
def search(tmp_path):
    with habits.open_search(tmp_path, habits.chat_tools()) as opened:
        yield opened


def test_a_ranker_and_a_bare_model_find_the_same(tmp_path, search):
    bare = ToolSearch(SHGAT.from_catalog(catalog_of(habits.chat_tools())), habits.chat_tools())
    opened = ToolSearch.open(habits.chat_tools())
    for wish in habits.FIRST:
        names = search.search(wish).names
        assert names == bare.search(wish).names == opened.search(wish).names
    assert bare.search("send a letter").search_id == ""
    assert bare.called("send_letter", True) is False


def test_only_what_the_caller_may_see_is_found(search):
    allowed = ["query_logs", "letter_service"]
    assert search.search("send a letter to Anna", allowed).names == ("letter_service", "query_logs")
    assert search.search("send a letter to Anna", []).names == ()


@pytest.mark.parametrize("query", UNRELATED)
def test_a_query_that_nothing_answers_finds_nothing(search, query):
    found = search.search(query)
    assert found.names == ()
    assert found.note.startswith("No tool here answers this")


def test_what_the_host_asks_on_its_own_is_ranked_whatever_it_is(search):
    assert len(search.search(UNRELATED[0], explicit=False).names) == 5


def test_asking_again_and_again_gets_a_word(search):
    notes = [search.search(q, session="a").note for q in ("send a letter", "send the letter", "send letter now", "letter, send it")]
    assert [bool(n) for n in notes] == [False, False, True, True]
    assert "search 3 in a row" in notes[2]
    assert search.counts["repeated"] == 3


def test_a_call_that_works_answers_the_searches_before_it_too(search):
    for query in ("send a letter", "send the letter", "send letter now"):
        search.search(query, session="a")
    search.called("letter_service", True, session="a")
    assert [t.tools for t in habits.traces(search)] == [("letter_service",)] * 3


def test_each_call_after_a_search_is_learned_from(search):
    search.search("send a letter", session="a")
    assert search.called("send_letter", ValueError("to: anna@example.org"), session="a", duration_ms=3.0)
    assert search.called("letter_service", True, session="a")
    first, second = habits.traces(search)
    assert (first.tools, first.outcome, first.error, first.duration_ms) == (("send_letter",), 0.0, "ValueError", 3.0)
    assert (second.tools, second.outcome) == (("letter_service",), 1.0)


@pytest.mark.parametrize("keep", [False, True])
def test_texts_are_kept_only_where_somebody_asked(tmp_path, keep):
    with habits.open_search(tmp_path, habits.chat_tools(), keep_texts=keep) as search:
        search.search("send a letter to Anna", session="user bertram@example.org")
        search.called("send_letter", ValueError("no such Anna"), session="user bertram@example.org")
        (trace,) = habits.traces(search)
    assert not search.called("send_letter", True, session="user bertram@example.org")  # closed
    assert trace.intent == ("send a letter to Anna" if keep else "")
    assert trace.error == ("ValueError: no such Anna" if keep else "ValueError")
    assert trace.embedding is not None
    written = (tmp_path / "tools.db").read_bytes()
    assert (b"Anna" in written) is keep
    assert b"bertram" not in written


def test_calls_that_say_nothing_are_not_learned_from(search, caplog):
    search.search("send a letter", session="a")
    assert not search.called("send_letter", None, session="a")
    assert not search.called("send_letter", True, session="nobody")
    assert not search.called("no_tool_of_these", True, session="a")
    assert (search.counts["unknown"], search.counts["linked"], search.counts["unlinked"]) == (1, 1, 1)
    with caplog.at_level(logging.WARNING, "shgat"):
        search.called("send_letter", True, search_id="no id")
        habits.settle(search)
    assert "no decision id" in caplog.text


def test_a_search_of_another_process_is_found_by_its_id(tmp_path, search):
    found = search.search("send a letter", session="a")
    habits.settle(search)
    with habits.open_search(tmp_path, habits.chat_tools()) as other:
        assert other.called("letter_service", True, search_id=found.search_id)
        habits.settle(other)
    assert [t.intent or t.tools for t in habits.traces(search)] == [("letter_service",)]


def test_where_ranking_fails_the_first_tools_come_and_why(search, caplog):
    search._ranker.slots = None  # whatever breaks
    with caplog.at_level(logging.WARNING, "shgat"):
        found = search.search("send a letter", habits.names()[:7])
    assert found.names == tuple(habits.names()[:5])
    assert found.unranked
    assert "not ranked" in found.degraded[0]


def test_an_empty_query_is_not_ranked(search):
    assert search.search(" ", ["query_logs"]).unranked
    with pytest.raises(InputError, match="k"):
        search.search("send", k=0)


def test_tools_come_and_change_while_it_runs(search):
    fax = {"type": "function", "function": {"name": "fax", "description": "Sends by telephone", "parameters": {}}}
    assert "fax" in search.search("send by telephone", [*habits.chat_tools(), fax]).names
    changed = {"type": "function", "function": {"name": "fax", "description": "Counts sheep in the meadow", "parameters": {}}}
    assert search.search("count the sheep", [*habits.chat_tools(), changed]).names[0] == "fax"
    bare = ToolSearch.open([fax])
    assert bare.search("count the sheep", [*habits.chat_tools(), changed]).names[0] == "fax"


def test_the_first_tools_that_are_offered_open_the_store(tmp_path):
    with habits.open_search(tmp_path) as search:
        with pytest.raises(InputError, match="no tool was offered yet"):
            search.ranker  # noqa: B018
        assert search.search("send a letter", habits.chat_tools()).names[0] == "send_letter"
        assert isinstance(search.ranker, Ranker)


def test_a_ranker_of_ones_own_stays_open(tmp_path):
    with Ranker.open(f"sqlite:///{tmp_path / 'x.db'}", catalog_of(habits.chat_tools()), mode="off") as ranker:
        with ToolSearch(ranker) as search:
            assert search.search("send a letter").search_id
        assert ranker.rank("send a letter").decision_id


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ToolSearch("model"), "ranker is a Ranker or an SHGAT, not str"),
        (lambda: ToolSearch.open([], mode="off"), "mode is an option of a ranker, which needs a store"),
        (lambda: ToolSearch.open([], k=0), "k"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, said):
    with pytest.raises(InputError, match=said):
        make()


def test_it_does_not_hold_up_an_event_loop(search):
    async def use():
        assert (await search.asearch("send a letter", session="a")).names
        return search.called("send_letter", True, session="a")

    assert asyncio.run(use())


def test_it_learns_a_habit(search):
    habits.assert_learned(search, lambda wish, session: search.search(wish, session=session).names)
