import numpy as np
from numpy.typing import NDArray

def attend(
    s: NDArray[np.float32],
    t: NDArray[np.float32],
    a: NDArray[np.float32],
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    slope: float,
    gate: NDArray[np.float32],
    x: NDArray[np.float32],
    alpha: NDArray[np.float32],
    agg: NDArray[np.float32],
    out: NDArray[np.float32],
    scratch: NDArray[np.float32],
) -> None: ...
def attend_backward(
    d_out: NDArray[np.float32],
    s: NDArray[np.float32],
    t: NDArray[np.float32],
    a: NDArray[np.float32],
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    slope: float,
    gate: NDArray[np.float32],
    x: NDArray[np.float32],
    alpha: NDArray[np.float32],
    agg: NDArray[np.float32],
    d_s: NDArray[np.float32],
    d_t: NDArray[np.float32],
    d_a: NDArray[np.float32],
    d_gate: NDArray[np.float64],
    d_x: NDArray[np.float32],
    scratch: NDArray[np.float32],
) -> None: ...
