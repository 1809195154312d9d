"""Each subject large and tiny, its memory, and its peers in the same run, every BLAS on one thread."""

import os
import sys
from pathlib import Path

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # before NumPy or PyTorch is imported: they read it once
sys.path.insert(0, str(Path(__file__).parents[1]))  # for `peers`
