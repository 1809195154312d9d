"""What encoders of others share: one check, and a dimension that is asked for once."""

import numpy as np
import pytest

from shgat.errors import EncoderError
from shgat.features.foreign import ForeignEncoder


class Given(ForeignEncoder):
    """Gives the same rows for any texts."""

    def __init__(self, rows, dimension=None):
        self.rows, self._dimension, self.asked = np.array(rows, np.float32), dimension, 0

    def encode(self, texts):
        self.asked += 1
        return self._checked(self.rows, len(texts), "it")


def test_vectors_have_length_one_and_zero_stays_zero():
    np.testing.assert_allclose(Given([[3, 4], [0, 0]]).encode(["a", "b"]), [[0.6, 0.8], [0, 0]], atol=1e-7)


def test_the_dimension_is_asked_for_once_where_nobody_said():
    encoder = Given([[1, 2, 3]])
    assert (encoder.dimension, encoder.dimension, encoder.asked) == (3, 3, 1)
    said = Given([[1, 2, 3]], 3)
    assert (said.dimension, said.asked) == (3, 0)


@pytest.mark.parametrize(("rows", "dimension"), [([[1, 2]], 3), ([[1, np.nan]], None), ([1, 2], None), ([[1], [2]], None)])
def test_what_is_no_finite_matrix_of_the_dimension_is_refused(rows, dimension):
    with pytest.raises(EncoderError, match="it gave"):
        Given(rows, dimension).encode(["a"])
