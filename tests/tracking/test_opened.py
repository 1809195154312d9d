"""Which place means which tracker."""

import pytest

from shgat.errors import InputError
from shgat.tracking import FolderTracker, open_tracker


def test_a_folder(tmp_path):
    assert isinstance(open_tracker(tmp_path), FolderTracker)
    assert isinstance(open_tracker("runs"), FolderTracker)


@pytest.mark.filterwarnings("ignore")
def test_mlflow(mlflow_uri):
    pytest.importorskip("mlflow", reason="mlflow is not installed: pip install '.[mlflow]'")
    assert open_tracker(f"mlflow+{mlflow_uri}").name == f"mlflow {mlflow_uri}"


@pytest.mark.parametrize("place", ["http://127.0.0.1:5000", "s3://bucket", "", " "])
def test_what_is_no_place_is_refused_with_those_there_are(place):
    with pytest.raises(InputError, match="runs are kept in a folder, mlflow"):
        open_tracker(place)
