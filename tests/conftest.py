"""What is trained once and shared."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from shgat import SHGAT, Catalog, Traces, TrainReport, load_traces
from worlds import SAMPLE


@dataclass(frozen=True, eq=False)
class Trained:
    """The sample catalogue, its traces, a model trained on them, its report, and its file. Not to be changed."""

    catalog: Catalog
    train: Traces
    test: Traces
    model: SHGAT
    report: TrainReport
    path: Path


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    catalog = Catalog.load(SAMPLE)
    train, test = (load_traces(SAMPLE / f"{name}.jsonl", catalog) for name in ("train", "test"))
    model = SHGAT.from_catalog(catalog)
    report = model.fit(train)
    assert report.accepted
    path = tmp_path_factory.mktemp("trained") / "model.safetensors"
    model.save(path)
    return Trained(catalog, train, test, model, report, path)
