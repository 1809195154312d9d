import numpy as np
from numpy.typing import NDArray

def forward(
    base: NDArray[np.float32],
    owner: NDArray[np.int32],
    parts: NDArray[np.float32],
    item: NDArray[np.int32],
    w2: NDArray[np.float32],
    b2: NDArray[np.float32],
    w3: NDArray[np.float32],
    b3: NDArray[np.float32],
    w4: NDArray[np.float32],
    b4: NDArray[np.float32],
    a1: NDArray[np.float32],
    a2: NDArray[np.float32],
    a3: NDArray[np.float32],
    q: NDArray[np.float32],
) -> None: ...
def backward(
    d_q: NDArray[np.float32],
    owner: NDArray[np.int32],
    item: NDArray[np.int32],
    w2: NDArray[np.float32],
    w3: NDArray[np.float32],
    w4: NDArray[np.float32],
    a1: NDArray[np.float32],
    a2: NDArray[np.float32],
    a3: NDArray[np.float32],
    d_a1: NDArray[np.float32],
    d_a2: NDArray[np.float32],
    d_a3: NDArray[np.float32],
    d_base: NDArray[np.float32],
    d_parts: NDArray[np.float32],
    d_w2: NDArray[np.float32],
    d_b2: NDArray[np.float32],
    d_w3: NDArray[np.float32],
    d_b3: NDArray[np.float32],
    d_w4: NDArray[np.float32],
    d_b4: NDArray[np.float32],
) -> None: ...
def accumulate(errors: NDArray[np.float64], decay: NDArray[np.float64], out: NDArray[np.float64]) -> None: ...
