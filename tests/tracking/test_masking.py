"""Parameters are flat, and secrets stay out of them."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from shgat.tracking.masking import MASK, kept


@dataclass
class Given:
    n: int
    api_key: str


def test_nested_values_are_flat_and_numbers_stay_numbers():
    value = {"a": {"b": 1, "c": {"d": 2.5}}, "e": True, "f": None, "g": [1, 2], "h": float("nan"), "i": Path("/home/me/model.bin")}
    assert kept(value) == {"a.b": 1, "a.c.d": 2.5, "e": True, "f": None, "g": "[1, 2]", "h": "nan", "i": "model.bin"}
    assert kept({"x": "y" * 600})["x"] == "y" * 500


@pytest.mark.parametrize("name", ["api_key", "apiKey", "token", "x.secret", "DB_PASSWORD", "authorization", "credentials"])
def test_what_looks_like_a_secret_is_masked(name):
    assert kept({name: "hunter2"}) == {name: MASK}
    assert kept({name: None}) == {name: None}


def test_words_that_only_sound_like_one_are_kept():
    assert kept({"n_tokens": 3, "tokenizer": "x", "monkey": "y", "keys": 8}) == {
        "n_tokens": 3,
        "tokenizer": "x",
        "monkey": "y",
        "keys": 8,
    }


def test_who_logs_in_by_a_url_is_masked():
    assert kept({"store": "postgresql+psycopg://me:hunter2@db/x"}) == {"store": f"postgresql+psycopg://{MASK}@db/x"}
    assert kept({"of": Given(3, "hunter2")}) == {"of.n": 3, "of.api_key": MASK}
