"""What a ranker does with catalogues as they are: broken ones, ones of texts, empty ones, and ones of another encoder."""

import numpy as np
import orjson
import pytest

from people import until
from shgat import Catalog, CatalogError
from shgat.features import HashedWords, embedded
from shgat.features.static import built_in
from shgat.store import Store
from worlds import SAMPLE

TOOLS = [
    {"id": "mail.send", "text": "Sends an email to somebody"},
    {"id": "calendar.add", "text": "Adds an appointment to the calendar"},
    {"id": "files.read", "text": "Reads a file from the disk"},
]


def texts_of_the_sample():
    tools, capabilities = Catalog.load(SAMPLE).records()
    return Catalog.from_records(
        [{"id": t.id, "text": t.text} for t in tools],
        [{"id": c.id, "text": c.text, "tools": c.tools, "capabilities": c.capabilities} for c in capabilities],
    )


def test_a_broken_folder_opens_without_what_is_broken_and_says_so(open_ranker, tmp_path, caplog):
    folder = tmp_path / "catalogue"
    Catalog.load(SAMPLE).save(folder)
    lines = (folder / "tools.jsonl").read_bytes().splitlines()
    lines[3] = b"{torn"
    (folder / "tools.jsonl").write_bytes(b"\n".join(lines))
    rows = np.load(folder / "tools.npy")
    rows[5] = np.nan
    np.save(folder / "tools.npy", rows)
    with pytest.raises(CatalogError):
        Catalog.load(folder)
    ranker = open_ranker(catalog=folder)
    left_out = ranker.stats()["catalogue"]["left_out"]
    assert any("tools.jsonl, line 4" in sentence for sentence in left_out)
    assert orjson.dumps(ranker.stats())
    assert len(ranker.catalog.tools) >= 81
    assert left_out[0] in caplog.text
    answer = ranker.rank(rows[0], 5)
    assert (answer.ids[0], answer.ranked_by, answer.degraded) == (ranker.catalog.tools[0].id, "model", ())


@pytest.mark.slow
def test_texts_alone_are_ranked_by_the_model_and_learned_from(open_ranker, people, sqlite_url):
    catalog = texts_of_the_sample()
    ranker = open_ranker(catalog=catalog, debounce=0.0)
    assert ranker.catalog.encoder == built_in().id
    answer = ranker.rank("send an email to the customer", 5)
    assert (answer.ranked_by, answer.degraded, answer.encoder) == ("model", (), built_in().id)
    assert answer.to_dict()["encoder"] == built_in().id
    assert ranker.stats()["encoder"] == {"id": built_in().id, "trouble": ""}
    assert ranker.rank(built_in().encode(["send an email to the customer"])[0], 5).encoder == ""
    for _, text, tools in people[:200]:
        assert ranker.feedback(ranker.rank(None, 5, text=text).decision_id, tools=tools, outcome=1.0)
    until(lambda: not ranker.stats()["waiting_for_store"])
    training = ranker.maybe_train()
    assert training.traces > 0
    assert not ranker.stats()["trouble"]
    with Store.open(sqlite_url) as store:
        assert store.encoder() == built_in().id


def test_a_vector_of_another_encoder_leaves_the_text(open_ranker):
    ranker = open_ranker(catalog=Catalog.from_records(TOOLS))
    for intent in (np.ones(800), "x", [1.0], np.full(ranker.catalog.dimension, np.nan)):
        answer = ranker.rank(intent, 1, text="read the file")
        assert (answer.ids, answer.ranked_by) == (("files.read",), "model")


def test_a_text_without_a_word_falls_back_and_says_so(open_ranker):
    ranker = open_ranker(catalog=Catalog.from_records(TOOLS))
    answer = ranker.rank(None, 3, text="?!")
    assert set(answer.ids) == {t["id"] for t in TOOLS}
    assert any("no word" in why for why in answer.degraded)


@pytest.mark.parametrize("made", [lambda: Catalog.from_records([]), lambda: Catalog.from_records([], strict=False)])
def test_an_empty_catalogue_gives_empty_answers(open_ranker, made):
    ranker = open_ranker(catalog=made())
    for kind in ("tools", "capabilities"):
        answer = ranker.rank(None, 5, kind, text="anything")
        assert answer.ids == ()
        assert answer.degraded
        assert ranker.rank(None, 5, kind, text="anything", candidates=["a"]).ids == ("a",)
    assert ranker.maybe_train() is None


def test_a_store_of_another_encoder_is_refused_at_once(open_ranker, sqlite_url):
    named = Catalog.from_records(Catalog.load(SAMPLE).records()[0], encoder="MiniLM")
    with Store.open(sqlite_url, named.dimension) as store:
        store.keep_catalog(named)
    rows = np.random.default_rng(0).standard_normal(named.tool_embeddings.shape).astype(np.float32)
    other = [{"id": t.id, "text": t.text, "embedding": row} for t, row in zip(named.tools, rows, strict=True)]
    with pytest.raises(CatalogError, match=r"'E5'.*'MiniLM'"):
        open_ranker(catalog=Catalog.from_records(other, encoder="E5"))
    with pytest.raises(CatalogError, match="another encoder"):
        open_ranker(catalog=Catalog.from_records(other))
    assert open_ranker(catalog=named).rank(rows[0], 1).ids


def test_embedding_the_texts_oneself_is_the_same_catalogue(open_ranker):
    made = texts_of_the_sample()
    assert open_ranker(catalog=made).catalog.checksum == embedded(made).checksum


def test_an_encoder_of_ones_own_that_dies_is_seen_in_the_answer_and_comes_back(open_ranker):
    class Mine:
        id, dimension, broken = "mine-1", 800, False

        def encode(self, texts):
            if self.broken:
                raise OSError("gone")
            return HashedWords().encode(texts)

    mine = Mine()
    ranker = open_ranker(catalog=Catalog.from_records(TOOLS), encoder=mine)
    answer = ranker.rank("read the file", 1)
    assert (answer.ids, answer.ranked_by, answer.encoder, answer.degraded) == (("files.read",), "model", "mine-1", ())
    mine.broken = True
    answer = ranker.rank("send a mail now", 1)
    assert (answer.ids, answer.ranked_by, answer.encoder) == (("mail.send",), "lexical", "")
    assert "gone" in answer.degraded[0]
    assert "gone" in ranker.stats()["encoder"]["trouble"]
    mine.broken = False
    until(lambda: ranker.rank("please read the file", 1).ranked_by == "model")
    assert ranker.stats()["encoder"]["trouble"] == ""


def test_a_store_that_hashed_words_were_kept_in_is_served_by_them_where_they_are_named(open_ranker, sqlite_url):
    catalog = embedded(Catalog.from_records(TOOLS), HashedWords())
    with Store.open(sqlite_url, 800) as store:
        store.keep_catalog(catalog)
    assert open_ranker(catalog=Catalog.from_records(TOOLS), encoder="hashed-words").rank("read it", 1).encoder == HashedWords().id
