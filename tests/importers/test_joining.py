"""Findings of many sources as one catalogue: identity is (server, name), ids are stable, what differs is named."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shgat import Capability, Catalog, Tool, Trace
from shgat.importers.findings import Findings, FoundTrace
from shgat.importers.joining import Joining
from shgat.importers.known import Known


def source(name, *tools, server="", kind="mcp", **fields):
    found = Findings(name, kind, server, **fields)
    for tool in tools:
        called, _, text = tool.partition(":")
        found.add_tool(called, None, text or None)
    return found


def joined(*findings, known=None, gone=()):
    joining = Joining(known or Known(), gone)
    for found in findings:
        joining.add(found)
    return joining.finish()


def again(result):
    return Known(result.tools, result.capabilities, result.traces, result.sources)


def ids(result):
    return [tool.id for tool in result.tools]


def test_one_server_has_plain_names_several_have_theirs_in_front():
    one = joined(source("x", "read", "write", server="notes"))
    assert ids(one) == ["read", "write"]
    assert one.capabilities == [] or one.capabilities[0].id == "server:notes"
    both = joined(source("x", "read", server="notes"), source("y", "read", server="web"), source("z", "sum"))
    assert ids(both) == ["notes/read", "web/read", "sum"]
    assert [(c.id, c.tools, c.origin) for c in both.capabilities] == [
        ("server:notes", ("notes/read",), "declared"),
        ("server:web", ("web/read",), "declared"),
    ]


def test_ids_that_a_folder_gave_stay_when_another_server_comes():
    first = joined(source("x", "read", server="notes"))
    second = joined(source("y", "read", server="web"), known=again(first))
    assert ids(second) == ["read", "web/read"]
    third = joined(source("x", "read:new", "write", server="notes"), known=again(second))
    assert ids(third) == ["read", "web/read", "notes/write"]
    assert third.tools[0].text == "new"


def test_the_same_tool_in_two_sources_is_one_and_another_of_its_name_is_that_of_its_source():
    both = joined(source("a.json", "sum:Adds."), source("dir/b.json", "sum:Adds."), source("dir/c.json", "sum:Other."))
    assert ids(both) == ["sum", "c/sum"]
    assert [str(note) for note in both.notes] == ["sum: changed, another tool is called so: that of dir/c.json is c/sum"]
    assert ids(joined(source("dir/c.json", "sum:Other."), known=again(both))) == ["sum", "c/sum"]
    differ = joined(source("a", "sum:Adds.", server="s"), source("b", "sum:Other.", server="s"))
    assert [tool.text for tool in differ.tools] == ["Adds"]
    assert "the first description stays" in differ.notes[0].why


def test_ids_that_collide_are_told_apart_the_same_way_every_time():
    def once():
        return joined(source("x", "b/c", server="a"), source("y", "c", server="a/b"), source("z", "a/b/c"))

    found = once()
    assert len(set(ids(found))) == 3
    assert ids(found) == ids(once())
    assert ids(found)[0] == "a/b/c"
    assert any("~2" in note.why for note in found.notes)


def test_what_a_source_does_not_have_any_more_goes_and_what_others_have_stays():
    known = again(joined(source("a", "x", "y"), source("b", "y", "z")))
    left = joined(source("a", "w"), known=known)
    assert ids(left) == ["y", "z", "w"]
    assert ids(joined(Findings("a", error="dead"), known=known)) == ["x", "y", "z"]
    assert ids(joined(source("c", "q"), known=known, gone=["b"])) == ["x", "y", "q"]


def test_what_the_folder_has_by_hand_stays_and_is_brought_up_to_date():
    known = Known((Tool("mine"), Tool("sum", "Old.")), (Capability("set", tools=("mine", "sum"), uses=4, success_rate=0.5),))
    found = joined(source("a", "sum:New."), known=known)
    assert [(t.id, t.text) for t in found.tools] == [("mine", ""), ("sum", "New")]
    assert found.capabilities[0].tools == ("mine", "sum")
    assert (found.capabilities[0].uses, found.capabilities[0].success_rate) == (4, 0.5)


def test_groups_of_several_sources_are_one_and_lose_what_is_gone():
    a, b = source("a", "x", server="s"), source("b", "y", server="s")
    for found, name in ((a, "x"), (b, "y")):
        found.add_group("category", "Mail", "Letters", [("s", name)])
    both = joined(a, b)
    assert {c.id: c.tools for c in both.capabilities} == {"category:Mail": ("x", "y"), "server:s": ("x", "y")}
    only = joined(source("b", "z", server="s"), known=again(both))
    assert {c.id: c.tools for c in only.capabilities} == {"category:Mail": ("x",), "server:s": ("x", "z")}


def log(*traces, name="log"):
    found = Findings(name, "messages", repeats=True)
    found.traces = [FoundTrace(key, key, tools, outcome) for key, tools, outcome in traces]
    return found


def test_a_log_names_tools_as_clients_do_and_comes_last():
    found = joined(log(("1", ("mcp__notes__read",), 1.0), ("2", ("new",), 1.0)), source("x", "read", server="notes"))
    assert ids(found) == ["read", "new"]
    assert [t.tools for t in found.traces] == [("read",), ("new",)]


def test_a_definition_in_a_log_is_of_the_tool_that_it_calls_so():
    record = log(("1", ("mcp__notes__read",), 1.0))
    record.add_tool("mcp__notes__read", None, "As the client told it.")
    found = joined(record, source("x", "read:Reads.", server="notes"))
    assert [(t.id, t.text) for t in found.tools] == [("read", "Reads")]


def test_what_only_a_log_knew_becomes_the_tool_when_its_server_is_imported():
    known = again(joined(log(("1", ("mcp__notes__read", "odd"), 1.0))))
    assert ids(joined(source("x", "write"), known=known)) == ["mcp__notes__read", "odd", "write"]
    found = joined(source("x", "read", server="notes"), known=known)
    assert ids(found) == ["odd", "read"]
    assert found.traces[0].tools == ("read", "odd")
    assert found.sources["log"].tools == {"odd": ("", "odd")}


def test_traces_are_only_added_and_lose_tools_that_are_gone():
    known = again(joined(source("a", "x", "y"), log(("1", ("x", "y"), 1.0), ("2", ("x",), 0.0))))
    found = joined(source("a", "y"), known=known)
    assert [(t.id, t.tools) for t in found.traces] == [("1", ("y",))]
    more = joined(log(("3", ("y",), 1.0)), known=again(found))
    assert [t.id for t in more.traces] == ["1", "3"]


def test_an_embedding_of_a_trace_stays_while_its_intent_does():
    import numpy as np

    first = joined(source("a", "x"), log(("1", ("x",), 1.0)))
    row = np.ones(8, np.float32)
    traces = [Trace(id="1", intent="1", tools=("x",), embedding=row)]
    found = joined(source("a", "x"), log(("1", ("x",), 0.0)), known=Known(first.tools, first.capabilities, traces, first.sources))
    assert found.traces[0].outcome == 0.0
    np.testing.assert_array_equal(found.traces[0].embedding, row)


NAMES = st.sampled_from(["a", "b", "a/b", "b~2", "server:s", "s", "a.b"])
TOOLS = st.lists(st.tuples(NAMES, st.sampled_from(["", ":T", ":U"])), max_size=4)
SOURCES = st.lists(st.tuples(st.sampled_from(["", "a", "s"]), TOOLS), max_size=4)


@settings(max_examples=40)
@given(SOURCES, SOURCES)
def test_whatever_comes_ids_are_unique_and_the_second_time_nothing_changes(first, second):
    def findings(sources):
        return [source(f"f{i}", *(name + text for name, text in tools), server=server) for i, (server, tools) in enumerate(sources)]

    found = joined(*findings(first))
    found = joined(*findings(second), known=again(found))
    Catalog.from_records(found.tools, found.capabilities)  # ids unique, members known
    twice = joined(*findings(second), known=again(found))
    assert [(t.id, t.text, t.server) for t in twice.tools] == [(t.id, t.text, t.server) for t in found.tools]
    assert [(c.id, c.tools, c.capabilities) for c in twice.capabilities] == [
        (c.id, c.tools, c.capabilities) for c in found.capabilities
    ]
