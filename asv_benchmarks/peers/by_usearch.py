"""usearch alone, with float16 vectors."""

from collections.abc import Callable

import numpy as np
from usearch.index import Index, MetricKind


def search(rows: np.ndarray, k: int) -> Callable[[np.ndarray], list[int]]:
    """The k nearest of the rows (n, d) to a vector, by an index with the parameters of shgat's."""
    index = Index(ndim=rows.shape[1], metric=MetricKind.IP, dtype="f16", connectivity=24, expansion_add=128, expansion_search=128)
    index.add(np.arange(len(rows), dtype=np.uint64), rows, threads=1)
    return lambda x: np.asarray(index.search(x, k, threads=1).keys).tolist()
