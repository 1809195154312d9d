import numpy as np
from numpy.typing import NDArray

def walk(
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    starts: NDArray[np.int32],
    each: int,
    p: float,
    q: float,
    seed: int,
    walks: NDArray[np.int32],
) -> None: ...
def places(walks: NDArray[np.int32], begin: NDArray[np.int64], where: NDArray[np.int64]) -> None: ...
def near_sizes(
    walks: NDArray[np.int32],
    weights: NDArray[np.float32],
    begin: NDArray[np.int64],
    where: NDArray[np.int64],
    low: int,
    high: int,
    sums: NDArray[np.float32],
    met: NDArray[np.int32],
    sizes: NDArray[np.int64],
) -> None: ...
def near(
    walks: NDArray[np.int32],
    weights: NDArray[np.float32],
    begin: NDArray[np.int64],
    where: NDArray[np.int64],
    low: int,
    high: int,
    sums: NDArray[np.float32],
    met: NDArray[np.int32],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    values: NDArray[np.float32],
) -> None: ...
def multiply(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    values: NDArray[np.float32],
    low: int,
    high: int,
    x: NDArray[np.float32],
    y: NDArray[np.float32],
) -> None: ...
def skip_gram(
    walks: NDArray[np.int32],
    window: int,
    table: NDArray[np.int32],
    negatives: int,
    high: float,
    low: float,
    first: int,
    seed: int,
    vectors: NDArray[np.float32],
    contexts: NDArray[np.float32],
    step: NDArray[np.float32],
) -> None: ...
