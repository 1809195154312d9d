"""A catalogue holds together or says everything that is wrong with it."""

import contextlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shgat import Catalog, CatalogError, InputError
from worlds import ANY_JSON, SAMPLE, SETS, real_set, records

E = np.eye(8, dtype=np.float32)
TOOLS = [{"id": "a"}, {"id": "b"}]


def faults(make):
    with pytest.raises(CatalogError) as caught:
        make()
    assert str(caught.value).startswith(caught.value.faults[0])
    return caught.value.faults


def test_the_sample_loads():
    loaded = Catalog.load(SAMPLE)
    assert (len(loaded.tools), len(loaded.capabilities), loaded.hierarchy.max_level, loaded.dimension) == (83, 40, 2, 384)


@pytest.mark.parametrize("name", SETS)
def test_real_sets_load(name):
    loaded = Catalog.load(real_set(name))
    assert loaded.dimension == 384
    assert len(loaded.tools) > 100


def test_a_parent_is_a_label_and_no_membership():
    labelled = Catalog.from_records(TOOLS, [{"id": "x", "tools": ["a"], "parent": "y"}, {"id": "y", "parent": "anything"}])
    assert labelled.hierarchy.level_of.tolist() == [0, 0]


def test_order_of_members_does_not_matter():
    tools, capabilities = records(np.random.default_rng(0))
    turned = [{**c, "tools": c["tools"][::-1], "capabilities": c["capabilities"][::-1]} for c in capabilities]
    assert Catalog.from_records(tools, turned).fingerprint == Catalog.from_records(tools, capabilities).fingerprint


def test_with_isolated_tools_is_the_catalogue_built_with_it():
    tools, _ = records(np.random.default_rng(0))
    small, whole = Catalog.from_records(tools[:-3], []), Catalog.from_records(tools, [])
    grown = small.with_isolated_tools(whole.tools[-3:])
    assert grown.fingerprint == whole.fingerprint
    assert grown.tool_column == whole.tool_column
    np.testing.assert_array_equal(grown.tool_embeddings, whole.tool_embeddings)


@pytest.mark.parametrize("embedded", [True, False])
def test_a_catalogue_is_what_its_records_give(embedded):
    tools, capabilities = records(np.random.default_rng(0))
    if not embedded:
        tools, capabilities = ([{**r, "embedding": None} for r in rows] for rows in (tools, capabilities))
    found = Catalog.from_records(tools, capabilities)
    assert Catalog.from_records(*found.records()).checksum == found.checksum


@pytest.mark.parametrize("change", [{"text": "new"}, {"success_rate": 0.5}, {"uses": 3}, {"embedding": np.ones(16)}])
def test_the_checksum_sees_everything_and_the_fingerprint_only_ids_and_memberships(change):
    tools, capabilities = records(np.random.default_rng(0))
    one, other = (Catalog.from_records(tools, [{**capabilities[0], **change}, *capabilities[1:]]) for change in ({}, change))
    assert one.fingerprint == other.fingerprint
    assert one.checksum != other.checksum


def test_what_is_taken_out_leaves_every_capability_too():
    found = Catalog.from_records(*records(np.random.default_rng(0)))
    tool, inner = next(c.tools[0] for c in found.capabilities if c.tools), "c0"
    assert any(inner in c.capabilities for c in found.capabilities)
    for item in (tool, inner):
        left = found.without(item)
        assert item not in left.tool_column.keys() | left.capability_column.keys()
        assert all(item not in c.tools + c.capabilities for c in left.capabilities)
        assert len(left.tools) + len(left.capabilities) == len(found.tools) + len(found.capabilities) - 1
        for t in left.tools:
            np.testing.assert_array_equal(
                left.tool_embeddings[left.tool_column[t.id]], found.tool_embeddings[found.tool_column[t.id]]
            )


def test_what_is_unknown_ambiguous_or_all_there_is_stays():
    a = {"id": "a", "embedding": E[0]}
    for tools, capabilities, item, message in (
        ([a], [], "x", "unknown tool or capability 'x'"),
        ([a], [a], "a", "a tool and of a capability"),
        ([a], [], "a", "all that the catalogue holds"),
    ):
        with pytest.raises(InputError, match=message):
            Catalog.from_records(tools, capabilities).without(item)


@pytest.mark.parametrize(
    ("tools", "capabilities", "expected"),
    [
        ([*TOOLS, {"id": "a"}], [], ["tool id 'a' occurs 2 times"]),
        (TOOLS, [{"id": "c"}, {"id": "c"}], ["capability id 'c' occurs 2 times"]),
        (TOOLS, [{"id": "c", "tools": ["a", "x"]}], ["capability 'c' contains the unknown tool 'x'"]),
        (TOOLS, [{"id": "c", "capabilities": ["x"]}], ["capability 'c' contains the unknown capability 'x'"]),
        (TOOLS, [{"id": "c", "capabilities": ["c"]}], ["membership cycle: 'c' -> 'c'"]),
        (TOOLS, [{"id": "c", "capabilities": ["d"]}, {"id": "d", "capabilities": ["c"]}], ["membership cycle: 'c' -> 'd' -> 'c'"]),
        ([{"id": "a", "embedding": E[0]}, {"id": "b"}], [], ["no embedding, though others have one: tool 'b'"]),
        ([{"id": "a", "embedding": E[0]}, {"id": "b", "embedding": E[0, :7]}], [], ["tool 'b' has shape (7,), expected (8,)"]),
        ([{"id": "a", "embedding": E[0] * np.nan}], [], ["tool 'a' holds NaN or infinity"]),
        ([{"id": "a", "embedding": [1e300] * 8}], [], ["tool 'a' holds NaN or infinity"]),
        ([{"id": "a", "embedding": [1e30] * 8}], [], ["tool 'a' has 1e+30 as its largest entry"]),
        ([{"id": "a", "embedding": E[0] * 0}], [], ["tool 'a' is zero everywhere"]),
        ([{"id": "a", "embedding": [1.0, 2.0]}], [], ["embeddings have 2 dimensions, at least 8"]),
        ([{"id": "a", "embedding": []}], [], ["embeddings have 0 dimensions, at least 8"]),
        (
            [{"id": "a", "embedding": []}],
            [{"id": "c", "tools": ["a"], "embedding": []}],
            ["embeddings have 0 dimensions, at least 8"],
        ),
        ([{"id": "a", "embedding": [E[0]]}], [], ["tool 'a' has shape (1, 8)"]),
        (
            [{"id": "a"}, {"id": 7}, "b"],
            [{"id": "c", "uses": True}],
            ["record 1: the id", "record 2: a tool is", "record 0: capability"],
        ),
        (
            [*TOOLS, {"id": "a"}],
            [{"id": "c", "tools": ["x"]}, {"id": "d", "capabilities": ["d", "y"]}],
            ["'a' occurs 2", "unknown tool 'x'", "unknown capability 'y'", "membership cycle: 'd' -> 'd'"],
        ),
    ],
)
def test_every_fault_is_named(tools, capabilities, expected):
    found = faults(lambda: Catalog.from_records(tools, capabilities))
    assert len(found) == len(expected)
    for sentence, part in zip(found, expected, strict=True):
        assert part in sentence


def test_all_of_one_kind_in_another_dimension_is_one_fault():
    tools = [{"id": f"t{i}", "embedding": E[0]} for i in range(3)]
    capabilities = [{"id": f"c{i}", "embedding": np.ones(9)} for i in range(20)]
    (only,) = faults(lambda: Catalog.from_records(tools, capabilities))
    assert "all 20 capability records have shape (9,), expected (8,)" in only


# ---------------------------------------------------------------- fuzzing: only InputError comes out, never another error
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ANY_JSON, max_size=4), st.lists(ANY_JSON, max_size=4))
def test_random_records(tools, capabilities):
    with contextlib.suppress(InputError):
        Catalog.from_records(tools, capabilities)


# ---------------------------------------------------------------- other ids, other catalogues
def test_a_renamed_tool_is_found_by_all_it_was_called():
    before = Catalog.from_records([*TOOLS, {"id": "d"}], [{"id": "c", "tools": ["a", "b"]}])
    after = before.renamed("a", "x").renamed("x", "y")
    assert ([t.id for t in after.tools], after.capabilities[0].tools) == (["y", "b", "d"], ("y", "b"))
    assert after.tool_column == {"a": 0, "x": 0, "y": 0, "b": 1, "d": 2}
    assert after.aliases == {"a": "y", "x": "y"}
    assert after.renamed("y", "a").tool_column == {"x": 0, "y": 0, "a": 0, "b": 1, "d": 2}  # and back
    assert before.renamed("gone", "b").tool_column["gone"] == 1  # the new one was there before somebody said so
    assert before.without("d").renamed("a", "x").without("b").aliases == {"a": "x"}
    for old, new in (("a", "b"), ("a", "c"), ("gone", "nobody")):
        with pytest.raises(InputError, match="cannot be renamed"):
            before.renamed(old, new)


def test_tools_of_another_catalogue_follow_with_the_capabilities_over_them():
    mine = Catalog.from_records(
        [{"id": "a", "embedding": E[0]}, {"id": "b", "embedding": E[1]}], [{"id": "c", "tools": ["a"], "embedding": E[2]}]
    )
    other = Catalog.from_records(
        [{"id": i, "embedding": E[n]} for n, i in enumerate(("b", "x", "y", "c2"), 3)],
        [
            {"id": "g", "tools": ["x", "y", "b"], "embedding": E[0]},
            {"id": "h", "capabilities": ["g"], "embedding": E[1]},
            {"id": "a", "tools": ["x"], "embedding": E[2]},  # the id of a tool here
        ],
    )
    both = mine.with_those_of(other, {"x", "b", "c2"})
    assert [t.id for t in both.tools] == ["a", "b", "x", "c2"]
    assert {c.id: (c.tools, c.capabilities) for c in both.capabilities} == {
        "c": (("a",), ()),
        "g": (("x", "b"), ()),
        "h": ((), ("g",)),
    }
    np.testing.assert_array_equal(both.tool_embeddings, E[[0, 1, 4, 6]])
    assert mine.with_those_of(other, {"b"}) is mine
