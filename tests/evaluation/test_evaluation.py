"""The names of the package, and what importing it costs."""

import subprocess
import sys

import pytest

from shgat import evaluation


def test_every_name_is_there():
    for name in evaluation.__all__:
        assert getattr(evaluation, name).__module__.startswith("shgat.evaluation")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = evaluation.nothing


def test_importing_it_loads_neither_scipy_nor_matplotlib():
    code = "import sys, shgat.evaluation as e; [getattr(e, n) for n in e.__all__]; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"scipy", "matplotlib", "pyarrow", "pandas"} & set(loaded)
