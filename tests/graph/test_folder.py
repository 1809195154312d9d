"""A catalogue's folder: what is saved loads again, and whatever the files hold, every fault is named at once."""

import io
import shutil

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import special_files
from shgat import Catalog, CatalogError, InputError
from worlds import ANY_JSON, SAMPLE, records

TOOLS = [{"id": "a"}, {"id": "b"}]


def write(folder, tools=(), capabilities=(), tools_npy=None):
    folder.mkdir(exist_ok=True, parents=True)
    for name, rows in (("tools", tools), ("capabilities", capabilities)):
        (folder / f"{name}.jsonl").write_bytes(b"".join(r if isinstance(r, bytes) else orjson.dumps(r) + b"\n" for r in rows))
    if tools_npy is not None:
        np.save(folder / "tools.npy", tools_npy)
    return folder


def faults(folder):
    with pytest.raises(CatalogError) as caught:
        Catalog.load(folder)
    assert str(caught.value).startswith(caught.value.faults[0])
    return caught.value.faults


@pytest.mark.parametrize("name", special_files.NAMES)
@pytest.mark.parametrize("file", ["tools.jsonl", "tools.npy", "capabilities.jsonl", "capabilities.npy"])
def test_what_is_no_file_is_a_fault_at_once(tmp_path, name, file):
    write(tmp_path, TOOLS, [{"id": "c", "tools": ["a"]}])
    (tmp_path / file).unlink(missing_ok=True)
    special_files.make(tmp_path, name, file)
    assert any(f"cannot read {tmp_path / file}: " in fault for fault in faults(tmp_path))


def test_a_link_to_nowhere_is_a_fault(tmp_path):
    write(tmp_path, TOOLS)
    (tmp_path / "tools.npy").symlink_to(tmp_path / "gone")
    assert any("tools.npy: No such file" in fault for fault in faults(tmp_path))


def test_without_embeddings(tmp_path):
    loaded = Catalog.load(write(tmp_path, TOOLS, [{"id": "c", "tools": ["a"]}]))
    assert not loaded.has_embeddings
    with pytest.raises(CatalogError, match=r"tools\.npy"):
        _ = loaded.dimension


def test_a_folder_of_tools_only(tmp_path):
    write(tmp_path, TOOLS, tools_npy=np.eye(2, 8, dtype=np.float16))
    (tmp_path / "capabilities.jsonl").unlink()
    loaded = Catalog.load(tmp_path)
    assert loaded.capability_embeddings.shape == (0, 8)


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


def test_a_folder_names_every_fault_at_once(tmp_path):
    tools = [{"id": "a"}, {"id": 3}, b"{not json\n", {"id": "b", "text": None}, {"id": "b"}]
    capabilities = [
        {"id": "c", "tools": ["gone"], "capabilities": ["odd", "none"]},
        {"id": "odd", "uses": None},
        {"id": "d", "parent": "no"},
    ]
    found = faults(write(tmp_path, tools, capabilities, tools_npy=np.ones((3, 8))))
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
    found = faults(write(tmp_path, [{"id": "a"}, {"id": 0}, {"id": "b"}], tools_npy=rows))
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
    assert any("tools.npy" in f and part in f for f in faults(tmp_path))


@pytest.mark.parametrize("array", [np.ones(8), np.ones((2, 8), int), np.ones((2, 8), complex), np.array([[None] * 8] * 2)])
def test_an_array_of_the_wrong_kind(tmp_path, array):
    assert any("tools.npy" in f for f in faults(write(tmp_path, TOOLS, tools_npy=array)))


@pytest.mark.parametrize("folder", ["nowhere", "tools.jsonl", "a\0b"])
def test_an_unreadable_folder(tmp_path, folder):
    write(tmp_path, TOOLS)
    assert "cannot read" in faults(tmp_path / folder)[0]


def test_a_directory_in_place_of_a_file(tmp_path):
    (tmp_path / "tools.jsonl").mkdir()
    assert "it is a folder" in faults(tmp_path)[0]


def test_what_made_the_embeddings_stays_with_the_folder(tmp_path):
    rows = [{"id": "a", "embedding": np.ones(8)}]
    for encoder in ("minilm", "", "another"):
        Catalog.from_records(rows, encoder=encoder).save(tmp_path)
        assert Catalog.load(tmp_path).encoder == encoder
    for content in (b"[1]", b'{"encoder": 7}', b"not json", b""):
        (tmp_path / "catalog.json").write_bytes(content)
        assert "catalog.json" in faults(tmp_path)[0]
        found = Catalog.load(tmp_path, strict=False)
        assert (found.encoder, len(found.tools), len(found.left_out)) == ("", 1, 1)


# ---------------------------------------------------------------- fuzzing: only CatalogError comes out, never another error
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
@given(st.lists(ANY_JSON, max_size=4), st.lists(ANY_JSON, max_size=4))
def test_random_json(tmp_path, tools, capabilities):
    load_or_refuse(write(tmp_path, tools, capabilities))


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
