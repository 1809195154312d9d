"""OpenBLAS is there before the first kernel, with a pool of one thread."""

import os
import subprocess
import sys

import pytest

from shgat._kernels import _build_config


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )


def test_the_pool_has_one_thread_whatever_the_environment_asks_for():
    code = "import shgat; from shgat._kernels import linear; print(linear.set_blas_threads(1))"
    assert python(code, OPENBLAS_NUM_THREADS="2").stdout.strip() == "1"


@pytest.mark.skipif(_build_config.BLAS != "scipy-openblas32", reason="built with another BLAS")
def test_a_missing_library_is_an_error_with_a_remedy():
    hide = "import importlib.util as u; real = u.find_spec; u.find_spec = lambda n, *a: None if n == 'scipy_openblas32' else real(n, *a)"
    done = python(f"{hide}; import shgat")
    assert done.returncode == 1
    assert "ImportError: the scipy-openblas32 package is missing; run: pip install scipy-openblas32" in done.stderr
