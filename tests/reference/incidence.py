"""Small random incidences, and float64 arrays in the form the kernels take."""

import numpy as np


def csr(rng, n_sources, sizes):
    """indptr, indices (int32): target t has sizes[t] distinct sources, in random order."""
    rows = [rng.permutation(n_sources)[:size] for size in sizes]
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return readonly(indptr), readonly(np.concatenate([*rows, []]).astype(np.int32))


def single(*arrays):
    """Read-only float32 copies in C order."""
    return [readonly(np.array(a, dtype=np.float32, order="C")) for a in arrays]


def readonly(array):
    array.flags.writeable = False
    return array
