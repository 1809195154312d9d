"""A reference is small, comes back as it was written, and is refused where it is something else."""

import numpy as np
import pytest

from drift.planted import D, window
from shgat.drift import Reference, Window
from shgat.drift import reference as module
from shgat.errors import InputError, ModelFileError
from shgat.model import tensor_file


def test_it_comes_back(tmp_path):
    made = Reference.of(window(300, np.random.default_rng(0)), np.random.default_rng(1), probes=np.eye(8, D), about={"version": 3})
    made.save(tmp_path / "r")
    read = Reference.load(tmp_path / "r")
    for name in ("mean", "directions", "coordinates", "edges", "scores", "chosen", "probes"):
        assert np.array_equal(getattr(made, name), getattr(read, name)), name
    assert (read.mix, read.outcomes, read.encoder, read.about) == (made.mix, made.outcomes, "e 1", {"version": 3})
    assert made.directions @ made.directions.T == pytest.approx(np.eye(D), abs=1e-5)


def test_it_is_less_than_a_megabyte():
    rng = np.random.default_rng(0)
    tools = tuple((f"t{i}",) for i in rng.integers(0, 3000, 5000))
    large = Window(rng.standard_normal((5000, 1024)), rng.random(5000), tools, rng.random(5000) < 0.5)
    assert len(Reference.of(large, rng).to_bytes()) < 1 << 20


def test_coordinates_keep_lengths():
    rng = np.random.default_rng(0)
    made = Reference.of(window(100, rng), rng)
    x = rng.standard_normal((5, D)).astype(np.float32)
    found = module.coordinates(x, made.mean, made.directions[:6])
    assert (found**2).sum(axis=1) == pytest.approx(((x - made.mean) ** 2).sum(axis=1), rel=1e-4)


def test_columns_of_choices_and_bins():
    assert module.choices([("a", "a", "z"), ()], ["b", "a"]).tolist() == [[0, 2, 1], [0, 0, 0]]
    assert module.binned(np.array([-1.0, 0.0, 5.0]), np.array([0.0, 1.0])).tolist() == [0, 1, 2]


def test_what_is_none_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="at least 40 executions with an embedding, not 39"):
        Reference.of(window(39, rng), rng)
    with pytest.raises(InputError, match="probes"):
        Reference.of(window(50, rng), rng, probes=np.zeros((8, D + 1)))
    data = bytearray(Reference.of(window(50, rng), rng).to_bytes())
    data[-3] ^= 1
    with pytest.raises(ModelFileError, match="altered"):
        Reference.from_bytes(data)
    with pytest.raises(ModelFileError, match="no drift reference"):
        Reference.from_bytes(tensor_file.pack({"x": np.zeros(3, np.float32)}, {}))


def test_intents_that_are_all_the_same_have_no_direction():
    rng = np.random.default_rng(0)
    one = Window(np.ones((60, 4)), None, ((),) * 60, np.ones(60, np.bool_))
    assert Reference.of(one, rng).coordinates.shape == (30, 1)
