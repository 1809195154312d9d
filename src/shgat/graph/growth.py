"""Rows that grow at their end, as a list does, while every reader keeps the matrix it was given."""

import threading

import numpy as np

from .._types import Float32

SPARE = 16  # rows at least


class Growth:
    """A buffer of rows and how many of them are taken.

    What was handed out are the first n rows of the buffer, and rows are only ever written behind those that are taken: whoever holds a
    matrix sees it unchanged. The buffer doubles where it is full, so that a row costs as much as it is long.

    Parameters
    ----------
    rows : (n, d) that it begins with; not copied until it grows
    """

    def __init__(self, rows: Float32) -> None:
        self._buffer, self._taken, self._lock = rows, len(rows), threading.Lock()

    def extended(self, rows: Float32, more: Float32) -> tuple["Growth", Float32]:
        """Rows (n, d), which this handed out, and more (k, d) below them.

        Returns
        -------
        (what extends the new matrix, the new matrix (n + k, d)); this one where its end was free, else one over a buffer of its own
        """
        n, total = len(rows), len(rows) + len(more)
        with self._lock:
            if n == self._taken and total <= len(self._buffer):
                self._buffer[n:total] = more
                self._taken = total
                return self, self._buffer[:total]
        other = Growth(np.empty((max(2 * n, total, SPARE), rows.shape[1]), np.float32))
        other._buffer[:n], other._buffer[n:total] = rows, more
        other._taken = total
        return other, other._buffer[:total]
