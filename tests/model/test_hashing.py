"""Hashed words: the same vector for ever, of length 1, near where words are shared."""

import numpy as np

from shgat.model.hashing import entries, hashed


def test_vectors_have_length_one_and_nothing_for_no_word():
    rows = hashed(["send a mail", "", "!!!", "read the file", "🙂"], 64)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 0, 0, 1, 0], atol=1e-6)
    assert rows.dtype == np.float32


def test_shared_words_are_near_and_shared_trigrams_nearer_than_nothing():
    mail, mails, other = hashed(["forward invoice", "forwarding invoices", "resize picture"], 800)
    assert float(mail @ mails) > 0.1 > abs(float(mail @ other))


def test_a_text_is_the_sum_of_its_entries():
    where, what = entries("Forward the invoice to the archive")
    row = np.bincount(where % 128, what, 128)
    np.testing.assert_allclose(hashed(["Forward the invoice to the archive"], 128)[0], row / np.linalg.norm(row), atol=1e-6)
    assert len(entries("")[0]) == 0


def test_the_vectors_of_one_version_stay_as_they_are():
    row = hashed(["convert currency"], 16)[0]
    np.testing.assert_array_equal(
        np.flatnonzero(np.abs(row) > 0.3), np.flatnonzero(np.abs(hashed(["convert  Currency!"], 16)[0]) > 0.3)
    )
    pinned = [0.23, 0.13, 0, -0.14, -0.13, -0.51, 0, 0, 0.53, 0.14, -0.13, 0.37, 0, -0.14, -0.14, -0.37]
    np.testing.assert_allclose(row, pinned, atol=0.006)
