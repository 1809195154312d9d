"""A model file gives back the very model, or a ModelFileError."""

import copy
import dataclasses
import math
import struct
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import special_files
from shgat import SHGAT, Catalog, InputError, ModelFileError, SHGATConfig, load_traces
from shgat.graph import Incidence
from shgat.model import model_file
from shgat.model.bounds import check
from shgat.model.channels import CHANNELS, Fusion, Learned
from shgat.model.memory import Memory
from worlds import SAMPLE, catalog, pairs, records, trained, unit

X = unit(np.random.default_rng(0), 16)


def small(**config):
    model = trained(config=SHGATConfig(node_offsets=True, **config), n_tools=5, n_capabilities=4)
    model.set_cooccurrence(pairs(5))
    return model


DATA = small().to_bytes()


def remembering():
    """With something in every field that a training fills."""
    model, rng = small(), np.random.default_rng(1)
    vectors = np.array([unit(rng, 16) for _ in range(6)], np.float16).astype(np.float32)
    tools = Incidence.from_rows([[0], [1, 2], [3], [4], [0, 4], [2]])
    memory = Memory(tuple("abcdef"), vectors, tuple(f"a text {i}" for i in range(6)), tools)
    weights = {name: 0.1 + 0.1 * i for i, name in enumerate(CHANNELS)}
    learned = Learned(Fusion(weights, weights, 0.5), memory, tuple(model.tool_ids), frozenset(["t3"]))
    return SHGAT(dataclasses.replace(model.state, learned=learned, report={"accepted": True}))


LEARNED = remembering().to_bytes()
HEADER = 8 + struct.unpack("<Q", DATA[:8])[0]


def read(data):
    return SHGAT.from_bytes(bytes(data), "m.safetensors")


@pytest.mark.parametrize("config", [{}, {"attention": "gat"}, {"similarity": "dot", "reliability": "steps"}])
def test_round_trip_bit_for_bit(tmp_path, config):
    model = small(**config)
    model.add_tool({"id": "späť", "text": "日本", "embedding": X})
    model.save(tmp_path / "m.safetensors")
    again = SHGAT.load(tmp_path / "m.safetensors")
    assert again.config == model.config
    assert again.catalog.fingerprint == model.catalog.fingerprint
    assert again.params.layout == model.params.layout
    assert again.params.buffer.tobytes() == model.params.buffer.tobytes()
    for kind in ("tools", "capabilities"):
        np.testing.assert_array_equal(again.score(X, kind), SHGAT.load(tmp_path / "m.safetensors").score(X, kind))
        np.testing.assert_allclose(again.score(X, kind), model.score(X, kind), rtol=1e-5)
    assert again.to_bytes() == model.to_bytes()
    again.params.buffer[:] *= 0.5  # a loaded model can be trained


def test_a_file_is_what_to_bytes_says(tmp_path):
    model = small()
    model.save(tmp_path / "m.safetensors")
    assert (tmp_path / "m.safetensors").read_bytes() == model.to_bytes() == DATA


def test_a_catalogue_that_is_there_already_is_not_built_twice():
    tools, capabilities = small().catalog.records()
    known, turned = (Catalog.from_records(ts, capabilities) for ts in (tools, tools[::-1]))
    again = model_file.from_bytes(DATA, "m", known)
    assert again.catalog is known
    np.testing.assert_array_equal(SHGAT(again).score(X), read(DATA).score(X))
    other = model_file.from_bytes(DATA, "m", turned)  # other columns
    assert other.catalog is not turned
    assert other.catalog.fingerprint == known.fingerprint


VERSION_0_1 = Path(__file__).parent / "version_0_1.safetensors"
ASKED_0_1 = orjson.loads(VERSION_0_1.with_suffix(".json").read_bytes())


@pytest.mark.parametrize("asked", ASKED_0_1, ids=lambda a: "-".join([a["kind"], *(k for k in ("text", "context_tools") if k in a)]))
def test_a_file_of_version_0_1_ranks_as_it_did(asked):
    """Six tools and four capabilities, gates open, with node offsets, co-occurrence, and a weight on every channel."""
    model = SHGAT.load(VERSION_0_1)
    given = {k: asked[k] for k in ("text", "context_tools") if k in asked}
    ranking = model.rank(asked["intent"], 6, asked["kind"], **given)
    if "text" in asked:  # words were told apart otherwise: the channels are there, their scores are not the same
        assert sorted(ranking.ids) == sorted(asked["ids"])
        assert ranking.ids[0] == asked["ids"][0]
    else:
        assert list(ranking.ids) == asked["ids"]
        np.testing.assert_allclose(ranking.scores, asked["scores"], rtol=1e-6, atol=1e-6)
        if asked["kind"] == "tools":
            np.testing.assert_allclose(ranking.probabilities, asked["probabilities"], atol=1e-6)
    if asked["kind"] == "tools":
        assert set(model.learned.fusion.names) == set(CHANNELS)
    assert ranking.probabilities is None or asked["kind"] == "tools"


def test_a_file_of_version_0_1_is_written_again_with_all_it_holds():
    tensors, manifest = model_file.unpack(VERSION_0_1.read_bytes(), "before")
    again, said = model_file.unpack(SHGAT.load(VERSION_0_1).to_bytes(), "after")
    new = {"memory_outcome", "memory_timestamp"}
    assert again.keys() == tensors.keys() | new
    assert {name: said["tensors"][name] for name in tensors} == manifest["tensors"]
    fusion = said["learned"]["fusion"]
    assert (fusion.pop("fitted"), fusion.pop("home")) == (True, None)
    calibration = fusion.pop("calibration")
    assert (calibration["knots"], calibration["near"]) == ([], None)
    fusion |= {"slope": calibration["slopes"][0], "intercept": calibration["intercept"]}
    assert said["config"].pop("words") is False
    assert {**said, "tensors": 0} == {**manifest, "tensors": 0}


def test_saving_leaves_nothing_else_behind(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")
    small().save(path)
    small().save(str(path))
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]


@pytest.mark.parametrize("name", ["no/such/folder/m", "", "a\0b"])
def test_what_cannot_be_written(tmp_path, name):
    with pytest.raises(InputError, match="cannot write"):
        small().save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["nowhere", "", "a\0b"])
def test_what_cannot_be_read(tmp_path, name):
    with pytest.raises(ModelFileError, match="cannot read"):
        SHGAT.load(tmp_path / name)


@pytest.mark.parametrize("name", special_files.NAMES)
def test_what_is_no_file_is_refused_at_once(tmp_path, name):
    with pytest.raises(ModelFileError, match="cannot read"):
        SHGAT.load(special_files.make(tmp_path, name, "m"))


def test_a_report_with_a_number_json_does_not_have_is_kept_without_it():
    model = SHGAT(dataclasses.replace(small().state, report={"losses": [1.0, math.nan]}))
    assert read(model.to_bytes()).report == {"losses": [1.0, None]}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_model_that_is_not_finite_is_not_saved(tmp_path, value):
    model = small()
    model.params["w_k"][0, 0, 0] = value
    with pytest.raises(InputError, match="NaN or infinity"):
        model.save(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_numbers_json_cannot_hold_are_refused():
    with pytest.raises(InputError, match=r"manifest\.a\[1\]\.b is nan"):
        model_file.pack({}, {"a": [0, {"b": math.nan}]})


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(DATA) - 1))
def test_truncated_anywhere(length):
    with pytest.raises(ModelFileError):
        read(DATA[:length])


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, HEADER - 1, HEADER, HEADER + 1, len(DATA) - 1])
def test_truncated_at_every_seam(length):
    with pytest.raises(ModelFileError):
        read(DATA[:length])


@settings(deadline=None, max_examples=600)
@given(st.integers(0, len(DATA) - 1) | st.integers(0, HEADER + 64), st.integers(0, 7))
def test_a_flipped_bit_anywhere(at, bit):
    data = bytearray(DATA)
    data[at] ^= 1 << bit
    try:
        model = read(data)
    except ModelFileError:
        return
    assert model.to_bytes() == DATA  # a blank in the header may differ; the model may not


@settings(deadline=None, max_examples=200)
@given(st.integers(0, len(DATA)), st.binary(min_size=1, max_size=20))
def test_inserted_bytes(at, extra):
    with pytest.raises(ModelFileError):
        read(DATA[:at] + extra + DATA[at:])


@given(st.binary(max_size=300))
def test_random_bytes(data):
    with pytest.raises(ModelFileError):
        read(data)


def again(data):
    """The tensors, which may be changed, and the manifest as `pack` takes it."""
    tensors, manifest = model_file.unpack(data, "m")
    tensors = {name: array.copy() for name, array in tensors.items()}
    return tensors, {k: v for k, v in manifest.items() if k not in ("tensors", "format")}


def refused_or_usable(tensors, manifest):
    """Written by somebody with right checksums: a model that gives finite scores comes out, or ModelFileError."""
    try:
        model = read(model_file.pack(tensors, manifest))
    except ModelFileError as error:
        assert len(str(error)) < 1000  # noqa: PT017
        return False
    for kind in ("tools", "capabilities"):
        for x in (X, np.float32(1e15) * X / np.abs(X).max(), np.float32(1e-20) * X):
            assert np.isfinite(model.score(x, kind, context_tools=model.tool_ids[:2], texts=["a text"])).all()
    ranking = model.rank(X, 3, text="a text")
    assert ranking.probabilities is None or np.isfinite(ranking.probabilities).all()
    assert read(model.to_bytes()).to_bytes() == model.to_bytes()
    return True


NASTY = st.sampled_from([
    None, True, False, 0, -1, 1, 2, 3, 64, 10**9, 2**31, 2**62, -(2**62), 0.5, 3e38, -1e300, 384.0, "", "x", "16", "\0", "é" * 9,
    [], [[]], [1], {}, {"a": None}, [None], "x" * 5000, list(range(2000)),
])  # fmt: skip


def places(value, path=()):
    """Where something stands in a manifest, at any depth."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


@settings(deadline=None, max_examples=500)
@given(st.data())
def test_a_manifest_with_right_checksums_and_wrong_content(data):
    tensors, manifest = again(data.draw(st.sampled_from([DATA, LEARNED])))
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from([p for p in places(manifest) if (p and p[0] != "report") or len(p) == 1]))
        parent = manifest
        for key in place[:-1]:
            parent = parent[key]
        if data.draw(st.integers(0, 9)) == 0 and isinstance(parent, dict):
            del parent[place[-1]]
        else:
            parent[place[-1]] = copy.deepcopy(data.draw(NASTY))
    refused_or_usable(tensors, manifest)


@pytest.mark.parametrize(
    "field", ["d", "n_heads", "d_head", "n_message_heads", "n_levels", "n_tools", "n_capabilities", "child_rank"]
)
@pytest.mark.parametrize("value", [0, -1, 10**9, 2**62, 1.0, True, "4", None, [4]])
def test_a_layout_that_is_not_that_of_the_parameters_takes_neither_time_nor_memory(field, value):
    tensors, manifest = again(DATA)
    if manifest["layout"][field] != value or type(manifest["layout"][field]) is not type(value):
        manifest["layout"][field] = value
        with pytest.raises(ModelFileError, match="layout"):
            read(model_file.pack(tensors, manifest))


@settings(deadline=None, max_examples=200)
@given(data=st.data(), size=st.sampled_from([0.0, 1e-30, 30.0, 1e3, 1e6, 1e12, 1e20, 3e38, -3e38]), everywhere=st.booleans())
def test_tensors_with_right_checksums_and_wrong_numbers(data, size, everywhere):
    tensors, manifest = again(data.draw(st.sampled_from([DATA, LEARNED])))
    name = data.draw(st.sampled_from([n for n, a in tensors.items() if a.dtype.kind == "f"]))
    with np.errstate(over="ignore"):
        number = tensors[name].dtype.type(size)
    if everywhere:
        tensors[name][...] = number
    else:
        tensors[name].reshape(-1)[data.draw(st.integers(0, tensors[name].size - 1))] = number
    refused_or_usable(tensors, manifest)


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_tensors_with_right_checksums_and_wrong_shapes(data):
    tensors, manifest = again(data.draw(st.sampled_from([DATA, LEARNED])))
    name = data.draw(st.sampled_from(sorted(tensors)))
    change = data.draw(st.sampled_from([
        lambda a: a[:-1], lambda a: a[..., None], lambda a: a.reshape(-1), lambda a: a.T.copy(), lambda a: a.astype(np.float64),
        lambda a: a.astype(np.int32), lambda a: a.astype(np.int64), lambda a: a[:0], lambda a: np.concatenate([a, a]),
        lambda a: a.astype(np.uint8), lambda a: a.astype(np.float16),
    ]))  # fmt: skip
    with np.errstate(all="ignore"):
        tensors[name] = np.ascontiguousarray(change(tensors[name]))
    refused_or_usable(tensors, manifest)


@pytest.mark.parametrize("size", [1e3, 1e6, 1e12, 3e38])
def test_a_model_that_could_not_be_loaded_is_not_saved(size):
    model = small()
    for view in model.params.values():
        if view.ndim > 1:
            view[...] = size
    with pytest.raises(InputError, match="not saved: its parameters"):
        model.to_bytes()


def test_an_untrained_and_a_trained_model_need_no_trial(learned_data, monkeypatch):
    monkeypatch.setattr("shgat.model.index.build", None)
    check(read(learned_data).state)
    check(read(DATA).state)


@pytest.mark.parametrize("missing", ["params", "tool_embeddings", "capability_embeddings", "cooccurrence_indices"])
def test_a_missing_tensor(missing):
    tensors, manifest = model_file.unpack(DATA, "m")
    manifest = {k: v for k, v in manifest.items() if k not in ("tensors", "format")}
    with pytest.raises(ModelFileError, match=missing):
        read(model_file.pack({k: v for k, v in tensors.items() if k != missing}, manifest))


CRAFTED = {
    "columns too high": lambda t: t["cooccurrence_indices"].__setitem__(0, 83),
    "columns below zero": lambda t: t["cooccurrence_indices"].__setitem__(0, -1),
    "rows that end too late": lambda t: t["cooccurrence_indptr"].__setitem__(-1, 1 << 20),
    "rows that fall": lambda t: t["cooccurrence_indptr"].__setitem__(2, -(1 << 31)),
    "rows missing": lambda t: t.update(cooccurrence_indptr=t["cooccurrence_indptr"][:-1].copy()),
    "wide integers": lambda t: t.update(cooccurrence_indices=t["cooccurrence_indices"].astype(np.int64)),
    "weights missing": lambda t: t.update(cooccurrence_weights=t["cooccurrence_weights"][1:].copy()),
    "weights of NaN": lambda t: t["cooccurrence_weights"].__setitem__(0, np.nan),
    "memory: columns too high": lambda t: t["memory_indices"].__setitem__(0, 83),
    "memory: rows that end too late": lambda t: t["memory_indptr"].__setitem__(-1, 1 << 20),
    "memory: rows missing": lambda t: t.update(memory_indptr=t["memory_indptr"][:-1].copy()),
    "memory: vectors missing": lambda t: t.update(memory_vectors=t["memory_vectors"][1:].copy()),
    "memory: vectors of infinity": lambda t: t["memory_vectors"].__setitem__((0, 0), np.inf),
    "memory: vectors too short": lambda t: t.update(memory_vectors=t["memory_vectors"][:, 1:].copy()),
}


@pytest.fixture(scope="module")
def learned_data():
    """A file with a memory and co-occurrences."""
    catalog = Catalog.load(SAMPLE)
    model = SHGAT.from_catalog(catalog)
    model.set_cooccurrence([(catalog.tools[i].id, catalog.tools[i + 1].id, 1.0) for i in range(4)])
    model.fit(load_traces(SAMPLE / "train.jsonl", catalog), epochs=1, message_passing=False, node_offsets=False, force=True)
    return model.to_bytes()


@pytest.mark.parametrize("what", CRAFTED)
def test_arrays_with_right_checksums_that_the_kernels_could_not_take(learned_data, what):
    tensors, manifest = again(learned_data)
    CRAFTED[what](tensors)
    assert read(learned_data).learned is not None
    with pytest.raises(ModelFileError, match="memory" if "memory" in what else "cooccurrence"):
        read(model_file.pack(tensors, manifest))


def test_another_format():
    tensors, manifest = model_file.unpack(DATA, "m")
    with pytest.raises(ModelFileError, match="format 2; this version reads format 1"):
        read(model_file.pack(tensors, {**{k: v for k, v in manifest.items() if k != "tensors"}, "format": 2}))


def test_a_file_for_another_program():
    import safetensors.numpy

    with pytest.raises(ModelFileError, match="torn or no shgat file"):
        read(safetensors.numpy.save({"a": np.zeros(3, np.float32)}))
    assert orjson.loads(DATA[8:HEADER])["__metadata__"].keys() == {"shgat"}


def test_what_made_the_embeddings_goes_with_the_model_and_another_encoder_is_refused():
    tools, capabilities = records(np.random.default_rng(0))
    of = {name: Catalog.from_records(tools, capabilities, encoder=name) for name in ("", "MiniLM", "E5")}
    moved = {name: Catalog.from_records(tools[::-1], capabilities, encoder=name) for name in of}
    for name, made in of.items():
        data = SHGAT.from_catalog(made).to_bytes()
        assert SHGAT.from_bytes(data).catalog.encoder == name
        for catalogues in (of, moved):  # the very one, and one that it is moved to
            for other, target in catalogues.items():
                if name and other and name != other:
                    with pytest.raises(ModelFileError, match=f"made by '{other}', those of m by '{name}'"):
                        SHGAT.from_bytes(data, "m", target)
                else:
                    assert SHGAT.from_bytes(data, "m", target).catalog.encoder == other


@pytest.mark.parametrize("encoder", [7, None, ["x"], {}])
def test_an_encoder_that_is_no_name_is_refused(encoder):
    tensors, manifest = model_file.unpack(SHGAT.from_catalog(catalog()).to_bytes(), "m")
    manifest = {k: v for k, v in manifest.items() if k not in ("format", "tensors")}
    with pytest.raises(ModelFileError, match="its encoder is"):
        SHGAT.from_bytes(model_file.pack(tensors, {**manifest, "encoder": encoder}))
