import numpy as np
from numpy.typing import NDArray

def top_k(scores: NDArray[np.float32], best: NDArray[np.float32], indices: NDArray[np.int32]) -> None: ...
