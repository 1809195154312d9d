import logging
import threading

import pytest

import habits
from hosts import run_example
from shgat import InputError
from shgat.integrations import ToolFilter, ToolSearch, filter_tools

TOOLS = habits.chat_tools()


@pytest.fixture
def search(tmp_path):
    with habits.open_search(tmp_path, TOOLS) as opened:
        yield opened


def asked(text):
    return [{"role": "user", "content": text}]


def names(tools):
    return [t["function"]["name"] for t in tools]


def answered(name, content="done", key="c1"):
    return [
        {"role": "assistant", "tool_calls": [{"id": key, "type": "function", "function": {"name": name, "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": key, "content": content},
    ]


def test_the_same_objects_come_back_in_their_order(search):
    kept = filter_tools(TOOLS, asked("query the logs and send a letter"), 4, by=search)
    assert len(kept) == 4
    places = [next(i for i, t in enumerate(TOOLS) if t is tool) for tool in kept]
    assert places == sorted(places)
    assert {"query_logs", "send_letter"} <= set(names(kept))


def test_a_vendors_tools_and_those_named_stay(search):
    vendor = {"type": "web_search"}
    kept = ToolFilter(search, 1, always=["book_room"])([vendor, *TOOLS], asked("send a letter"), always=("plot_chart",))
    assert kept[0] is vendor
    assert names(kept[1:]) == ["send_letter", "book_room", "plot_chart"]


def test_a_conversation_only_gains_tools_and_keeps_what_it_called(search):
    cut = ToolFilter(search, 2)
    messages = asked("send a letter")
    first = names(cut(TOOLS, messages))
    messages += [*answered("query_logs"), *asked("plot a chart")]
    second = names(cut(TOOLS, messages))
    assert set(first) | {"query_logs", "plot_chart"} <= set(second)
    assert len(second) < len(TOOLS)
    assert len(names(ToolFilter(search, 2, stable=False)(TOOLS, asked("book a room"), "other"))) == 2


def test_a_short_list_and_a_conversation_without_a_wish_stay_whole(search):
    cut = ToolFilter(search, 3)
    assert cut(TOOLS[:3], asked("send a letter")) == TOOLS[:3]
    assert cut(TOOLS, [{"role": "system", "content": "Be kind"}]) == TOOLS


def test_where_ranking_fails_all_tools_stay(search, caplog):
    cut = ToolFilter(search, 2)
    search._ranker.slots = None
    with caplog.at_level(logging.WARNING, "shgat"):
        assert cut(TOOLS, asked("send a letter")) == TOOLS
        assert cut(TOOLS, 3) == TOOLS
    assert "tools are not filtered" in caplog.text


def test_each_call_is_learned_from_once(search):
    cut = ToolFilter(search, 4)
    messages = asked("send a letter to Anna")
    cut(TOOLS, messages)
    messages += answered("send_letter", "Error: no stamps")
    cut(TOOLS, messages)
    cut(TOOLS, [*messages, *answered("letter_service", key="c2")])
    assert cut.observe([*messages, *answered("letter_service", key="c2")]) == 0
    assert [(t.tools, t.outcome) for t in habits.traces(search)] == [(("send_letter",), 0.0), (("letter_service",), 1.0)]


def test_many_threads_filter(search):
    cut, kept = ToolFilter(search, 2), []
    threads = [threading.Thread(target=lambda w=w: kept.append(len(cut(TOOLS, asked(w))))) for w in habits.FIRST]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept == [2] * len(habits.FIRST)


def test_a_bare_model_filters_too():
    assert names(filter_tools(TOOLS, "book a room", 1, by=ToolSearch.open(TOOLS))) == ["book_room"]
    with pytest.raises(InputError, match="k"):
        ToolFilter(ToolSearch.open(TOOLS), 0)


def test_it_learns_a_habit(search):
    cut, one = ToolFilter(search, 2), ToolFilter(search, 1, learn=False)

    def use(wish, session):
        messages = asked(wish)
        for n, tool in enumerate(sorted(names(cut(TOOLS, messages, session)), key=habits.worked)):
            messages += answered(tool, "done" if habits.worked(tool) else "Error: it does not", f"c{n}")
        cut(TOOLS, messages, session)

    def first(wish):
        return names(one(TOOLS, asked(wish), f"judge {wish} {search.counts['searches']}"))[0]

    assert habits.hits(first, habits.LATER) == 0.0
    habits.live_through(use)
    assert habits.trained(search).accepted
    assert habits.hits(first, habits.LATER) == 1.0


def test_the_example_runs(tmp_path):
    assert run_example("filter_tools", tmp_path) == ["offered: ['send_fax', 'send_mail']", "learned from: 1 call"]
