"""A folder that was imported: what it remembers, and which embeddings stay."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import Catalog, InputError, load_traces
from shgat.features import HashedWords, OwnEncoder, embedded
from shgat.features.kept import Kept, embed_folder
from shgat.importers import update
from shgat.importers.folder import known
from shgat.traces import read_traces, write_traces

TOOLS = [{"name": "read", "description": "Reads."}, {"name": "write", "description": "Writes."}]


def test_a_folder_remembers_its_sources(tmp_path, files):
    update(tmp_path / "out", files / "openapi.yaml")
    held, catalog = known(tmp_path / "out")
    (name,) = held.sources
    assert name.endswith("files/openapi.yaml")
    assert len(catalog.tools) == len(held.sources[name].tools) == 5
    assert set(held.sources[name].capabilities) == {c.id for c in catalog.capabilities}
    empty, nothing = known(tmp_path / "none")
    assert (empty.tools, empty.sources, nothing) == ((), {}, None)


def test_a_broken_folder_is_left_as_it_is(tmp_path):
    out = tmp_path / "out"
    update(out, TOOLS)
    for name, text in (("sources.json", "[]"), ("sources.json", "{"), ("traces.jsonl", "{}\n"), ("tools.jsonl", "{}\n")):
        before = (out / name).read_bytes() if (out / name).exists() else None
        (out / name).write_text(text)
        with pytest.raises(InputError):
            update(out, TOOLS)
        assert (out / name).read_text() == text
        (out / name).unlink() if before is None else (out / name).write_bytes(before)
    update(out, TOOLS)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is no folder"):
        update(tmp_path / "file", TOOLS)


def test_embeddings_of_what_did_not_change_stay_and_the_encoder_makes_the_others(tmp_path):
    update(tmp_path, TOOLS, server="notes")
    encoder = HashedWords()
    catalog = embedded(Catalog.load(tmp_path), encoder)
    marked = catalog.tool_embeddings.copy()
    marked[0] = marked[0][::-1]  # no encoder makes this one
    replace(catalog, tool_embeddings=marked).save(tmp_path)
    report = update(tmp_path, [TOOLS[0], {"name": "write", "description": "Writes more."}, {"name": "cut"}], server="notes").report
    assert report.embeddings == f"1 kept, 3 made by {HashedWords().id}"
    found = Catalog.load(tmp_path)
    assert found.encoder == HashedWords().id
    np.testing.assert_array_equal(found.tool_embeddings[0], marked[0])
    np.testing.assert_allclose(found.tool_embeddings[1], HashedWords().encode(["write Writes more"])[0], rtol=1e-6)
    mean = found.tool_embeddings.sum(axis=0)
    np.testing.assert_allclose(found.capability_embeddings[0], mean / np.linalg.norm(mean), rtol=1e-5)  # nothing is said of it


def test_embeddings_of_an_encoder_of_ones_own_are_set_aside_and_come_back(tmp_path):
    update(tmp_path, TOOLS)
    rows = np.random.default_rng(0).standard_normal((2, 16)).astype(np.float32)
    texts = Catalog.load(tmp_path)
    Catalog.from_records([replace(t, embedding=row) for t, row in zip(texts.tools, rows, strict=True)], encoder="mine").save(
        tmp_path
    )
    assert update(tmp_path, TOOLS).report.embeddings == "2 kept"
    report = update(tmp_path, [*TOOLS, {"name": "cut"}]).report
    assert "2 are set aside in embedded.safetensors, as 1 texts have none yet" in report.embeddings
    assert not Catalog.load(tmp_path).has_embeddings
    assert update(tmp_path, TOOLS).report.embeddings == "2 kept"
    np.testing.assert_array_equal(Catalog.load(tmp_path).tool_embeddings, rows)
    assert Catalog.load(tmp_path).encoder == "mine"
    assert len(Kept.load(tmp_path, "mine")) == 2


def test_an_encoder_makes_only_what_an_import_had_no_embedding_for(tmp_path):
    asked = []

    def letters(texts):
        asked.extend(texts)
        return [[text.count(c) + 0.1 for c in "abcdefgh"] for text in texts]

    encoder = OwnEncoder(letters, id="letters-1", dimension=8)
    update(tmp_path, TOOLS)
    embed_folder(tmp_path, encoder)
    before = Catalog.load(tmp_path).tool_embeddings
    report = update(tmp_path, [*TOOLS, {"name": "cut"}]).report
    assert "2 are set aside" in report.embeddings
    asked.clear()
    done = embed_folder(tmp_path, encoder)
    assert (asked, done.encoded, done.kept) == (["cut "], 1, 2)
    np.testing.assert_array_equal(Catalog.load(tmp_path).tool_embeddings[:2], before)


def test_traces_keep_their_embeddings(tmp_path, files):
    update(tmp_path, files / "messages.jsonl")
    assert not (tmp_path / "traces.npy").exists()
    traces = [
        replace(t, embedding=np.full(8, i + 1, np.float32)) for i, (_, t) in enumerate(read_traces(tmp_path / "traces.jsonl"))
    ]
    write_traces(tmp_path / "traces.jsonl", traces, 8)
    update(tmp_path, files / "session.jsonl")
    found = [t for _, t in read_traces(tmp_path / "traces.jsonl")]
    assert len(found) == len(traces) + 1
    np.testing.assert_array_equal(found[1].embedding, traces[1].embedding)
    assert found[-1].embedding is None


def test_what_is_imported_can_be_embedded_and_learned_from(tmp_path, files):
    update(tmp_path, files)
    encoder = HashedWords()
    catalog = embedded(Catalog.load(tmp_path), encoder)
    traces = [t for _, t in read_traces(tmp_path / "traces.jsonl")]
    rows = encoder.encode([t.intent for t in traces])
    write_traces(
        tmp_path / "traces.jsonl", [replace(t, embedding=row) for t, row in zip(traces, rows, strict=True)], encoder.dimension
    )
    assert len(load_traces(tmp_path / "traces.jsonl", catalog)) == len(traces) == 15
