import numpy as np
from numpy.typing import NDArray

def log_softmax(z: NDArray[np.float32], out: NDArray[np.float32]) -> None: ...
def route(
    z: NDArray[np.float32],
    columns: NDArray[np.int32],
    source: NDArray[np.int32],
    known: float,
    floor: float,
    p: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None: ...
def add_weighted(factor: NDArray[np.float32], s: NDArray[np.float32], total: NDArray[np.float32]) -> None: ...
def probability(
    s: NDArray[np.float32],
    slopes: NDArray[np.float32],
    knots: NDArray[np.float32],
    start: NDArray[np.float32],
    least: float,
    most: float,
    out: NDArray[np.float32],
) -> None: ...
def tally(
    alike: NDArray[np.float32],
    trace: NDArray[np.int64],
    place: NDArray[np.int64],
    count: NDArray[np.float64],
    good: NDArray[np.float64],
    worked: NDArray[np.float64],
    total: NDArray[np.float64],
) -> None: ...
def mean_of_highest(
    x: NDArray[np.float32], y: NDArray[np.float32], best: NDArray[np.float32], out: NDArray[np.float32]
) -> None: ...
