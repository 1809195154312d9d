"""A tracker of each kind that can be read back."""

import importlib.util

import pytest

from shgat.tracking import FolderTracker

MLFLOW = pytest.param("mlflow", marks=pytest.mark.filterwarnings("ignore"))  # its own, of SQLAlchemy and pydantic


@pytest.fixture(scope="session")
def mlflow_uri(tmp_path_factory):
    """One database for all tests: making one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture(params=["folder", MLFLOW])
def tracker(request, tmp_path):
    if request.param == "folder":
        return FolderTracker(tmp_path / "runs")
    if importlib.util.find_spec("mlflow") is None:
        pytest.skip("mlflow is not installed: pip install '.[mlflow]'")
    from shgat.tracking.mlflow import MlflowTracker

    return MlflowTracker(request.getfixturevalue("mlflow_uri"), artifacts=(tmp_path / "artifacts").as_uri())
