"""SHGAT beside the baselines, and the results of several seeds."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import SHGAT, InputError
from shgat.experiments.dataset import Dataset
from shgat.experiments.quality import ABLATIONS, BASELINES, Result, Run, baseline, measured, shgat
from shgat.model.channels import CHANNELS
from worlds import SAMPLE, SETS, real_set


@pytest.fixture(scope="module")
def sample():
    return Dataset.load(SAMPLE)


# ---------------------------------------------------------------- methods
@pytest.mark.parametrize("name", ["sample", *SETS])
def test_untrained_ranks_exactly_as_cosine(name):
    data = Dataset.load(SAMPLE if name == "sample" else real_set(name))
    order = np.argsort(-SHGAT.from_catalog(data.catalog).score(data.intents, texts=data.texts), axis=1, kind="stable")
    cosine = np.take_along_axis(data.intents.astype(np.float64) @ data.tools.T.astype(np.float64), order, axis=1)
    assert (np.diff(cosine, axis=1) < 1e-6).all()  # what float32 cannot tell apart may change places


@pytest.mark.slow
def test_shgat_beats_the_baselines_that_do_not_learn(sample):
    run = shgat(sample, 0)
    assert run.about["accepted"]
    assert run.seconds > 0.0
    for name in ("cosine", "bm25", "rrf"):
        assert np.nanmean(run.metrics["recall@5"]) > np.nanmean(baseline(sample, name).metrics["recall@5"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "silent"),
    [("shgat_no_route", {"route"}), ("shgat_no_lexical", {"lexical", "usage", "word_memory"}),
     ("shgat_no_memory", {"memory", "word_memory"})],
)  # fmt: skip
def test_channels_taken_out_have_no_weight(sample, name, silent):
    weights = shgat(sample, 0, ABLATIONS[name]).about["weights"]
    assert set(weights["seen"]) == set(CHANNELS) - silent
    assert set(weights["unseen"]) == {*CHANNELS, "bonus"} - silent


@pytest.mark.slow
@pytest.mark.parametrize("name", ["message_passing", "offsets"])
def test_what_is_chosen_may_be_forced(sample, name):
    field = {"offsets": "node_offsets"}.get(name, name)
    for ablation, wanted in ((f"shgat_{name}", True), (f"shgat_no_{name}", False)):
        about = shgat(sample, 0, ABLATIONS[ablation]).about
        assert about["choices"][field] is wanted
        label = name.replace("_", " ")
        assert about["trials"]  # the others are still chosen
        assert all((label in t["name"]) == (label in t["against"]) for t in about["trials"])
    assert ABLATIONS["shgat_gat"].config.attention == "gat"


@pytest.mark.parametrize("channels", [(), ("semantics",)])
def test_unknown_channels(sample, channels):
    with pytest.raises(InputError, match="channels"):
        SHGAT.from_catalog(sample.catalog).fit(sample.train, channels=channels)


@pytest.mark.slow
def test_measured(sample):
    few = replace(sample, train=sample.train.take(np.arange(60)))
    runs = list(measured(few, [0, 1], ablations=True))
    names = [name for name, _ in runs]
    assert names[:5] == list(BASELINES)
    assert names[5:7] == ["linear_adapter"] * 2
    assert names[7:] == ["shgat", *ABLATIONS] * 2
    default = runs[names.index("shgat")][1]
    taken = [runs[names.index(f"shgat_{no}offsets")][1] for no in ("", "no_")]
    assert [run is default for run in taken] == [
        default.about["choices"]["node_offsets"],
        not default.about["choices"]["node_offsets"],
    ]
    assert all(run.about["trials"] == [] for name, run in runs[8:15] if run is not default)


# ---------------------------------------------------------------- results
def result(*rows, cold=(False, False, True)):
    runs = [Run(i, {"recall@5": np.array(r), "comp@5": np.floor(r), "mrr": np.array(r)}, float(i)) for i, r in enumerate(rows)]
    return Result(runs, np.array(cold))


def test_means_over_seeds_then_intents():
    both = result([1.0, 0.0, 0.5], [1.0, 1.0, 0.5])
    np.testing.assert_allclose(both.metrics["recall@5"], [1.0, 0.5, 0.5])
    assert (both.mean("recall@5"), both.mean("recall@5", "warm"), both.mean("recall@5", "cold")) == pytest.approx(
        (2 / 3, 0.75, 0.5)
    )
    assert both.seconds == 0.5


def test_a_part_without_intents():
    warm = result([1.0, 0.0], cold=(False, False))
    assert np.isnan(warm.mean("recall@5", "cold"))
    assert np.isnan(warm.interval("recall@5", "cold")).all()
    assert set(warm.to_dict({})["parts"]) == {"all", "warm"}


def test_intents_that_want_nothing_do_not_count():
    some = result([1.0, np.nan, 0.5])
    assert some.mean("recall@5") == 0.75
    assert some.to_dict({})["n"] == 2


def test_intervals_and_differences():
    rng = np.random.default_rng(0)
    values = rng.random(200)
    ours, theirs = result(values, cold=[False] * 200), result(values - 0.25, cold=[False] * 200)
    low, high = ours.interval("recall@5")
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(200), rel=0.15)
    difference = ours.to_dict({"theirs": theirs})["differences"]["theirs"]["all"]["recall@5"]
    np.testing.assert_allclose(difference, [0.25] * 3)
