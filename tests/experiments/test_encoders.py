"""Encoders beside each other on a small set: every way is there, and its figures are those of its scores."""

import math

import pytest

from shgat.experiments.dataset import Dataset
from shgat.experiments.encoders import at_hand, measured
from shgat.features.static import built_in
from worlds import SAMPLE


@pytest.fixture(scope="module")
def rows():
    data = Dataset.load(SAMPLE)
    return {row.way: row for row in measured(data, {"static": built_in()}, feedbacks=0)}


def test_every_way_is_measured(rows):
    assert [*rows] == ["words", "stored embeddings", "static", "static + words"]
    assert all(0.0 < row.recall <= 1.0 for row in rows.values())
    assert math.isnan(rows["words"].milliseconds)
    assert rows["static"].milliseconds == rows["static + words"].milliseconds > 0.0


def test_words_and_meaning_together_find_more_than_words_alone(rows):
    assert rows["static + words"].recall > rows["words"].recall


def test_what_is_at_hand_needs_no_network():
    assert list(at_hand())[:2] == ["hashed words", "static"]
