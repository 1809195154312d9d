import numpy as np
from numpy.typing import NDArray

def normalize_rows(x: NDArray[np.float32], out: NDArray[np.float32], norms: NDArray[np.float32]) -> None: ...
def normalize_rows_backward(
    d_out: NDArray[np.float32], out: NDArray[np.float32], norms: NDArray[np.float32], d_x: NDArray[np.float32]
) -> None: ...
def score_intent(
    x: NDArray[np.float32],
    w: NDArray[np.float32],
    keys: NDArray[np.float32],
    scale: float,
    unit: bool,
    q: NDArray[np.float32],
    z: NDArray[np.float32],
) -> None: ...
def score_folded(
    x: NDArray[np.float32], keys: NDArray[np.float32], scale: float, stretch: float, unit: bool, z: NDArray[np.float32]
) -> None: ...
def score_rows(
    q: NDArray[np.float32], keys: NDArray[np.float32], rows: NDArray[np.int32], scale: float, z: NDArray[np.float32]
) -> None: ...
def all_at_most(x: NDArray[np.float32], limit: float) -> bool: ...
