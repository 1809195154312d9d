"""Files of ranked tools hold the same rows whatever their format."""

import csv

import orjson
import pyarrow.parquet as pq
import pytest

from shgat.bulk import Ranked, write_ranked
from shgat.errors import InputError

RANKED = [
    Ranked("a", ("t", "u"), (0.5, 0.25), (0.75, 0.125)),
    Ranked("b", error="it is zero"),
    Ranked("c", ("v",), (1.0,)),
    Ranked("d"),
]
ROWS = [
    {"id": "a", "place": 1, "tool": "t", "score": 0.5, "probability": 0.75, "error": None},
    {"id": "a", "place": 2, "tool": "u", "score": 0.25, "probability": 0.125, "error": None},
    {"id": "b", "place": None, "tool": None, "score": None, "probability": None, "error": "it is zero"},
    {"id": "c", "place": 1, "tool": "v", "score": 1.0, "probability": None, "error": None},
    {"id": "d", "place": None, "tool": None, "score": None, "probability": None, "error": None},
]


def test_every_format_has_the_same_rows(tmp_path):
    for ending in (".jsonl", ".parquet", ".csv"):
        assert write_ranked(tmp_path / f"r{ending}", RANKED) == 5
    assert [orjson.loads(line) for line in (tmp_path / "r.jsonl").read_bytes().splitlines()] == ROWS
    assert pq.read_table(tmp_path / "r.parquet").to_pylist() == ROWS
    with (tmp_path / "r.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{k: "" if v is None else str(v) for k, v in row.items()} for row in ROWS]


def test_what_breaks_off_leaves_no_file(tmp_path):
    def broken():
        yield RANKED[0]
        raise InputError("gone")

    for ending in (".jsonl", ".parquet", ".csv"):
        with pytest.raises(InputError, match="gone"):
            write_ranked(tmp_path / f"r{ending}", broken())
    assert not list(tmp_path.iterdir())


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match="ends in"):
        write_ranked(tmp_path / "r.txt", RANKED)
