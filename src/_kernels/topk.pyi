import numpy as np
from numpy.typing import NDArray

def top_k(scores: NDArray[np.float32], best: NDArray[np.float32], indices: NDArray[np.int32]) -> None: ...
def ranks(scores: NDArray[np.float32], indptr: NDArray[np.int32], indices: NDArray[np.int32], out: NDArray[np.int64]) -> None: ...
def vote(
    rows: NDArray[np.int32],
    weights: NDArray[np.float32],
    fade: float,
    floor: float,
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    out: NDArray[np.float32],
) -> None: ...
