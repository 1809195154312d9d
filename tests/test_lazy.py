"""Names of packages load their module on first use, and nothing else."""

import subprocess
import sys

import pytest

import shgat
from shgat import _lazy, metrics, traces


def loaded_by(code):
    program = f"import sys; {code}; print(*(m for m in sys.modules if m.startswith('shgat.')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("package", [shgat, metrics, traces], ids=lambda p: p.__name__)
def test_every_public_name_is_there(package):
    assert len(set(package.__all__)) == len(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) <= set(dir(package))


def test_a_name_that_is_nowhere():
    with pytest.raises(AttributeError, match=r"module 'shgat\.metrics' has no attribute 'nothing'"):
        _ = metrics.nothing
    assert _lazy.names("shgat.graph", {"records": "Tool Capability"})[0]("Tool") is shgat.Tool


def test_who_ranks_waits_for_no_training():
    loaded = loaded_by("import shgat")
    assert not {m for m in loaded if m.startswith("shgat.traces.")} - {"shgat.traces.outages", "shgat.traces.record"}
    assert not {m.split(".")[1] for m in loaded} & {
        "training",
        "store",
        "experiments",
        "serving",
        "cli",
    }


def test_one_name_loads_one_module():
    before = loaded_by("import shgat")
    assert loaded_by("from shgat.metrics import gini") - before == {"shgat.metrics.ranking"}
