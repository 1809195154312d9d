import numpy as np
from numpy.typing import NDArray

def adam_step(
    p: NDArray[np.float32],
    g: NDArray[np.float32],
    m: NDArray[np.float32],
    v: NDArray[np.float32],
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
    g_scale: float,
    anchor: NDArray[np.float32] | None = None,
) -> None: ...
def sum_of_squares(x: NDArray[np.float32]) -> float: ...
