"""`shgat rank`: what it shows, and one line on stderr where something is wrong."""

import inspect

import numpy as np
import orjson
import pytest

from commands import INTENT, rewrite, run
from shgat import SHGAT, Catalog
from worlds import SAMPLE

TEXTS = [orjson.loads(line) for line in (SAMPLE / "test.jsonl").read_bytes().splitlines()]


def assert_one_line(result, *parts, code=1):
    assert result.returncode == code, result
    assert result.stdout == ""
    assert result.stderr.startswith("shgat: error: ")
    assert result.stderr.count("\n") == 1
    for part in parts:
        assert part in result.stderr


def test_rank_as_json_is_what_the_model_says(ask):
    code, out, err = ask("rank", "--catalog", SAMPLE, "--intent-id", INTENT, "--json", "--top", 7)
    assert (code, err) == (0, "")
    answer = orjson.loads(out)
    row = [t["id"] for t in TEXTS].index(INTENT)
    expected = SHGAT.from_catalog(Catalog.load(SAMPLE)).rank(np.load(SAMPLE / "test.npy")[row], 7)
    assert [i["id"] for i in answer["items"]] == list(expected.ids)
    assert [i["score"] for i in answer["items"]] == expected.scores.tolist()
    assert answer["intent"]["text"] == TEXTS[row]["intent"]
    assert answer["kind"] == "tools"


def test_rank_for_people(ask):
    code, out, err = ask("rank", "--catalog", SAMPLE, "--intent-id", INTENT, "--explain")
    assert (code, err) == (0, "")
    for part in ("mail.send_message ✓", "cosine 0.185", "why", "carried by cap.write_mail"):
        assert part in out
    assert "heads" not in out


def test_an_explanation_adds_up_to_the_score_and_shows_what_decided(ask, trained):
    given = ("rank", "--catalog", SAMPLE, "--model", trained.path, "--intent-id", INTENT, "--explain", "--top", 4)
    items = orjson.loads(ask(*given, "--json")[1])["items"]
    text = ask(*given)[1]
    for name in ("probability", "score", "why", "tool", "text"):
        assert name in text.splitlines()[2]
    for item in items:
        why = item["explanation"]
        assert why["channels"]
        total = sum(why["weights"].get(name, 0.0) * value for name, value in why["channels"].items()) + why["weights"].get(
            "bonus", 0.0
        )
        assert total + why["rest"] == pytest.approx(item["score"])
        assert abs(why["rest"]) < 0.005 or f"known intents {why['rest']:+.2f}" in text
        assert f" {item['probability']:.2f} " in text
        for name, value in why["channels"].items():
            weight = why["weights"].get(name, 0.0)
            assert f"{name} {weight:.2f} x {value:+.2f} = {weight * value:+.2f}" in text
    assert "weight x its own score" in text


def test_what_the_model_can_be_asked_can_be_asked_here(ask, trained, tmp_path):
    """Every parameter of SHGAT.rank is an option, and has its effect."""
    options = {"intent": "--intent-vector", "top_k": "--top", "context_tools": "--context-tool", "candidates": "--candidate"}
    page = ask("rank", "--help")[1]
    for name in inspect.signature(SHGAT.rank).parameters:
        assert name == "self" or options.get(name, "--" + name.replace("_", "-")) in page, name
    x, text, some = (
        np.load(SAMPLE / "test.npy")[3],
        "send the invoice by mail",
        ["mail.send_message", "files.read_file", "mail.read_thread"],
    )
    np.save(tmp_path / "x.npy", x)
    given = ("rank", "--model", trained.path, "--intent-vector", tmp_path / "x.npy", "--json", "--top", "83")
    for options, kept in (
        (("--text", text), {"text": text}),
        ([part for c in some for part in ("--candidate", c)], {"candidates": some}),
        (("--min-score", "0.1"), {"min_score": 0.1}),
        (("--context-tool", some[0]), {"context_tools": some[:1]}),
    ):
        expected = trained.model.rank(x, 83, **kept)
        items = orjson.loads(ask(*given, *options)[1])["items"]
        assert [i["id"] for i in items] == list(expected.ids)
        assert [i["score"] for i in items] == expected.scores.tolist()


@pytest.mark.parametrize("shape", [(384,), (1, 384)])
def test_rank_a_vector(ask, tmp_path, shape):
    np.save(tmp_path / "x.npy", np.load(SAMPLE / "test.npy")[3].reshape(shape))
    code, out, _ = ask("rank", "--catalog", SAMPLE, "--intent-vector", tmp_path / "x.npy", "--json")
    assert code == 0
    assert [i["id"] for i in orjson.loads(out)["items"]] == [
        i["id"] for i in orjson.loads(ask("rank", "--catalog", SAMPLE, "--intent-id", INTENT, "--json")[1])["items"]
    ]


@pytest.mark.parametrize("options", [(), ("--explain",), ("--json",), ("--json", "--explain")])
@pytest.mark.parametrize("kind", ["tools", "capabilities", "sets"])
def test_every_kind(ask, kind, options):
    context = ("--context-tool", "sheets.add_pivot", "--context-tool", "files.read_file")
    code, out, err = ask("rank", "--catalog", SAMPLE, "--intent-id", "t0001", "--kind", kind, "--top", 3, *context, *options)
    assert (code, err) == (0, "")
    if "--json" in options:
        items = orjson.loads(out)["items"]
        assert len(items) == 3
        assert all(("tools" in i) == (kind == "sets") and ("explanation" in i) == ("--explain" in options) for i in items)


def test_a_text_is_encoded_by_what_lies_in_the_space_of_the_catalogue(ask):
    code, out, err = ask("rank", "please put my old messages away", "--catalog", SAMPLE, "--json", "--top", 3)
    assert code == 0
    found = orjson.loads(out)
    assert found["items"][0]["id"] == "mail.archive_message"
    assert found["encoder"].startswith("all-MiniLM-L6-v2::")
    assert ["the catalogue by all-MiniLM-L6-v2 of the same space" in why for why in found["degraded"]] == [True]
    code, out, err = ask("rank", "anything", "--catalog", SAMPLE, "--encoder", "hashed-words")
    assert (code, out, "were made by 'all-MiniLM-L6-v2'" in err) == (1, "", True)


@pytest.mark.parametrize("model", [(), ("--model",)])
def test_a_text_alone_is_ranked_by_its_words_where_nobody_knows_the_encoder_and_says_so(ask, nameless, tmp_path, model):
    SHGAT.from_catalog(Catalog.load(nameless)).save(tmp_path / "m.safetensors")
    given = (
        "rank",
        "--catalog",
        nameless,
        "--text",
        "archive old e-mails",
        *(("--model", tmp_path / "m.safetensors") if model else ()),
    )
    code, out, err = ask(*given, "--json", "--top", 3)
    assert code == 0
    items = orjson.loads(out)["items"]
    assert items[0]["id"] == "mail.archive_message"
    assert [i["score"] for i in items] == sorted((i["score"] for i in items), reverse=True)
    assert "ranked by words" in err
    some = ("--candidate", "mail.read_thread", "--candidate", "sheets.add_pivot")
    assert {i["id"] for i in orjson.loads(ask(*given, *some, "--json")[1])["items"]} == {"mail.read_thread", "sheets.add_pivot"}
    code, out, err = ask(*given[:4], "xyzzy", "--json")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "shares a word" in err


def test_rank_with_a_model(ask, tmp_path):
    SHGAT.from_catalog(Catalog.load(SAMPLE)).save(tmp_path / "m.safetensors")
    given = ("--model", tmp_path / "m.safetensors", "--intent-id", INTENT, "--json")
    assert ask("rank", "--catalog", SAMPLE, *given) == ask("rank", "--catalog", SAMPLE, "--intent-id", INTENT, "--json")
    np.save(tmp_path / "x.npy", np.load(SAMPLE / "test.npy")[3])
    assert ask("rank", "--model", tmp_path / "m.safetensors", "--intent-vector", tmp_path / "x.npy")[0] == 0


def test_rank_with_a_model_of_another_catalogue(ask, tmp_path, copied):
    SHGAT.from_catalog(Catalog.load(SAMPLE)).save(tmp_path / "m.safetensors")
    rewrite(copied, "capabilities.jsonl", lambda records: records[0]["tools"].pop())
    code, out, err = ask("rank", "--catalog", copied, "--model", tmp_path / "m.safetensors", "--intent-id", INTENT)
    assert (code, out) == (1, "")
    assert "was made for another catalogue" in err


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--intent-id", "nope"], ["'nope'", "train.jsonl, test.jsonl"]),
        (["--intent-id", INTENT, "--context-tool", "gone"], ["context_tools: unknown id 'gone'"]),
        (["--intent-id", INTENT, "--candidate", "gone"], ["unknown id 'gone'"]),
        (["--intent-id", INTENT, "--min-score", "0.5"], ["min_score needs calibrated probabilities"]),
        (["--intent-vector", str(SAMPLE / "test.npy")], ["test.npy has shape (100, 384), expected one vector"]),
        (["--intent-vector", str(SAMPLE / "test.jsonl")], ["test.jsonl is no readable .npy array"]),
        (["--intent-id", INTENT, "--model", str(SAMPLE / "tools.jsonl")], ["torn or no shgat file"]),
    ],
)
def test_wrong_arguments(ask, arguments, parts):
    code, out, err = ask("rank", "--catalog", SAMPLE, *arguments)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("shgat: error: ")
    for part in parts:
        assert part in err


@pytest.mark.parametrize("value", [np.ones(7), np.full(384, np.nan), np.full(384, 1e300), np.full(384, 1e30), np.ones(384, int)])
def test_wrong_vectors(ask, tmp_path, value):
    np.save(tmp_path / "x.npy", value)
    code, out, err = ask("rank", "--catalog", SAMPLE, "--intent-vector", tmp_path / "x.npy")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(("shgat: error: intent ", "shgat: error: x.npy holds"))


CORRUPTIONS = {
    "wrong dimension": (lambda f: np.save(f / "capabilities.npy", np.ones((40, 9), np.float16)), ["shape (9,), expected (384,)"]),
    "NaN": (lambda f: np.save(f / "tools.npy", np.full((83, 384), np.nan, np.float16)), ["'files.read_file' holds NaN"]),
    "unknown id": (lambda f: rewrite(f, "capabilities.jsonl", lambda r: r[2]["tools"].append("x.y")), ["unknown tool 'x.y'"]),
    "duplicate id": (
        lambda f: rewrite(f, "tools.jsonl", lambda r: r[1].update(id="files.read_file")),
        ["'files.read_file' occurs 2 times"],
    ),
    "null number": (
        lambda f: rewrite(f, "capabilities.jsonl", lambda r: r[0].update(uses=None)),
        ["uses is a number, not None"],
    ),
    "cycle": (lambda f: rewrite(f, "capabilities.jsonl", lambda r: r[0]["capabilities"].append(r[0]["id"])), ["membership cycle"]),
    "no JSON": (lambda f: (f / "tools.jsonl").write_bytes(b"\xff{"), ["tools.jsonl, line 1: not JSON"]),
    "unreadable": (lambda f: ((f / "tools.jsonl").unlink(), (f / "tools.jsonl").mkdir()), ["cannot read", "it is a folder"]),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_bad_catalogue_in_a_process_of_its_own(tmp_path, copied, name):
    corrupt, parts = CORRUPTIONS[name]
    corrupt(copied)
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    assert_one_line(run("rank", "--catalog", copied, "--intent-id", INTENT, cwd=tmp_path), *parts)
    assert sorted(str(p) for p in tmp_path.rglob("*")) == before


def test_a_torn_or_flipped_model_file(tmp_path, ask):
    path = tmp_path / "m.safetensors"
    SHGAT.from_catalog(Catalog.load(SAMPLE)).save(path)
    data = path.read_bytes()
    for bad in (data[: len(data) // 2], data[:-5] + bytes([data[-5] ^ 4]) + data[-4:], b""):
        path.write_bytes(bad)
        code, out, err = ask("rank", "--catalog", SAMPLE, "--model", path, "--intent-id", INTENT)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith(f"shgat: error: {path}")


def test_why_not(ask, trained):
    given = ("rank", "--catalog", SAMPLE, "--model", trained.path, "--intent-id", "t0404", "--why-not", "files.read_file")
    code, out, _ = ask(*given)
    assert code == 0
    assert "Why not files.read_file?" in out
    found = orjson.loads(ask(*given, "--json")[1])["why_not"]
    assert found["tool"] == "files.read_file"
    assert found["rank"] > 1
    assert ask("rank", "--catalog", SAMPLE, "--intent-id", "t0404", "--why-not", "nothing")[0] == 1
