"""A folder is embedded again only where it changed, traces too."""

import shutil

import numpy as np
import orjson
import pytest

from shgat import SHGAT, Catalog, EncoderError, TraceError, load_traces
from shgat.executor import Processes
from shgat.features import HashedWords, OwnEncoder
from shgat.features.kept import FILE, Kept, embed_folder
from shgat.features.static import built_in

N = 300


class Counting:
    """Hashed words that count what they are asked for."""

    def __init__(self, id="counting-1"):
        self.id, self.dimension, self.texts, self.broken = id, 800, [], False

    def encode(self, texts):
        if self.broken:
            raise OSError("gone")
        self.texts += texts
        return HashedWords().encode(texts)


@pytest.fixture
def folder(tmp_path):
    Catalog.from_records(
        [{"id": f"t{i}", "text": f"Does thing number {i}"} for i in range(N)], [{"id": "c", "tools": ["t0", "t1"]}]
    ).save(tmp_path)
    rows = [{"id": "a", "intent": "thing 7", "tools": ["t7"], "note": "mine"}, {"id": "b", "intent": "", "tools": ["t8"]}]
    (tmp_path / "train.jsonl").write_bytes(b"".join(orjson.dumps(r) + b"\n" for r in rows))
    return tmp_path


def test_one_changed_tool_is_one_text(folder):
    counting = Counting()
    done = embed_folder(folder, OwnEncoder(counting))
    assert (done.encoded, done.kept, done.traces) == (N + 1, 0, {"train.jsonl": 1})
    lines = (folder / "tools.jsonl").read_bytes().splitlines()
    lines[5] = orjson.dumps({"id": "t5", "text": "Something else"})
    (folder / "tools.jsonl").write_bytes(
        b"\n".join([*lines, orjson.dumps({"id": "new", "text": "New"})])
    )  # the .npy does not fit now
    counting.texts.clear()
    seen = []
    done = embed_folder(folder, OwnEncoder(counting), lambda n, of: seen.append((n, of)))
    assert sorted(counting.texts) == ["new New", "t5 Something else"]
    assert (done.encoded, done.kept, done.traces) == (2, N, {})
    assert seen == [(2, 2)]
    catalog = Catalog.load(folder)
    assert catalog.encoder == "counting-1"
    np.testing.assert_allclose(
        catalog.tool_embeddings, HashedWords().encode([f"{t.id} {t.text}" for t in catalog.tools]), atol=1e-6
    )


def test_another_encoder_makes_everything_anew(folder):
    embed_folder(folder, OwnEncoder(Counting()))
    assert embed_folder(folder, built_in()).encoded == N + 1
    catalog = Catalog.load(folder)
    assert (catalog.encoder, catalog.dimension) == (built_in().id, 384)
    traces = load_traces(folder / "train.jsonl", catalog, unknown="skip")
    np.testing.assert_allclose(traces.intents[0], built_in().encode(["thing 7"])[0], atol=1e-6)


def test_traces_keep_their_fields_and_say_what_made_their_embeddings(folder):
    embed_folder(folder, built_in())
    rows = [orjson.loads(line) for line in (folder / "train.jsonl").read_bytes().splitlines()]
    assert [r["encoder"] for r in rows] == [built_in().id] * 2
    assert rows[0]["note"] == "mine"
    assert np.isnan(np.load(folder / "train.npy")[1]).all()
    other = Catalog.from_records(
        [{"id": "t7", "embedding": np.ones(384)}, {"id": "t8", "embedding": np.ones(384)}], encoder="other"
    )
    with pytest.raises(TraceError, match="was made by 'all-MiniLM"):
        load_traces(folder / "train.jsonl", other, unknown="skip")


def test_where_the_encoder_fails_the_folder_stays(folder):
    embed_folder(folder, built_in())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    broken = Counting("broken-1")
    broken.broken = True
    with pytest.raises(EncoderError, match="gone"):
        embed_folder(folder, OwnEncoder(broken))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_torn_file_of_what_was_kept_is_only_slower(folder):
    embed_folder(folder, built_in())
    data = bytearray((folder / FILE).read_bytes())
    data[-3] ^= 1
    (folder / FILE).write_bytes(data)
    assert len(Kept.load(folder, built_in().id)) == 0
    assert embed_folder(folder, built_in()).encoded == N + 1
    assert SHGAT.from_catalog(Catalog.load(folder)).rank("thing number 7").ids[0] == "t7"


def test_two_processes_make_the_vectors_of_one(folder, tmp_path_factory):
    other = shutil.copytree(folder, tmp_path_factory.mktemp("other") / "catalogue")
    told = []
    with Processes(2) as executor:
        embed_folder(folder, HashedWords(), lambda done, of: told.append((done, of)), executor=executor, opened_by="hashed-words")
        assert told[:5] == [(64, N), (128, N), (192, N), (256, N), (N, N)]
        embed_folder(other, HashedWords())
        for name in ("tools.npy", "capabilities.npy", "train.npy"):
            assert (folder / name).read_bytes() == (other / name).read_bytes()
        (folder / FILE).unlink()
        with pytest.raises(EncoderError, match="in another process 'static' is"):
            embed_folder(folder, HashedWords(), executor=executor, opened_by="static")
