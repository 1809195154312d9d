import numpy as np
from numpy.typing import NDArray

def info_nce(
    z: NDArray[np.float32],
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    y: NDArray[np.float32],
    w: NDArray[np.float32],
    tau: float,
    d_z: NDArray[np.float32],
    loss: NDArray[np.float64],
    p_positive: NDArray[np.float32],
    apart: bool = False,
) -> None: ...
def push_down(
    z: NDArray[np.float32],
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    y: NDArray[np.float32],
    w: NDArray[np.float32],
    tau: float,
    d_z: NDArray[np.float32],
    loss: NDArray[np.float64],
) -> None: ...
