import contextlib
import io
import shutil

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shgat import Catalog, CatalogError, InputError
from worlds import SAMPLE, SETS, real_set, records

E = np.eye(8, dtype=np.float32)
TOOLS = [{"id": "a"}, {"id": "b"}]


def write(folder, tools=(), capabilities=(), tools_npy=None):
    folder.mkdir(exist_ok=True, parents=True)
    for name, rows in (("tools", tools), ("capabilities", capabilities)):
        (folder / f"{name}.jsonl").write_bytes(b"".join(r if isinstance(r, bytes) else orjson.dumps(r) + b"\n" for r in rows))
    if tools_npy is not None:
        np.save(folder / "tools.npy", tools_npy)
    return folder


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


def test_without_embeddings(tmp_path):
    loaded = Catalog.load(write(tmp_path, TOOLS, [{"id": "c", "tools": ["a"]}]))
    assert not loaded.has_embeddings
    with pytest.raises(CatalogError, match=r"tools\.npy"):
        _ = loaded.dimension


def test_a_folder_of_tools_only(tmp_path):
    write(tmp_path, TOOLS, tools_npy=E[:2].astype(np.float16))
    (tmp_path / "capabilities.jsonl").unlink()
    loaded = Catalog.load(tmp_path)
    assert loaded.capability_embeddings.shape == (0, 8)


def test_a_parent_is_a_label_and_no_membership(tmp_path):
    loaded = Catalog.load(write(tmp_path, TOOLS, [{"id": "x", "tools": ["a"], "parent": "y"}, {"id": "y", "parent": "anything"}]))
    assert loaded.hierarchy.level_of.tolist() == [0, 0]


@pytest.mark.parametrize("embedded", [True, False])
def test_what_is_saved_loads_again(tmp_path, embedded):
    tools, capabilities = records(np.random.default_rng(0))
    capabilities[0] |= {"success_rate": 0.1, "uses": 7, "text": "é\u2028"}
    if not embedded:
        tools, capabilities = ([{k: v for k, v in r.items() if k != "embedding"} for r in rs] for rs in (tools, capabilities))
    before = Catalog.from_records(tools, capabilities)
    folder = tmp_path / "new" / "folder"
    Catalog.load(SAMPLE).save(folder)
    before.save(folder)  # over another one
    assert Catalog.load(folder).checksum == before.checksum
    assert {p.name for p in folder.iterdir()} == {
        f"{n}.{e}" for n in ("tools", "capabilities") for e in ("jsonl", "npy")[: 1 + embedded]
    }


def test_a_place_that_takes_no_catalogue(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", "nul\0byte"):
        with pytest.raises(InputError, match="cannot write"):
            Catalog.load(SAMPLE).save(folder)


def test_order_of_members_does_not_matter():
    tools, capabilities = records(np.random.default_rng(0))
    turned = [{**c, "tools": c["tools"][::-1], "capabilities": c["capabilities"][::-1]} for c in capabilities]
    assert Catalog.from_records(tools, turned).fingerprint == Catalog.from_records(tools, capabilities).fingerprint


def test_with_isolated_tool_is_the_catalogue_built_with_it():
    tools, capabilities = records(np.random.default_rng(0))
    small, whole = Catalog.from_records(tools[:-1], capabilities), Catalog.from_records(tools, capabilities)
    grown = small.with_isolated_tool(whole.tools[-1])
    assert grown.fingerprint == whole.fingerprint
    assert grown.tool_column == whole.tool_column
    np.testing.assert_array_equal(grown.tool_embeddings, whole.tool_embeddings)


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
        ([{"id": "a", "embedding": [1.0] * 7 + [None]}], [], ["the embedding of 'a' is not an array of numbers"]),
        ([{"id": "a", "embedding": [E[0]]}], [], ["tool 'a' has shape (1, 8)"]),
        ([{"id": 7}], [], ["the id of a tool is a non-empty string, not 7"]),
        ([{"id": ""}], [], ["the id of a tool is a non-empty string"]),
        ([{"id": "\ud800"}], [], ["lone surrogate"]),
        (["a"], [], ["a tool is a record with an id, not str"]),
        (TOOLS, [{"id": "c", "tools": "a"}], ["capability 'c': tools is a list of strings"]),
        (TOOLS, [{"id": "c", "tools": [None]}], ["capability 'c': tools[0] is a non-empty string"]),
        (TOOLS, [{"id": "c", "success_rate": None}], ["capability 'c': success_rate is a number, not None"]),
        (TOOLS, [{"id": "c", "success_rate": 1.5}], ["capability 'c': success_rate lies in [0, 1]"]),
        (TOOLS, [{"id": "c", "uses": None}], ["capability 'c': uses is a number, not None"]),
        (TOOLS, [{"id": "c", "uses": True}], ["capability 'c': uses is a number, not True"]),
        (TOOLS, [{"id": "c", "text": 1}], ["'c': text is a string, not 1"]),
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


def test_a_folder_names_every_fault_at_once(tmp_path):
    tools = [{"id": "a"}, {"id": 3}, b"{not json\n", {"id": "b", "text": None}, {"id": "b"}]
    capabilities = [
        {"id": "c", "tools": ["gone"], "capabilities": ["odd", "none"]},
        {"id": "odd", "uses": None},
        {"id": "d", "parent": "no"},
    ]
    found = faults(lambda: Catalog.load(write(tmp_path, tools, capabilities, tools_npy=np.ones((3, 8)))))
    for part in (
        "tools.jsonl, line 2: the id of a tool",
        "tools.jsonl, line 3: not JSON",
        "tools.npy has 3 rows, but tools.jsonl has 5 lines",
        "capabilities.jsonl, line 2: capability 'odd': uses",
        "tool id 'b' occurs 2 times",
        "unknown capability 'none'",
    ):
        assert sum(part in fault for fault in found) == 1, part
    assert len(found) == 6  # 'gone' may be the line that is no JSON, 'odd' is there and unreadable


def test_embeddings_stay_with_their_lines_after_a_broken_one(tmp_path):
    rows = np.ones((3, 8))
    rows[2] = np.nan
    found = faults(lambda: Catalog.load(write(tmp_path, [{"id": "a"}, {"id": 0}, {"id": "b"}], tools_npy=rows)))
    assert any("tool 'b' holds NaN" in fault for fault in found)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "readable"),
        (b"\x93NUMPY", "readable"),
        (b"PK\x05\x06" + 18 * b"\0", "archive"),
    ],
)
def test_a_bad_array_file(tmp_path, content, part):
    write(tmp_path, TOOLS)
    (tmp_path / "tools.npy").write_bytes(content)
    assert any("tools.npy" in f and part in f for f in faults(lambda: Catalog.load(tmp_path)))


@pytest.mark.parametrize("array", [np.ones(8), np.ones((2, 8), int), np.ones((2, 8), complex), np.array([[None] * 8] * 2)])
def test_an_array_of_the_wrong_kind(tmp_path, array):
    assert any("tools.npy" in f for f in faults(lambda: Catalog.load(write(tmp_path, TOOLS, tools_npy=array))))


@pytest.mark.parametrize("folder", ["nowhere", "tools.jsonl", "a\0b"])
def test_an_unreadable_folder(tmp_path, folder):
    write(tmp_path, TOOLS)
    assert "cannot read" in faults(lambda: Catalog.load(tmp_path / folder))[0]


def test_a_directory_in_place_of_a_file(tmp_path):
    (tmp_path / "tools.jsonl").mkdir()
    assert "Is a directory" in faults(lambda: Catalog.load(tmp_path))[0]


# ---------------------------------------------------------------- fuzzing: only CatalogError comes out, never another error
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=5) | st.sampled_from(["a", "b", "c"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "text", "tools", "capabilities", "success_rate", "uses", "embedding", "parent", "server"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
FUZZ = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


def load_or_refuse(folder):
    try:
        loaded = Catalog.load(folder)
    except CatalogError:
        return
    _ = loaded.hierarchy, loaded.fingerprint
    if loaded.has_embeddings:
        assert np.isfinite(loaded.tool_embeddings).all()


@FUZZ
@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_random_bytes(tmp_path, tools, capabilities, array):
    for name, content in (("tools.jsonl", tools), ("capabilities.jsonl", capabilities), ("tools.npy", array)):
        (tmp_path / name).write_bytes(content)
    load_or_refuse(tmp_path)


@FUZZ
@given(st.lists(JSON, max_size=4), st.lists(JSON, max_size=4))
def test_random_json(tmp_path, tools, capabilities):
    load_or_refuse(write(tmp_path, tools, capabilities))


@FUZZ
@given(st.lists(JSON, max_size=4), st.lists(JSON, max_size=4))
def test_random_records(tools, capabilities):
    with contextlib.suppress(InputError):
        Catalog.from_records(tools, capabilities)


@FUZZ
@given(st.sampled_from(["tools.jsonl", "capabilities.jsonl", "tools.npy", "capabilities.npy"]), st.data())
def test_mutated_catalogues(tmp_path, name, data):
    for file in ("tools.jsonl", "capabilities.jsonl", "tools.npy", "capabilities.npy"):
        shutil.copyfile(SAMPLE / file, tmp_path / file)
    content = bytearray((tmp_path / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, min(len(content), 3000) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "drop"])):
            case "flip":
                content[at] ^= 1 << data.draw(st.integers(0, 7))
            case "cut":
                del content[at + 1 :]
            case "insert":
                content[at:at] = data.draw(st.binary(min_size=1, max_size=4))
            case "drop":
                del content[at : at + data.draw(st.integers(1, 9))]
        if not content:
            break
    (tmp_path / name).write_bytes(content)
    load_or_refuse(tmp_path)


def test_a_header_that_promises_too_much(tmp_path):
    write(tmp_path, TOOLS)
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f2", "fortran_order": False, "shape": (10**12, 384)})
    (tmp_path / "tools.npy").write_bytes(buffer.getvalue() + b"\0" * 64)
    load_or_refuse(tmp_path)
