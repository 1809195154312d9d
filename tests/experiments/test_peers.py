"""callbus on the vectors of a set, served by text: the real one, where it is installed."""

from dataclasses import replace
from importlib.util import find_spec
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import orjson
import pytest

from shgat import InputError, MissingExtraError
from shgat.experiments import peers
from shgat.experiments.dataset import Dataset
from worlds import SAMPLE

INSTALLED = all(find_spec(package) is not None for package in ("callbus", "torch"))
needs_callbus = pytest.mark.skipif(not INSTALLED, reason="callbus or PyTorch is not installed (extra peers)")


@pytest.fixture(scope="module")
def sample():
    data = Dataset.load(SAMPLE)
    return replace(data, train=data.train.take(np.arange(60)), test=data.test.take(np.arange(20)))


def asked(url, body):
    with urlopen(Request(f"{url}/embeddings", orjson.dumps(body), {"Content-Type": "application/json"}), timeout=10) as answer:
        return orjson.loads(answer.read())["data"]


def test_the_server_gives_the_stored_vectors_and_refuses_other_texts():
    vectors = {"a": np.arange(3, dtype=np.float32), "b": np.ones(3, np.float32)}
    with peers.serving(vectors) as url:
        rows = asked(url, {"model": "stored", "input": ["b", "a"], "encoding_format": "base64"})
        assert [r["index"] for r in rows] == [0, 1]
        for wrong in ({"input": ["c"]}, {}, [], {"input": 3}):
            with pytest.raises(HTTPError) as refused:
                asked(url, wrong)
            assert refused.value.code == 400
            refused.value.close()


@pytest.mark.skipif(INSTALLED, reason="callbus and PyTorch are installed")
def test_without_the_extra(sample):
    with pytest.raises(MissingExtraError, match="peers"):
        peers.callbus(sample, 0)


@needs_callbus
@pytest.mark.slow
def test_heads_that_are_still_the_identity_rank_as_cosine(sample):
    scores, seconds, about = peers.callbus(sample, 0, {**peers.DEFAULTS, "lr": 1e-12})
    np.testing.assert_allclose(scores, sample.intents @ sample.tools.T, atol=1e-4)
    assert seconds > 0.0
    assert about["epochs"] == peers.DEFAULTS["epochs"]


@needs_callbus
@pytest.mark.slow
def test_it_learns_from_the_traces(sample):
    scores, _, about = peers.callbus(sample, 0, peers.LONGER)
    assert scores.shape == (20, len(sample.catalog.tools))
    assert np.isfinite(scores).all()
    assert np.abs(scores - sample.intents @ sample.tools.T).max() > 1e-3 or about["best_epoch"] == 0


@needs_callbus
def test_too_few_traces(sample):
    with pytest.raises(InputError, match="too few"):
        peers.callbus(replace(sample, train=sample.train.take(np.arange(1))), 0)
