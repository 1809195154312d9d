"""Makes OpenBLAS known to the loader before the first kernel is imported, and keeps its pool at one thread.

The library of the PyPI package is loaded RTLD_LOCAL by path: importing that package instead would load it RTLD_GLOBAL, and SciPy's
own modules would then bind to our copy. Where a wheel was repaired with its own copy, or another BLAS was linked, there is nothing
to load.
"""

import ctypes
import importlib.util
from pathlib import Path

from ._kernels import _build_config

_PACKAGE = Path(__file__).parent


def _preload() -> ctypes.CDLL | None:
    if _build_config.BLAS != "scipy-openblas32" or any((_PACKAGE.parent / "shgat.libs").glob("libscipy_openblas*")):
        return None
    spec = importlib.util.find_spec("scipy_openblas32")  # found, not imported
    if spec is None or spec.origin is None:
        raise ImportError("the scipy-openblas32 package is missing; run: pip install scipy-openblas32")
    library = next((Path(spec.origin).parent / "lib").glob("libscipy_openblas*"), None)
    if library is None:
        raise ImportError(
            f"no libscipy_openblas under {Path(spec.origin).parent}; run: pip install --force-reinstall scipy-openblas32"
        )
    return ctypes.CDLL(str(library), mode=ctypes.RTLD_LOCAL)


_handle = _preload()

from ._kernels import linear as _linear  # noqa: E402  (the library has to be there first)

_linear.set_blas_threads(1)
