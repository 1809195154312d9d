"""Runs for Weights & Biases, offline: its own files are there, and reading them back is said to be its own."""

import importlib.util
import sys

import pytest

from shgat.errors import MissingExtraError, TrackingError
from shgat.tracking.wandb import WandbTracker

installed = importlib.util.find_spec("wandb") is not None


@pytest.mark.skipif(not installed, reason="wandb is not installed: pip install '.[wandb]'")
@pytest.mark.filterwarnings("ignore")  # its own
def test_a_run_is_written_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    tracker = WandbTracker(tmp_path)
    with tracker.run("offline", parameters={"lr": 0.1}) as run:
        run.log({"loss": 0.5}, 1)
        run.keep("report.json", b"{}")
    assert run.trouble == ""
    (folder,) = (tmp_path / "wandb").glob("offline-run-*")
    (file,) = folder.glob("*.wandb")
    data = file.read_bytes()
    assert b"loss" in data
    assert run.id.encode() in data
    with pytest.raises(TrackingError, match="wandb sync"):
        tracker.runs()


def test_where_it_is_missing_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingExtraError, match="wandb"):
        WandbTracker(tmp_path)
