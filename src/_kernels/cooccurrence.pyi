import numpy as np
from numpy.typing import NDArray

def mix(
    h: NDArray[np.float32],
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    w: NDArray[np.float32],
    beta: float,
    temperature: float,
    norms: NDArray[np.float32],
    cosine: NDArray[np.float32],
    alpha: NDArray[np.float32],
    agg: NDArray[np.float32],
    pre_norm: NDArray[np.float32],
    y: NDArray[np.float32],
) -> None: ...
def mix_backward(
    d_y: NDArray[np.float32],
    h: NDArray[np.float32],
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    w: NDArray[np.float32],
    beta: float,
    temperature: float,
    norms: NDArray[np.float32],
    cosine: NDArray[np.float32],
    alpha: NDArray[np.float32],
    agg: NDArray[np.float32],
    pre_norm: NDArray[np.float32],
    y: NDArray[np.float32],
    d_h: NDArray[np.float32],
    scratch: NDArray[np.float32],
) -> tuple[float, float]: ...
