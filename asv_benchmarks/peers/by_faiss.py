"""faiss alone: its HNSW over float32."""

from collections.abc import Callable

import faiss
import numpy as np


def search(rows: np.ndarray, k: int) -> Callable[[np.ndarray], list[int]]:
    """The k nearest of the rows (n, d) to a vector, by an index with the parameters of shgat's."""
    faiss.omp_set_num_threads(1)
    index = faiss.IndexHNSWFlat(rows.shape[1], 24, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction, index.hnsw.efSearch = 128, 128
    index.add(rows)
    return lambda x: index.search(x[None], k)[1][0].tolist()
