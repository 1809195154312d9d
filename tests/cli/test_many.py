"""`shgat rank --bulk`: a file in, a file out."""

import csv

import orjson
import pyarrow.parquet as pq
import pytest

from worlds import SAMPLE


@pytest.fixture
def asked(tmp_path):
    path = tmp_path / "asked.csv"
    path.write_text("id,intent\na,send a mail\nb,\nc,find a file\n")
    return path


def test_a_file_of_texts_becomes_a_file_of_tools(ask, asked, tmp_path):
    out = tmp_path / "ranked.jsonl"
    code, said, err = ask("rank", "--catalog", SAMPLE, "--bulk", asked, "--out", out, "--top", 2)
    assert (code, said) == (0, f"{out}: 2 of 3 intents ranked, 5 rows\n")
    assert err == "shgat: b was not ranked: it has neither an embedding nor a text\n"
    rows = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert [row["id"] for row in rows] == ["a", "a", "b", "c", "c"]
    one = orjson.loads(ask("rank", "--catalog", SAMPLE, "send a mail", "--top", 2, "--json")[1])
    assert [row["tool"] for row in rows[:2]] == [item["id"] for item in one["items"]]


def test_two_processes_write_the_same_rows(ask, tmp_path):
    tables = []
    for jobs in (1, 2):
        out = tmp_path / f"{jobs}.parquet"
        code, said, _ = ask("rank", "--catalog", SAMPLE, "--bulk", SAMPLE / "test.jsonl", "--out", out, "--jobs", jobs, "--json")
        assert code == 0
        assert orjson.loads(said)["not_ranked"] == 0
        tables.append(pq.read_table(out).to_pylist())
    assert tables[0] == tables[1]
    assert len(tables[0]) == 5 * orjson.loads(said)["intents"]


def test_where_none_can_be_ranked_the_answer_is_no(ask, tmp_path):
    (tmp_path / "a.csv").write_text("id,intent\n" + "".join(f"{i},\n" for i in range(5)))
    code, _, err = ask("rank", "--catalog", SAMPLE, "--bulk", tmp_path / "a.csv", "--out", tmp_path / "r.csv")
    assert code == 1
    assert "and 2 more, see the column error" in err
    with (tmp_path / "r.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 5


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (("--out", "r.txt"), "--out r.txt: the name"),
        ((), "--out FILE"),
        (("--out", "r.csv", "--explain"), "--explain goes with one intent"),
        (("--out", "nowhere/r.csv"), "there is no folder"),
    ],
)
def test_what_makes_no_sense_is_refused(ask, asked, more, what):
    code, out, err = ask("rank", "--catalog", SAMPLE, "--bulk", asked, *more)
    assert (code, out) == (2, "")
    assert what in err


def test_without_many_there_is_no_place_for_them(ask):
    code, _, err = ask("rank", "--catalog", SAMPLE, "send a mail", "--jobs", "2")
    assert code == 2
    assert "--jobs goes with --bulk" in err
