"""Whatever is broken in a catalogue, the rest loads, everything healthy is there, and what is left out is named."""

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shgat import SHGAT, Catalog, CatalogError
from worlds import ANY_JSON, SAMPLE, records, unit

E = np.eye(8, dtype=np.float32)


def loose(tools, capabilities=()):
    return Catalog.from_records(tools, capabilities, strict=False)


def test_a_sound_catalogue_is_left_as_it_is():
    tools, capabilities = records(np.random.default_rng(0))
    found = loose(tools, capabilities)
    assert found.left_out == ()
    assert found.checksum == Catalog.from_records(tools, capabilities).checksum
    assert Catalog.load(SAMPLE, strict=False).checksum == Catalog.load(SAMPLE).checksum


# What can befall one tool: how, and what becomes of it. Of every kind the strict way refuses the whole.
def _duplicate(tools, i):
    tools.append({**tools[i], "text": "the second"})


def _set(**fields):
    def fault(tools, i):
        tools[i] = {**tools[i], **fields}

    return fault


def _row(make):
    def fault(tools, i):
        tools[i] = {**tools[i], "embedding": make(tools[i]["embedding"])}

    return fault


FIELD = {"text as a number": _set(text=7), "a surrogate in the text": _set(text="\ud800"), "a list as server": _set(server=["x"])}
EMBEDDING = {
    "no embedding": _set(embedding=None),
    "no numbers": _set(embedding="x"),
    "NaN": _row(lambda row: row * np.nan),
    "infinity": _row(lambda row: row * np.inf),
    "zero": _row(lambda row: row * 0),
    "too large": _row(lambda row: row * np.float32(1e30)),
    "another dimension": _row(lambda row: row[:-1]),
    "a matrix": _row(lambda row: row[None]),
}
ID = {
    "an integer": _set(id=7),
    "an empty id": _set(id=""),
    "a surrogate": _set(id="\udfff"),
    "no id": _set(id=None),
    "no record": lambda tools, i: tools.__setitem__(i, "t"),
}
FAULTS = {**FIELD, **EMBEDDING, **ID, "again": _duplicate}
FUZZ = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@FUZZ
@given(st.integers(0, 9), st.dictionaries(st.integers(0, 13), st.sampled_from(sorted(FAULTS)), min_size=1, max_size=5))
def test_everything_healthy_is_there_and_every_fault_is_named(seed, injected):
    tools, capabilities = records(np.random.default_rng(seed))
    whole = Catalog.from_records(tools, capabilities)
    broken = [dict(t) for t in tools]
    for i, name in injected.items():
        FAULTS[name](broken, i)
    with pytest.raises(CatalogError):
        Catalog.from_records(broken, capabilities)
    found = loose(broken, capabilities)
    listed = {t for c in whole.capabilities for t in c.tools}
    for i, tool in enumerate(tools):
        name, key = injected.get(i), tool["id"]
        if name in ID or (name in EMBEDDING and key not in listed):
            assert key not in found.tool_column
        else:
            row = found.tool_embeddings[found.tool_column[key]]
            if name not in EMBEDDING:
                np.testing.assert_array_equal(row, tool["embedding"])
            assert np.isfinite(row).all()
            assert row.any()
        if name is not None:
            where = f"record {i}" if name in ID else repr(key)
            assert any(where in sentence for sentence in found.left_out), (name, key, found.left_out)
    dead = {tools[i]["id"] for i, name in injected.items() if name in ID}
    dead |= {tools[i]["id"] for i, name in injected.items() if name in EMBEDDING and tools[i]["id"] not in listed}
    assert [c.id for c in found.capabilities] == [c.id for c in whole.capabilities]
    for now, before in zip(found.capabilities, whole.capabilities, strict=True):
        assert now.tools == tuple(t for t in before.tools if t not in dead)
        assert now.capabilities == before.capabilities
    assert Catalog.from_records(*found.records()).checksum == found.checksum  # and it holds together
    SHGAT.from_catalog(found).rank(unit(np.random.default_rng(1), 16))


@FUZZ
@given(st.lists(ANY_JSON, max_size=6), st.lists(ANY_JSON, max_size=6))
def test_whatever_comes_loads_and_holds_together(tools, capabilities):
    found = loose(tools, capabilities)
    assert Catalog.from_records(*found.records()).checksum == found.checksum
    try:
        sound = Catalog.from_records(tools, capabilities)
    except CatalogError:
        assert found.left_out
    else:
        assert not found.left_out
        assert sound.checksum == found.checksum


@FUZZ
@given(st.lists(st.lists(st.integers(0, 7), max_size=4), min_size=8, max_size=8))
def test_of_a_cycle_only_the_membership_goes_that_closes_it(members):
    capabilities = [{"id": f"c{i}", "capabilities": [f"c{m}" for m in inside]} for i, inside in enumerate(members)]
    found = loose([{"id": "t"}], capabilities)
    assert len(found.capabilities) == 8
    gone = [
        (c["id"], m) for c, now in zip(capabilities, found.capabilities, strict=True)
        for m in set(c["capabilities"]) - set(now.capabilities)
    ]  # fmt: skip
    assert len(gone) == len(found.left_out)
    for holder, member in gone:  # each one alone would close a cycle
        back = [c if c.id != holder else {**vars(c), "capabilities": (*c.capabilities, member)} for c in found.capabilities]
        back = [{**r, "embedding": None, "success_rate": 0.0} if isinstance(r, dict) else r for r in back]
        with pytest.raises(CatalogError, match="cycle"):
            Catalog.from_records([{"id": "t"}], back)


def test_a_dead_member_leaves_the_capability_without_it():
    found = loose([{"id": "a"}, {"id": "b"}], [{"id": "c", "tools": ["a", "gone", "b"], "capabilities": ["nowhere"]}])
    assert found.capabilities[0].tools == ("a", "b")
    assert found.left_out == (
        "capability 'c' contains the unknown tool 'gone': it is left without it",
        "capability 'c' contains the unknown capability 'nowhere': it is left without it",
    )


def test_what_has_no_embedding_inherits_one():
    tools = [{"id": "a", "embedding": E[0]}, {"id": "b"}, {"id": "c"}, {"id": "d", "embedding": E[3]}]
    capabilities = [
        {"id": "x", "tools": ["a", "b"], "embedding": E[1]},
        {"id": "y", "tools": ["a", "d"]},
        {"id": "z", "tools": ["c"]},
        {"id": "w", "capabilities": ["x"]},
    ]
    found = loose(tools, capabilities)
    assert found.left_out == (
        "tool 'b' has no embedding: it has the mean of the capabilities that contain it",
        "tool 'c' has no embedding, and no capability that has one contains it: left out",
        "capability 'y' has no embedding: it has the mean of its members",
        "capability 'z' has no embedding, and no member that has one: left out",
        "capability 'w' has no embedding: it has the mean of its members",
    )
    np.testing.assert_array_equal(found.tool_embeddings, [E[0], E[1], E[3]])
    np.testing.assert_allclose(found.capability_embeddings, [E[1], (E[0] + E[3]) / np.sqrt(2), E[1]], rtol=1e-6)


def test_where_most_tools_have_no_embedding_all_are_kept_by_their_texts():
    found = loose([{"id": "a", "embedding": E[0]}, *({"id": f"t{i}", "text": "x"} for i in range(3))])
    assert len(found.tools) == 4
    assert not found.has_embeddings
    assert "only 1 of 4 tools have an embedding" in found.left_out[0]


def test_the_dimension_is_that_of_most():
    tools = [{"id": "odd", "embedding": np.ones(9)}, *({"id": f"t{i}", "embedding": E[i]} for i in range(3))]
    found = loose(tools)
    assert found.dimension == 8
    assert found.left_out[0] == "the embedding of tool 'odd' has shape (9,), expected (8,): left out"
    few = loose([{"id": "a", "embedding": [1.0, 2.0]}])
    assert not few.has_embeddings
    assert few.left_out == ("embeddings have 2 dimensions, at least 8 are needed: 1 are left out",)


# ---------------------------------------------------------------- folders
def write(folder, tools, capabilities=(), rows=None, edges=None):
    for name, records_, matrix in (("tools", tools, rows), ("capabilities", capabilities, edges)):
        (folder / f"{name}.jsonl").write_bytes(b"".join(r if isinstance(r, bytes) else orjson.dumps(r) + b"\n" for r in records_))
        if matrix is not None:
            np.save(folder / f"{name}.npy", matrix)
    return folder


def test_a_folder_names_the_lines_and_keeps_the_rest_with_its_rows(tmp_path):
    lines = [{"id": "a"}, b"{not json\n", {"id": 3}, b'{"id": "s", "text": "\\ud800"}\n', {"id": "b", "text": 5}, {"id": "b"}]
    found = Catalog.load(write(tmp_path, lines, [{"id": "c", "tools": ["a", "x"]}], E[:6], E[:1]), strict=False)
    assert [t.id for t in found.tools] == ["a", "s", "b"]
    np.testing.assert_array_equal(found.tool_embeddings, E[[0, 3, 4]])
    for part in (
        "tools.jsonl, line 2",
        "tools.jsonl, line 3: the id",
        "line 4: tool 's': text",
        "line 5: tool 'b': text",
        "'b' occurs again",
    ):
        assert sum(part in sentence for sentence in found.left_out) == 1, part
    assert len(found.left_out) == 6


@pytest.mark.parametrize(
    ("matrix", "part"),
    [(E[:1], "tools.npy has 1 rows, but tools.jsonl has 2 lines"), (np.ones((2, 8), int), "tools.npy"), (None, "tools.npy")],
)
def test_a_matrix_that_cannot_be_used_leaves_the_texts(tmp_path, matrix, part):
    write(tmp_path, [{"id": "a"}, {"id": "b"}])
    (tmp_path / "tools.npy").write_bytes(b"no array")
    if matrix is not None:
        np.save(tmp_path / "tools.npy", matrix)
    found = Catalog.load(tmp_path, strict=False)
    assert [t.id for t in found.tools] == ["a", "b"]
    assert not found.has_embeddings
    assert part in found.left_out[0]


def test_an_empty_catalogue_loads_and_a_folder_without_one_does_not(tmp_path):
    with pytest.raises(CatalogError, match=r"cannot read .*tools\.jsonl"):
        Catalog.load(tmp_path, strict=False)
    for strict in (True, False):
        found = Catalog.load(write(tmp_path, []), strict=strict)
        assert (found.tools, found.capabilities, found.left_out) == ((), (), ())
