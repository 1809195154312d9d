"""Noise and dropout of a step: nothing where they are off, and right on average."""

import numpy as np
import pytest

from shgat.training.batch import dropout, noisy


@pytest.mark.parametrize("noise", [0.1, 0.5, 5.0])
def test_noise_turns_an_intent_and_keeps_its_length(noise):
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((500, 64)) * rng.uniform(0.1, 30.0, (500, 1))).astype(np.float32)
    shaken = noisy(x, noise, np.random.default_rng(1))
    np.testing.assert_allclose(np.linalg.norm(shaken, axis=1), np.linalg.norm(x, axis=1), rtol=1e-5)
    cosine = (x * shaken).sum(axis=1) / np.linalg.norm(x, axis=1) ** 2
    assert cosine.mean() == pytest.approx(1.0 / np.sqrt(1.0 + noise**2), abs=0.02)  # noise of that length, at right angles
    assert shaken.dtype == np.float32
    assert shaken.flags.c_contiguous


def test_without_noise_the_generator_is_not_asked():
    rng, x = np.random.default_rng(0), np.ones((3, 4), np.float32)
    assert noisy(x, 0.0, rng) is x
    assert rng.random() == np.random.default_rng(0).random()


def test_an_intent_of_nothing_stays_one():
    assert not noisy(np.zeros((2, 8), np.float32), 0.5, np.random.default_rng(0)).any()


@pytest.mark.parametrize("p", [0.0, 0.3, 0.9])
def test_dropout_leaves_out_its_share_and_keeps_the_mean(p):
    factors = dropout(20_000, p, np.random.default_rng(0))
    assert factors.shape == (20_000, 1)
    assert factors.dtype == np.float32
    kept = factors[factors > 0.0]
    np.testing.assert_allclose(kept, 1.0 / (1.0 - p), rtol=1e-6)
    assert len(kept) / 20_000 == pytest.approx(1.0 - p, abs=0.015)
