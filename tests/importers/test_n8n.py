"""n8n workflows: types of nodes are tools, workflows capabilities and traces."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shgat.importers.documents import read as document
from shgat.importers.findings import Findings
from shgat.importers.n8n import read


def test_workflows_are_capabilities_and_traces_in_the_order_of_their_connections(files):
    about = Findings("flows")
    read([document(files / "workflows" / name).value for name in ("invoice.json", "reply.json")], about)
    gmail, sheets, model = "n8n-nodes-base.gmail", "n8n-nodes-base.googleSheets", "@n8n/n8n-nodes-langchain.lmChatOpenAi"
    assert about.tools["n8n-nodes-base", gmail].text == "Gmail, a node of n8n: message get all, message reply"
    assert about.tools["n8n-nodes-base", sheets].text == "Google Sheets, a node of n8n: append"
    assert not any("sticky" in name or "slack" in name for _, name in about.tools)
    first, second = about.traces
    assert (first.intent, first.tools) == ("Save invoices from mail to a sheet", ("n8n-nodes-base.scheduleTrigger", gmail, sheets))
    assert (second.intent, second.tools) == ("Answer mail with a model", (gmail, model))  # a loop: in the order of the file
    assert first.capability == ("workflow", "Save invoices from mail to a sheet")
    assert about.groups[first.capability].text == "Save invoices from mail to a sheet. Every hour"
    assert [str(n) for n in about.notes] == ["Save invoices from mail to a sheet: node 5: left out, it has no type"]
    assert "xoxb" not in repr((about.tools, about.groups, about.traces))


def test_exports_and_lists_of_lists():
    flow = {"name": "A", "nodes": [{"type": "x.y"}], "connections": {}}
    for value in (flow, [flow], {"data": [flow]}, {"workflows": [{"workflow": flow}]}):
        about = Findings("x")
        read(value, about)
        assert [trace.tools for trace in about.traces] == [("x.y",)]


def test_a_workflow_without_a_name_or_without_nodes_is_named():
    about = Findings("x")
    read([{"nodes": [{"type": "x.y"}]}, {"name": "empty", "nodes": []}, {"name": "none"}, 3], about)
    assert list(about.tools) == [("x", "x.y")]
    assert [n.why for n in about.notes if n.what == "left out"] == [
        "it is no workflow: it has no nodes",
        "it is no workflow: it has no nodes",
        "it has no name",
        "it has no nodes that do something",
    ]


PART = st.recursive(
    st.none() | st.integers() | st.sampled_from(["a", "a.b", "x.stickyNote", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "name", "type", "node", "nodes", "main", "connections", "workflow", "data"]), inner, max_size=4
        )
    ),
    max_leaves=15,
)


@settings(max_examples=20)
@given(PART, PART, PART)
def test_half_broken_workflows_raise_nothing(nodes, connections, anything):
    about = Findings("x")
    read([{"name": "a", "nodes": [nodes, {"name": "a", "type": "a.b"}], "connections": connections}, anything], about)
