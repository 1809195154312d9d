"""Data sets on disk: a catalogue, what to learn from, and what to be judged by."""

import shutil

import numpy as np
import pytest

from shgat.errors import CatalogError, InputError, TraceError
from shgat.experiments.dataset import Dataset, folders
from worlds import SAMPLE


@pytest.fixture(scope="module")
def sample():
    return Dataset.load(SAMPLE)


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(SAMPLE, tmp_path / "small")


def test_load(sample):
    assert (sample.name, len(sample.train), len(sample.test)) == ("sample", 400, 100)
    assert sample.cold.sum() == 12
    assert sample.intents.shape == (100, 384)
    np.testing.assert_allclose(np.linalg.norm(sample.intents, axis=1), 1.0, rtol=1e-5)
    past, ran = sample.past
    assert len(past) == ran.n_rows == 362  # 38 failed: nobody should repeat them


def test_fewer_traces_are_part_of_more(sample):
    few, more, all_of_them = (sample.with_traces(n) for n in (20, 50, 10_000))
    assert set(few.train.ids) < set(more.train.ids) < set(all_of_them.train.ids) == set(sample.train.ids)
    assert (len(few.train), len(more.train)) == (20, 50)
    assert few.test is sample.test
    assert few.cold.sum() > more.cold.sum() > sample.cold.sum()
    row = int(np.flatnonzero(sample.train.ids == few.train.ids[3])[0])
    np.testing.assert_array_equal(few.train.intents[3], sample.train.intents[row])


def test_folders(folder):
    assert folders(folder) == [folder]
    assert folders(folder.parent) == [folder]
    assert folders(folder.parent, ["small"]) == [folder]
    with pytest.raises(InputError, match="no set 'large'; there are: small"):
        folders(folder.parent, ["small", "large"])
    (folder / "train.jsonl").unlink()
    with pytest.raises(InputError, match=r"no folder with tools.jsonl, .*test.jsonl"):
        folders(folder.parent)
    with pytest.raises(InputError, match="no folder with"):
        folders(folder / "missing")


def test_a_set_without_embeddings(folder):
    for name in ("tools.npy", "capabilities.npy"):
        (folder / name).unlink()
    with pytest.raises(CatalogError, match="no embeddings"):
        Dataset.load(folder)


def test_a_set_whose_traces_name_unknown_tools(folder):
    path = folder / "test.jsonl"
    path.write_text(path.read_text().replace('"tools": ["', '"tools": ["gone.'))
    with pytest.raises(TraceError, match=r"unknown tool 'gone\."):
        Dataset.load(folder)
