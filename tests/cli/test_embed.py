"""`shgat embed`, and `shgat rank TEXT`: from texts in a folder to a ranking."""

import orjson
import pytest

from shgat import Catalog
from shgat.features import HashedWords
from shgat.features.static import built_in

TOOLS = [
    {"id": "mail.send", "text": "Sends an email to somebody"},
    {"id": "weather.now", "text": "Temperature and forecast for a city"},
    {"id": "files.read", "text": "Reads a file from the disk"},
]


@pytest.fixture
def folder(tmp_path):
    Catalog.from_records(TOOLS, [{"id": "desk", "tools": ["mail.send", "files.read"]}]).save(tmp_path / "tools")
    return tmp_path / "tools"


def test_a_text_is_ranked_over_texts(ask, folder):
    code, out, err = ask("rank", "is it going to rain", "--catalog", folder, "--json", "--top", 2)
    answer = orjson.loads(out)
    assert (code, answer["items"][0]["id"], answer["encoder"]) == (0, "weather.now", built_in().id)
    assert answer["intent"] == {"text": "is it going to rain"}
    assert "has no embeddings" in err
    assert err.count("\n") == 1
    code, out, _ = ask("rank", "send a mail", "--catalog", folder, "--kind", "sets", "--explain")
    assert code == 0
    assert "desk" in out


def test_embedding_twice_encodes_once(ask, folder):
    code, out, err = ask("embed", "--catalog", folder, "--encoder", "static", "--json")
    assert (code, err) == (0, "")
    assert orjson.loads(out) == {
        "directory": str(folder), "encoder": built_in().id, "dimension": 384, "encoded": 4, "kept": 0, "traces": {},
    }  # fmt: skip
    code, out, err = ask("embed", "--catalog", folder, "--encoder", "static")
    assert "0 texts encoded" in out
    assert "4 kept" in out
    code, out, err = ask("rank", "--text", "read the file", "--catalog", folder, "--explain")
    assert (code, err) == (0, "")
    assert "lexical 0.40 x" in out


def test_another_encoder_is_refused_and_hashed_words_are_another(ask, folder):
    assert ask("embed", "--catalog", folder, "--encoder", "hashed-words")[0] == 0
    assert Catalog.load(folder).encoder == HashedWords().id
    assert orjson.loads(ask("rank", "read", "--catalog", folder, "--json")[1])["encoder"] == HashedWords().id
    code, out, err = ask("rank", "read", "--catalog", folder, "--encoder", "static")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "make both by one" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rank", "a text", "--text", "another"], "--text goes without TEXT"),
        (["rank", "--intent-id", "x", "--encoder", "static"], "--encoder goes with TEXT"),
    ],
)
def test_what_does_not_go_together_is_refused(ask, folder, arguments, said):
    code, out, err = ask(*arguments, "--catalog", folder)
    assert (code, out) == (2, "")
    assert said in err


def test_an_encoder_that_is_none_is_named(ask, folder):
    code, _, err = ask("embed", "--catalog", folder, "--encoder", "bge")
    assert code == 1
    assert "there is no encoder 'bge'" in err
