"""Runs in MLflow: what it does not take is put otherwise, and what it refuses is said."""

import pytest

from mlflow_server import mlflow_server
from shgat.errors import TrackingError

pytest.importorskip("mlflow", reason="mlflow is not installed: pip install '.[mlflow]'")
pytestmark = pytest.mark.filterwarnings("ignore")  # its own, of SQLAlchemy and pydantic


def test_others_see_the_run_as_mlflow_has_it(mlflow_uri, tmp_path):
    from mlflow import MlflowClient

    from shgat.tracking.mlflow import MlflowTracker

    tracker = MlflowTracker(mlflow_uri, artifacts=(tmp_path / "a").as_uri())
    with tracker.run("seen by others", parameters={"lr": 0.1, "text": "x"}, tags={"catalog": "c"}) as run:
        run.log({f"metric {i}": float(i) for i in range(2500)}, 1)
        run.log({"recall@5": 0.5}, 7)
    client = MlflowClient(mlflow_uri)
    (theirs,) = client.search_runs([client.get_experiment_by_name("seen by others").experiment_id])
    assert theirs.info.status == "FINISHED"
    assert theirs.data.metrics["recall_at_5"] == 0.5
    assert len(theirs.data.metrics) == 2501
    assert (theirs.data.params, theirs.data.tags["catalog"]) == ({"lr": "0.1", "text": '"x"'}, "c")
    assert client.get_metric_history(theirs.info.run_id, "recall_at_5")[0].step == 7
    assert tracker.find(run.id).parameters == {"lr": 0.1, "text": "x"}


def test_a_server_that_is_not_there_is_said(monkeypatch):
    from shgat.tracking.mlflow import MlflowTracker

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with pytest.raises(TrackingError, match=r"mlflow http://127\.0\.0\.1:9"):
        MlflowTracker("http://127.0.0.1:9").run("x")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_training_is_kept_by_a_real_server(tmp_path, monkeypatch):
    """Two runs by the command, what others see of them, and the two compared."""
    from mlflow import MlflowClient

    from commands import run as shgat
    from shgat.cli.sample import SAMPLE
    from shgat.tracking.mlflow import MlflowTracker

    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    with mlflow_server(tmp_path) as uri:
        for epochs in ("1", "2"):
            model = tmp_path / f"{epochs}.safetensors"
            done = shgat(
                "train",
                "--catalog",
                SAMPLE,
                "--out",
                model,
                "--epochs",
                epochs,
                "--track",
                f"mlflow+{uri}",
                "--experiment",
                "served",
            )
            assert done.returncode == 0, done.stderr
            done = shgat("evaluate", "model", model, "--catalog", SAMPLE, "--track", f"mlflow+{uri}", "--experiment", "test")
            assert done.returncode == 0, done.stderr
        client = MlflowClient(uri)
        theirs = {name: client.search_runs([client.get_experiment_by_name(name).experiment_id]) for name in ("served", "test")}
        assert {r.info.status for runs in theirs.values() for r in runs} == {"FINISHED"}
        assert {r.data.params["epochs"] for r in theirs["served"]} == {"1", "2"}
        second, first = (r.id for r in MlflowTracker(uri).runs("test"))
        done = shgat("runs", "compare", first, second, "--runs", f"mlflow+{uri}", "--json")
        assert done.returncode == 0, done.stderr
        assert "recall@5" in done.stdout
